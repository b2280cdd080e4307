"""A recording, played to a server in real time as a microphone would, and what came of it."""

import asyncio
import math
import time
from dataclasses import dataclass, field

import numpy as np
from faster_whisper.vad import get_speech_timestamps
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from benchmarks.peers.dialogue import Dialogue, Text
from benchmarks.peers.servers import Server
from turnwire.bench.clips import SPEECH_RATE

FRAME_SECONDS = 0.05
FRAME_BYTES = round(SPEECH_RATE * FRAME_SECONDS) * 2

SILENCE_SECONDS = 4.0
"""What follows each recording, so that servers that wait for silence get it."""

BEGIN_SECONDS = 30.0
END_SECONDS = 120.0
"""How long after its audio a session may end."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio of 16 kHz mono s16le, and from when to when in it somebody speaks, in seconds."""

    pcm: bytes
    starts: float
    ends: float

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / SPEECH_RATE


def recording(pcm: bytes) -> Recording | None:
    """The audio, with where its speech is as Silero hears it; None if there is none."""
    audio = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    spoken = get_speech_timestamps(audio)
    if not spoken:
        return None
    return Recording(pcm, spoken[0]["start"] / SPEECH_RATE, spoken[-1]["end"] / SPEECH_RATE)


@dataclass
class Take:
    """What happened in one session. Times are those of one clock, in seconds."""

    recording: Recording
    sent: list[float] = field(default_factory=list)
    """When each frame was."""
    heard: list[tuple[float, Text]] = field(default_factory=list)
    """When the text changed, and what it was then."""
    failed: str | None = None
    """Why it did not come to its end."""

    @property
    def text(self) -> Text:
        return self.heard[-1][1] if self.heard else Text()

    def when(self, seconds: float) -> float:
        """When all audio before this had been sent."""
        index = math.ceil(seconds / FRAME_SECONDS) - 1
        return self.sent[min(max(index, 0), len(self.sent) - 1)]


async def play(server: Server, played: Recording) -> Take:
    """Play it in a session of its own."""
    take = Take(played)
    dialogue = server.peer.dialogue()
    url = f"ws://127.0.0.1:{server.port}{server.peer.path}"
    try:
        async with connect(url, ping_interval=None, open_timeout=BEGIN_SECONDS) as socket:
            if dialogue.greeting is not None:
                await socket.send(dialogue.greeting)
            begun = asyncio.Event()
            reading = asyncio.create_task(_read(socket, dialogue, begun, take))
            try:
                async with asyncio.timeout(BEGIN_SECONDS):
                    await begun.wait()
                async with asyncio.timeout(played.seconds + SILENCE_SECONDS + END_SECONDS):
                    await _send(socket, played, take)
                    await _linger(dialogue, take)
                    await socket.send(dialogue.end)
                    await reading
            finally:
                reading.cancel()
                await asyncio.wait([reading])
    except (OSError, InvalidHandshake, ConnectionClosed) as wrong:
        # A time-out is an OSError.
        take.failed = f"{type(wrong).__name__}: {wrong}"
    return take


async def _read(
    socket: ClientConnection, dialogue: Dialogue, begun: asyncio.Event, take: Take
) -> None:
    try:
        while not dialogue.over:
            message = await socket.recv()
            at = time.monotonic()
            dialogue.receive(message if isinstance(message, str) else message.decode())
            if dialogue.begun:
                begun.set()
            text = dialogue.text
            if text != take.text:
                take.heard.append((at, text))
    except ConnectionClosed:
        # Some end a session by closing it.
        return


async def _linger(dialogue: Dialogue, take: Take) -> None:
    """Wait until the text has not changed for as long as the client is patient."""
    since = time.monotonic()
    while (left := since + dialogue.patience - time.monotonic()) > 0:
        await asyncio.sleep(left)
        since = max([since, *(at for at, _ in take.heard[-1:])])


async def _send(socket: ClientConnection, played: Recording, take: Take) -> None:
    audio = played.pcm + bytes(round(SPEECH_RATE * SILENCE_SECONDS) * 2)
    due = time.monotonic()
    for start in range(0, len(audio), FRAME_BYTES):
        due += FRAME_SECONDS
        await asyncio.sleep(max(due - time.monotonic(), 0))
        await socket.send(audio[start : start + FRAME_BYTES])
        take.sent.append(time.monotonic())
