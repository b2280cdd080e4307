"""The client: audio in, turns out, and the whole story of how it ended.

async with AsyncClient("ws://localhost:8080", api_key=key, on_turn=show) as client:
    await client.stream_file("talk.wav")
print(client.closure)
"""

from turnwire.client import errors
from turnwire.client.async_client import AsyncClient, SessionRecord
from turnwire.client.client import Client
from turnwire.client.closures import ClosedBy, Closure
from turnwire.client.errors import ClientError, LocalError, SessionClosed
from turnwire.client.files import AudioFile, AudioFileError
from turnwire.client.pacing import Clock, cut, paced
from turnwire.client.reconnect import Reconnect

__all__ = [
    "AsyncClient",
    "AudioFile",
    "AudioFileError",
    "Client",
    "ClientError",
    "Clock",
    "ClosedBy",
    "Closure",
    "LocalError",
    "Reconnect",
    "SessionClosed",
    "SessionRecord",
    "cut",
    "errors",
    "paced",
]
