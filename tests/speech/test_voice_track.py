"""Where a stream had a voice."""

from hypothesis import given
from hypothesis import strategies as st

from turnwire.speech.voice import FRAME
from turnwire.speech.voice_track import VoiceTrack


def track(frames: list[bool]) -> VoiceTrack:
    made = VoiceTrack()
    for voice in frames:
        made.append(voice=voice)
    return made


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 50), st.integers(0, 50))
def test_voice_within(frames: list[bool], start: int, end: int) -> None:
    voice = track(frames).within(start * FRAME, end * FRAME)
    assert voice == sum(frames[start:end]) * FRAME


def test_it_goes_on_for_hours_and_knows_the_last_half_minute() -> None:
    frames = [i % 3 == 0 for i in range(10_000)]
    long = track(frames)
    last = len(frames) - 30 * 16_000 // FRAME
    assert long.within(last * FRAME, len(frames) * FRAME) == sum(frames[last:]) * FRAME
    assert long.within(0, FRAME) == 0
