"""What a conversation is reckoned to cost, and how much of its time an engine may be taken."""

import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from turnwire.speech.cleaning import Cleaner
from turnwire.speech.costs import Costs, measure, steady_voice
from turnwire.speech.decoding import RATE
from turnwire.speech.voice import FRAME, Silero, VoiceDetector


def conversations(costs: Costs, processors: int) -> float:
    """How many there is time for."""
    resource = costs.processors(processors, 0.0)
    return resource.usable * resource.seconds / resource.expected


def test_the_longer_a_text_takes_the_more_time_is_left() -> None:
    usable = [Costs(final, 0.01).usable(2) for final in (0.05, 0.2, 0.4, 0.8)]
    assert usable == pytest.approx([0.7, 0.667, 0.5, 0.333], abs=0.001)
    assert Costs(0.4, 0.01).usable(1) < Costs(0.4, 0.01).usable(4)


def test_a_machine_that_is_half_as_fast_holds_less_than_half() -> None:
    fast, slow = Costs(0.15, 0.01), Costs(0.3, 0.02)
    assert conversations(slow, 2) < conversations(fast, 2) / 2
    assert conversations(slow, 1) < conversations(slow, 2) / 2


def test_listening_takes_of_the_processors_that_decode() -> None:
    costs = Costs(0.1, 0.01)
    assert costs.processors(2, 0.0).expected == pytest.approx(
        costs.decoding(2, 0.0).expected + costs.event_loop(0.0).expected
    )


def test_threads_that_have_others_compute_are_taken_by_texts_alone() -> None:
    assert Costs(0.1, 0.01).decoding(2, 0.0) == Costs(0.1, 0.02).decoding(2, 0.0)


WORK = 0.002
"""Seconds of CPU."""


@pytest.mark.parametrize("on_cpu", [False, True])
def test_all_threads_make_a_text_at_the_same_time(on_cpu: bool) -> None:
    together = threading.Barrier(3, timeout=10)

    def make_final() -> None:
        together.wait()
        ends = time.thread_time() + WORK
        while time.thread_time() < ends:
            pass

    costs = measure(make_final, 3, on_cpu=on_cpu)
    assert costs.final > WORK / 2
    assert costs.listening > 0


def test_the_voice_that_is_measured_is_no_hum_of_the_mains() -> None:
    cleaner = Cleaner(FRAME)
    for frame in np.tile(steady_voice(), 5)[: 5 * RATE // FRAME * FRAME].reshape(-1, FRAME):
        cleaner(frame)
        assert not cleaner.has_hum


def test_the_voice_that_is_measured_keeps_silero_awake() -> None:
    heard = []

    class Counting(Silero):
        def __call__(
            self, frames: NDArray[np.float32], state: list[NDArray[np.float32]]
        ) -> NDArray[np.float32]:
            heard.append(len(frames))
            return super().__call__(frames, state)

    VoiceDetector(Counting(), RATE).listen(steady_voice())
    assert sum(heard) == RATE // FRAME
