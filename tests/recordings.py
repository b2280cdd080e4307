"""Real speech for tests: recordings that a package carries, and what is said in them."""

import wave
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TWO_CITIES_TEXT = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
    "age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the "
    "season of light, it was the season of darkness, it was the spring of hope, it was the winter "
    "of despair, we had everything before us, we had nothing before us, we were all going direct "
    "to heaven, we were all going direct the other way. In short, the period was so far like the "
    "present period, that some of its noisiest authorities insisted on its being received, for "
    "good or for evil, in the superlative degree of comparison only."
)
"""What is said in `two_cities.wav`: 119 words, 44 s at 48 kHz."""

BECKETT_TEXT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
"""What is said in `beckett.wav`: 12 words, 10 s at 16 kHz."""


def recording(name: str) -> Path:
    """A recording of the package moonshine-voice, of which nothing is imported."""
    for file in metadata.files("moonshine-voice") or []:
        if file.name == name:
            return Path(str(file.locate()))
    raise FileNotFoundError(f"moonshine-voice has no {name}")


def samples(name: str) -> tuple[NDArray[np.int16], int]:
    """The mono samples of a recording, and how many there are a second."""
    with wave.open(str(recording(name))) as file:
        assert file.getsampwidth() == 2
        audio = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return audio.reshape(-1, file.getnchannels())[:, 0], file.getframerate()
