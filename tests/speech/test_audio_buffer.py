"""Audio that is appended, dropped and copied by position."""

import numpy as np

from turnwire.speech.audio_buffer import AudioBuffer


def tape(*samples: int) -> AudioBuffer:
    made = AudioBuffer()
    made.append(np.array(samples, np.int16))
    return made


def test_copies_what_was_appended() -> None:
    made = tape(1, 2, 3)
    made.append(np.array([4, 5], np.int16))
    assert made.end == 5
    assert made.copy(1, 4).tolist() == [2, 3, 4]


def test_positions_outlive_a_drop() -> None:
    made = tape(1, 2, 3, 4)
    made.drop(2)
    assert made.end == 4
    assert made.copy(2, 4).tolist() == [3, 4]
    assert made.copy(0, 3).tolist() == [3]
    made.drop(1)
    assert made.copy(2, 4).tolist() == [3, 4]


def test_a_drop_beyond_the_end_leaves_the_end_where_it_is() -> None:
    made = tape(1, 2, 3)
    made.drop(10)
    assert made.end == 3
    made.append(np.array([4], np.int16))
    assert made.copy(3, 4).tolist() == [4]


def test_finds_the_quietest_moment() -> None:
    loud = np.full(3200, 8000, np.int16)
    loud[1600:1920] = 10
    made = AudioBuffer()
    made.append(loud)
    assert made.quietest(0, 3200) == 1760
    assert made.quietest(100, 200) == 150


def test_what_was_dropped_is_not_the_quietest_moment() -> None:
    loud = np.full(3200, 8000, np.int16)
    loud[1600:1920] = 10
    made = AudioBuffer()
    made.append(loud)
    made.drop(800)
    assert made.quietest(0, 3200) == 1760
