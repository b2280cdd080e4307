"""The client: audio in, turns out, and the whole story of how it ended.

async with AsyncClient("ws://localhost:8080", api_key=key, on_turn=show) as client:
    await client.stream_file("talk.wav")
print(client.closure)
"""

from typing import TYPE_CHECKING, Any

from turnwire.client import errors
from turnwire.client.async_client import AsyncClient
from turnwire.client.client import Client
from turnwire.client.closures import ClosedBy, Closure, Gap
from turnwire.client.errors import AudioFileError, ClientError, LocalError, SessionClosed
from turnwire.client.messages import (
    Begin,
    Error,
    Heartbeat,
    LLMGatewayResponse,
    Progress,
    ServerMessage,
    Silence,
    SpeakerRevision,
    SpeechStarted,
    Termination,
    Turn,
    Warning,
    Word,
)
from turnwire.client.pacing import cut, paced
from turnwire.client.parameters import LiveParameters, Parameters
from turnwire.client.reconnect import Reconnect
from turnwire.client.stream import SessionRecord
from turnwire.clock import Clock

if TYPE_CHECKING:
    from turnwire.client.files import AudioFile

__all__ = [
    "AsyncClient",
    "AudioFile",
    "AudioFileError",
    "Begin",
    "Client",
    "ClientError",
    "Clock",
    "ClosedBy",
    "Closure",
    "Error",
    "Gap",
    "Heartbeat",
    "LLMGatewayResponse",
    "LiveParameters",
    "LocalError",
    "Parameters",
    "Progress",
    "Reconnect",
    "ServerMessage",
    "SessionClosed",
    "SessionRecord",
    "Silence",
    "SpeakerRevision",
    "SpeechStarted",
    "Termination",
    "Turn",
    "Warning",
    "Word",
    "cut",
    "errors",
    "paced",
]


def __getattr__(name: str) -> Any:
    # Reading files takes libraries that a program without files need not load.
    if name == "AudioFile":
        from turnwire.client.files import AudioFile

        return AudioFile
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
