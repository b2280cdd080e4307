"""What a cut leaves of a stream's utterance."""

import numpy as np

from tests.speech.counting import WORD_MS, Bench, cutting, loud, quiet, texts
from turnwire.recognition import Finished, Marked, Partial, Pause, SpeechStarted
from turnwire.speech.decoding import MS


async def test_a_cut_in_a_pause_begins_afresh(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(np.concatenate((loud(3), quiet(640), loud(2, first=4), quiet(640))))
    stream.finish()
    words = [texts(e) async for e in cutting(stream, Pause) if isinstance(e, Pause)]
    assert [text for text in words if text] == ["1 2 3", "4 5"]


async def test_pauses_go_on_after_a_cut(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(np.concatenate((loud(3), quiet(40_000))))
    stream.finish()
    pauses = [e async for e in cutting(stream, Pause) if isinstance(e, Pause)]
    assert pauses[0].words
    assert not any(pause.words or pause.completeness for pause in pauses[1:])
    assert {pause.since for pause in pauses} == {3 * WORD_MS}
    assert pauses[-1].until > 40_000


async def test_a_cut_amid_speech_divides_its_words(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(loud(4))
    stream.mark()
    await stream.feed(np.concatenate((loud(3, first=5), quiet(320))))
    stream.finish()
    events = [event async for event in cutting(stream, Marked)]
    (marked,) = (event for event in events if isinstance(event, Marked))
    assert (texts(marked), marked.at) == ("1 2 3 4", 4 * WORD_MS)
    assert texts(events[-1]) == "5 6 7"


SCRAP = loud(1, first=5)[: 192 * MS]
"""What is left of a word after a mark that fell into it."""


async def test_what_a_cut_leaves_of_a_word_says_nothing(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(loud(4))
    stream.mark()
    await stream.feed(np.concatenate((SCRAP, quiet(1600), loud(2, first=6), quiet(320))))
    stream.finish()
    events = [event async for event in cutting(stream, Marked)]
    rest = events[events.index(next(e for e in events if isinstance(e, Marked))) + 1 :]
    words = [texts(event) for event in rest if not isinstance(event, SpeechStarted)]
    assert "5" not in " ".join(words)
    assert texts(events[-1]) == "6 7"


async def test_what_a_cut_leaves_of_a_word_is_heard_with_what_follows(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(loud(4))
    stream.mark()
    await stream.feed(np.concatenate((SCRAP, quiet(256), loud(2, first=6), quiet(320))))
    stream.finish()
    events = [event async for event in cutting(stream, Marked)]
    assert texts(events[-1]) == "5 6 7"


async def test_a_cut_at_a_hypothesis_loses_nothing(bench: Bench) -> None:
    stream = bench.open()
    await stream.feed(np.concatenate((loud(10), quiet(640))))
    stream.finish()
    taken: list[str] = []
    async for event in cutting(stream, Partial):
        if isinstance(event, Partial | Finished):
            taken += texts(event).split()
    # A word that a cut falls into is heard on both sides of it.
    assert list(dict.fromkeys(taken)) == [str(number) for number in range(1, 11)]
