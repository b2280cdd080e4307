"""Real speech joined without a pause, where one speaker takes over from another."""

from collections.abc import Callable

import numpy as np
import soxr

from tests.recordings import samples
from tests.speech.test_whisper import hear
from turnwire.bench.scoring import normalise
from turnwire.speech.decoding import RATE
from turnwire.speech.engine import Engine, Samples

PIECES = {
    "laugh less heartily, so we have still that resource": ("endgame_nagg_nell.wav", 8.64, 2.8),
    "we were all going direct to heaven": ("two_cities.wav", 24.54, 1.58),
    "we were all going direct the other way": ("two_cities.wav", 26.46, 1.92),
    "in the superlative degree of comparison only": ("two_cities.wav", 38.6, 3.14),
    "what are you talking about": ("endgame_nagg_nell.wav", 17.52, 1.38),
}
"""What is said in pieces of recordings: where they begin and how long they last, seconds."""


def joined(said: list[str]) -> Samples:
    pieces = []
    for recording, start, lasts in (PIECES[text] for text in said):
        audio, rate = samples(recording)
        near = soxr.resample(audio / np.float32(32768), rate, RATE)
        pieces.append(near[round(start * RATE) :][: round(lasts * RATE)])
    audio = np.concatenate([*pieces, np.zeros(RATE)])
    return np.rint(audio * 32767).astype(np.int16)


async def test_words_are_not_lost_where_speakers_change(tiny_en: Callable[[], Engine]) -> None:
    engine = tiny_en()
    heard = normalise((await hear(engine, [joined(list(PIECES))], RATE)).text)
    await engine.close()
    assert heard.startswith("laugh less heartily so we have still that resource")
    assert heard.endswith("in the superlative degree of comparison only what are you talking about")
    assert heard.count("superlative") == heard.count("the other way") == 1
