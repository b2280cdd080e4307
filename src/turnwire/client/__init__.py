"""The client: open a session, send audio, read messages, and know how it ended.

async with turnwire.client.connect("ws://localhost:8080", api_key=key) as session:
    await session.send(pcm)
    await session.terminate()
    async for message in session:
        ...
print(session.closure)
"""

from turnwire.client import errors
from turnwire.client.closure import ClosedBy, Closure
from turnwire.client.errors import ClientError, LocalError, SessionClosed
from turnwire.client.files import AudioFile, AudioFileError
from turnwire.client.pacing import Clock, cut, paced
from turnwire.client.session import Session, connect

__all__ = [
    "AudioFile",
    "AudioFileError",
    "ClientError",
    "Clock",
    "ClosedBy",
    "Closure",
    "LocalError",
    "Session",
    "SessionClosed",
    "connect",
    "cut",
    "errors",
    "paced",
]
