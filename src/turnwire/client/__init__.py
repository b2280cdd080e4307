"""The client: open a session, send audio, read messages, and know how it ended.

async with turnwire.client.connect("ws://localhost:8080", api_key=key) as session:
    await session.send(pcm)
    await session.terminate()
    async for message in session:
        ...
print(session.closing)
"""

from turnwire.client.closing import (
    ClientError,
    ClosedBy,
    Closing,
    ConnectionFailed,
    Refused,
    SessionClosed,
)
from turnwire.client.files import AudioFile, AudioFileError
from turnwire.client.pacing import Clock, cut, paced
from turnwire.client.session import Session, connect

__all__ = [
    "AudioFile",
    "AudioFileError",
    "ClientError",
    "Clock",
    "ClosedBy",
    "Closing",
    "ConnectionFailed",
    "Refused",
    "Session",
    "SessionClosed",
    "connect",
    "cut",
    "paced",
]
