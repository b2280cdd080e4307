"""Every message of the protocol, one class each (protocol facts: docs/protocol.md).

Messages are JSON text frames; audio is binary and no message. What the server sends keeps three
rules that real clients depend on: times and durations are integers, an optional key is left out
rather than null, and no message but `Error` has a key named `error`.
"""

import json
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from turnwire.wire.closure import Closure, Violation
from turnwire.wire.closures import (
    INVALID_JSON,
    INVALID_MESSAGE,
    INVALID_MESSAGE_TYPE,
    INVALID_PARAMETER,
)
from turnwire.wire.formats import is_base64, wraps_base64
from turnwire.wire.parameters import LiveParameters, describe

API_VERSION = "2025-05-12"
"""The version of the protocol that these messages are of."""


class Message(BaseModel):
    """A message in either direction. Unknown keys are ignored, as newer peers may send them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str

    def to_json(self) -> str:
        return self.model_dump_json()


# --- client to server ---------------------------------------------------------------------------


class Terminate(Message):
    """Ends the session: the last turn, Termination and close 1000 follow."""

    type: Literal["Terminate"] = "Terminate"


class ForceEndpoint(Message):
    """Ends the current turn where the audio sent so far ends."""

    type: Literal["ForceEndpoint"] = "ForceEndpoint"


class KeepAlive(Message):
    """Resets the inactivity timer; not answered."""

    type: Literal["KeepAlive"] = "KeepAlive"


class UpdateConfiguration(LiveParameters, Message):
    """Changes parameters from here on; what is absent or null stays. Not answered."""

    # Names beyond these are kept: some are parameters that only a connection has.
    model_config = ConfigDict(frozen=True, extra="allow")

    type: Literal["UpdateConfiguration"] = "UpdateConfiguration"

    def to_json(self) -> str:
        return self.model_dump_json(exclude_none=True)


ClientMessage = Terminate | ForceEndpoint | KeepAlive | UpdateConfiguration

_CLIENT_MESSAGES: dict[str, type[ClientMessage]] = {
    message.model_fields["type"].default: message for message in get_args(ClientMessage)
}


_AUDIO_IN_TEXT = "base64 in a text message; audio belongs in binary messages, as it is"
_AUDIO_IN_JSON = "base64 within JSON; audio belongs in binary messages, as it is"
_JSON_IN_BINARY = "JSON in a binary message, where audio belongs; send it as text: "


def check_binary(data: bytes) -> None:
    """Raises `Violation` for a binary message that is a JSON object, and so no audio."""
    if data.lstrip()[:1] != b"{":
        return
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict):
        text = data.decode(errors="replace")
        raise Violation(INVALID_MESSAGE.fill(message=_JSON_IN_BINARY + text))


def parse_client_message(text: str) -> ClientMessage:
    """The message in a text frame from a client; raises `Violation` for what is none."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        if is_base64(text):
            raise Violation(INVALID_MESSAGE.fill(message=_AUDIO_IN_TEXT)) from None
        raise Violation(INVALID_JSON.fill(json=text)) from None
    kind = content.get("type") if isinstance(content, dict) else None
    message = _CLIENT_MESSAGES.get(kind) if isinstance(kind, str) else None
    if message is None:
        if wraps_base64(content):
            raise Violation(INVALID_MESSAGE.fill(message=_AUDIO_IN_JSON))
        if isinstance(kind, str):
            raise Violation(INVALID_MESSAGE_TYPE.fill(message=kind))
        raise Violation(INVALID_MESSAGE.fill(message=text))
    try:
        return message.model_validate(content)
    except ValidationError as error:
        raise Violation(INVALID_PARAMETER.fill(**describe(error))) from None


# --- server to client ---------------------------------------------------------------------------

Optional = Field(default=None, exclude_if=lambda value: value is None)
"""An optional key: absent when there is nothing to say, never null."""


