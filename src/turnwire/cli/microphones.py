"""Microphones, by PortAudio: on Linux, macOS and Windows."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from turnwire.cli.failures import fail
from turnwire.cli.listening import Listening
from turnwire.cli.sources import SPEECH_RATE, Source
from turnwire.client import Gap

CHUNK_MS = 100


@dataclass(frozen=True, slots=True)
class Microphone:
    number: int
    name: str
    channels: int


def microphones() -> list[Microphone]:
    """All that there are."""
    return [
        Microphone(number, str(device["name"]), int(device["max_input_channels"]))
        for number, device in enumerate(_library().query_devices())
        if device["max_input_channels"] > 0
    ]


@contextmanager
def from_microphone(device: str | None) -> Iterator[Source]:
    """What this microphone hears, until somebody stops it."""
    library = _library()
    chosen = int(device) if device is not None and device.isdecimal() else device
    try:
        library.check_input_settings(
            device=chosen, channels=1, dtype="int16", samplerate=SPEECH_RATE
        )
    except (ValueError, library.PortAudioError) as error:
        fail(f"The microphone cannot be used: {error}. `turnwire listen --devices` lists them.")
    gaps: list[Gap] = []
    yield Source(_heard(library, chosen, gaps), SPEECH_RATE, None, live=True, gaps=gaps)


async def _heard(library: Any, device: int | str | None, gaps: list[Gap]) -> AsyncIterator[bytes]:
    listening = Listening(asyncio.get_running_loop(), sample_rate=SPEECH_RATE, gaps=gaps)

    def heard(audio: Any, frames: int, time: Any, status: Any) -> None:
        listening.heard(bytes(audio), after_a_loss=bool(status.input_overflow))

    with library.RawInputStream(
        device=device,
        channels=1,
        dtype="int16",
        samplerate=SPEECH_RATE,
        blocksize=SPEECH_RATE * CHUNK_MS // 1000,
        callback=heard,
        finished_callback=listening.stopped,
    ):
        async for audio in listening.audio():
            yield audio


def _library() -> Any:
    try:
        import sounddevice
    except ModuleNotFoundError:
        fail('Microphones need sounddevice, which is not installed: pip install "turnwire[mic]"')
    except OSError:
        fail("Microphones need PortAudio: install it (on Debian and Ubuntu, libportaudio2).")
    return sounddevice
