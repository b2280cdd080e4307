"""However long somebody speaks, and whatever is made of it, windows and memory have bounds."""

from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.speech.counting import GUIDANCE
from turnwire.recognition import Partial, Pause
from turnwire.speech.decoding import MS, RATE, DecodedWord, Job, Text
from turnwire.speech.planner import Planner, Situation, Wait
from turnwire.speech.quality import LADDER
from turnwire.speech.voice import FRAME
from turnwire.speech.window import PlannedDecode

FRAMES = 90 * RATE // FRAME

LONGEST_WINDOW = 26 * RATE

MOST_HELD = 27 * RATE


@dataclass(frozen=True)
class Speaker:
    """Bursts of voice and the pauses after them, again and again, all in frames."""

    bursts: tuple[tuple[int, int], ...]

    def voices(self) -> list[bool]:
        voices: list[bool] = []
        for voice, pause in cycle(self.bursts):
            voices += [True] * voice + [False] * pause
            if len(voices) >= FRAMES:
                return voices[:FRAMES]
        return voices


@dataclass(frozen=True)
class Decoder:
    """Understands a word every so often, or nothing, and stops before the audio does."""

    word_ms: int | None
    sentence: int = 1000
    completeness: float = 0.2
    left_ms: int = 0
    hastened: bool = False
    """The gaps between the words of the first ten seconds get narrower and narrower."""

    def decode(self, job: Job) -> Text:
        end = len(job.window) // MS - self.left_ms
        if self.word_ms is None or end <= 0:
            return Text((), 0.0)
        # The audio tells where it ends.
        began = (int(job.window.max()) * FRAME - len(job.window)) // MS
        words: list[DecodedWord] = []
        for start in range(0, end, self.word_ms):
            mark = "." if (len(words) + 1) % self.sentence == 0 else ""
            gap_ms = max(50, 250 - (began + start) // 50) if self.hastened else 50
            until = min(start + self.word_ms - gap_ms, end)
            words.append(DecodedWord(f"so{mark}", start, until, 1.0, (1,)))
        return Text(tuple(words), self.completeness)


@dataclass(frozen=True)
class Circumstances:
    live: bool = True
    recording: bool = False
    rung: int = 0
    takes: int = 5
    """How many frames a partial decode takes."""
    cut_at: type[Partial | Pause] | None = None
    """The events at which the session takes the words."""


SPEAKERS = st.builds(
    Speaker,
    st.lists(
        st.tuples(st.integers(2, 60) | st.just(1500), st.integers(1, 20)), min_size=1, max_size=4
    ).map(tuple),
)
DECODERS = st.builds(
    Decoder,
    st.sampled_from([None, 300, 3000]),
    st.sampled_from([2, 9, 1000]),
    st.sampled_from([0.2, 0.7]),
    st.sampled_from([0, 500, 1500, 4000]),
    st.booleans(),
)
CIRCUMSTANCES = st.builds(
    Circumstances,
    st.booleans(),
    st.booleans(),
    st.integers(0, len(LADDER) - 1),
    st.integers(0, 100),
    st.sampled_from([None, Partial, Pause]),
)


@settings(max_examples=25, deadline=None)
@given(SPEAKERS, DECODERS, CIRCUMSTANCES)
@example(Speaker(((24, 10),)), Decoder(None), Circumstances())  # barks
@example(Speaker(((24, 10),)), Decoder(300), Circumstances())  # a list
@example(Speaker(((10, 13),)), Decoder(3000), Circumstances())  # lone words
@example(Speaker(((60, 10),)), Decoder(300, left_ms=1500), Circumstances())  # what is left
@example(Speaker(((1500, 20),)), Decoder(300, hastened=True), Circumstances())
@example(Speaker(((FRAMES, 20),)), Decoder(300), Circumstances(cut_at=Partial))
def test_windows_and_the_audio_held_have_bounds(
    speaker: Speaker, decoder: Decoder, how: Circumstances
) -> None:
    planner = Planner(replace(GUIDANCE, recording=how.recording))
    now = Situation(at=0.0, more=False, quality=LADDER[how.rung])
    under_way = 0  # frames that the partial decode takes

    def take(plan: PlannedDecode) -> None:
        event = planner.take(plan, decoder.decode(plan.job))
        if how.cut_at is Partial and event is not None:
            planner.cut()

    for number, voice in enumerate(speaker.voices(), start=1):
        planner.add(np.full(FRAME, number * voice, np.int16), [float(voice)], 0.5, 0.0, how.live)
        under_way -= 1
        while (step := planner.next(now)) is not Wait.AUDIO:
            if isinstance(step, PlannedDecode):
                assert len(step.job.window) == step.end - step.start <= LONGEST_WINDOW
                if step.final:
                    take(step)
                elif planner.under_way is None:
                    planner.begin(step)
                    under_way = how.takes
            elif step is Wait.OUTCOME:
                assert planner.under_way is not None
                take(planner.under_way)
            elif isinstance(step, Pause):
                assert held(planner) <= MOST_HELD
                if how.cut_at is Pause:
                    planner.cut()
        if planner.under_way is not None and under_way <= 0:
            take(planner.under_way)
    assert held(planner) <= MOST_HELD


def held(planner: Planner) -> int:
    """How many samples can still be decoded."""
    return len(planner._audio.copy(0, planner._audio.end))