class Configuration(BaseModel):
    """What the session was opened with, as far as the protocol echoes it. Null means unset here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    mode: str | None = None
    api_version: str
    speaker_labels: bool = False
    redact_pii: bool = False
    filter_profanity: bool = False
    domain: str | None = None
    voice_focus: str | None = None


class Begin(Message):
    """The session is open. First message of every session that opens."""

    id: str
    expires_at: int
    """Unix seconds at which the session ends with 3008."""
    configuration: Annotated[Configuration | None, Optional] = None
    recording_window_ms: Annotated[int | None, Optional] = None
    """How far ahead of what was heard a client of a `recording` should send, however fast."""
    type: Literal["Begin"] = "Begin"


class SpeechStarted(Message):
    """A voice set in `timestamp` ms after the start of the audio."""

    timestamp: int
    confidence: float
    type: Literal["SpeechStarted"] = "SpeechStarted"


class Word(BaseModel):
    """One word; times in ms from the start of the session's audio."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: int
    end: int
    text: str
    confidence: float
    word_is_final: bool
    speaker: Annotated[str | None, Optional] = None
    speaker_confidence: Annotated[float | None, Optional] = None


class Turn(Message):
    """A turn as it stands; `turn_order` tells which."""

    turn_order: int
    turn_is_formatted: bool
    end_of_turn: bool
    transcript: str
    """The final words of the turn so far, joined."""
    end_of_turn_confidence: float
    words: tuple[Word, ...]
    utterance: str = ""
    """The utterance that a pause has just ended, cased and punctuated; else empty."""
    language_code: Annotated[str | None, Optional] = None
    language_confidence: Annotated[float | None, Optional] = None
    speaker_label: Annotated[str | None, Optional] = None
    speaker_confidence: Annotated[float | None, Optional] = None
    type: Literal["Turn"] = "Turn"


class Termination(Message):
    """The session's figures, in whole seconds. Last message before close 1000."""

    audio_duration_seconds: int
    session_duration_seconds: int
    type: Literal["Termination"] = "Termination"


class Error(Message):
    """Why the session is being closed, in full; the close follows with `error_code`."""

    error_code: int
    error: str
    type: Literal["Error"] = "Error"

    @classmethod
    def of(cls, closure: Closure) -> "Error":
        return cls(error_code=closure.code, error=closure.text)


class Warning(Message):
    """Something that does not end the session. Only for clients that asked."""

    warning_code: int
    warning: str
    type: Literal["Warning"] = "Warning"


class Heartbeat(Message):
    """Progress every five seconds, for clients that set `session_heartbeat`."""

    total_audio_received_ms: int
    total_duration_ms: int
    realtime_factor: float
    max_speech_probability: float = 0.0
    type: Literal["Heartbeat"] = "Heartbeat"


class Progress(Message):
    """How much of a `recording` the engine has taken, which is ahead of what it has turns of; about
    every five seconds of it."""

    audio_heard_ms: int
    type: Literal["Progress"] = "Progress"


class Silence(Message):
    """Audio without speech, for clients that set `acknowledge_silence`."""

    start_ms: int
    end_ms: int
    type: Literal["Silence"] = "Silence"


class Revision(BaseModel):
    """A turn whose speaker labels changed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    turn_order: int
    speaker_label: str | None = None
    words: tuple[Word, ...]


class SpeakerRevision(Message):
    """Turns whose speaker labels changed since the last such message."""

    revisions: tuple[Revision, ...]
    type: Literal["SpeakerRevision"] = "SpeakerRevision"


class LLMGatewayResponse(Message):
    """A language model's answer to a turn, for clients that set `llm_gateway`."""

    turn_order: int
    transcript: str
    data: dict[str, Any]
    type: Literal["LLMGatewayResponse"] = "LLMGatewayResponse"


ServerMessage = (
    Begin
    | SpeechStarted
    | Turn
    | Termination
    | Error
    | Warning
    | Heartbeat
    | Progress
    | Silence
    | SpeakerRevision
    | LLMGatewayResponse
)

_server_message: TypeAdapter[ServerMessage] = TypeAdapter(
    Annotated[ServerMessage, Field(discriminator="type")]
)


def parse_server_message(text: str) -> ServerMessage:
    """The message in a text frame from a server; raises `pydantic.ValidationError` for others."""
    return _server_message.validate_json(text)
