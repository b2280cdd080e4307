"""What servers say, as this client reads it: leniently.

A server may be newer, or another one. What it leaves out, sets to null, writes as a float or adds
costs nothing but itself: a word without a confidence is still a word, a turn with one word that
cannot be read keeps the others. Only what is no JSON object of a known `type` is passed over.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from turnwire.writing import spacing, text_of

UNKNOWN_ORDER = -1
"""A turn that does not say which it is: taken for the one that is open, or the next."""

_LARGEST = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """The session is open."""

    type: ClassVar[str] = "Begin"

    id: str = ""
    expires_at: int = 0
    """Unix seconds at which the session ends with 3008; 0 if the server does not say."""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    """What the session was opened with, as far as the server echoes it."""
    recording_window_ms: int = 0
    """How far ahead of what was heard of a `recording` audio may be sent, however fast; 0: this
    server takes it at the pace of speech."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """A voice set in `timestamp` ms after the start of the audio."""

    type: ClassVar[str] = "SpeechStarted"

    timestamp: int = 0
    confidence: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word; times in ms from the start of the audio."""

    text: str
    start: int
    end: int
    confidence: float = 0.0
    word_is_final: bool = False
    speaker: str | None = None
    speaker_confidence: float | None = None
    joined: bool = False
    """Whether it follows the word before without a space, as in Japanese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn as it stands; `turn_order` tells which."""

    type: ClassVar[str] = "Turn"

    turn_order: int
    turn_is_formatted: bool = False
    end_of_turn: bool = False
    transcript: str = ""
    """The final words of the turn so far, joined."""
    end_of_turn_confidence: float = 0.0
    words: tuple[Word, ...] = ()
    utterance: str = ""
    """The utterance that a pause has just ended, cased and punctuated; else empty."""
    language_code: str | None = None
    language_confidence: float | None = None
    speaker_label: str | None = None
    speaker_confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """The session's figures, in seconds; None where the server does not say. Last message."""

    type: ClassVar[str] = "Termination"

    audio_duration_seconds: float | None = None
    session_duration_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """Why the session is being closed, in full."""

    type: ClassVar[str] = "Error"

    error_code: int | None = None
    """None: the close that follows has it."""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:
    """Something that does not end the session."""

    type: ClassVar[str] = "Warning"

    warning_code: int | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Progress every five seconds, for clients that set `session_heartbeat`."""

    type: ClassVar[str] = "Heartbeat"

    total_audio_received_ms: int = 0
    total_duration_ms: int = 0
    realtime_factor: float = 0.0
    max_speech_probability: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How much of a `recording` was heard, in ms."""

    type: ClassVar[str] = "Progress"

    audio_heard_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Audio without speech, for clients that set `acknowledge_silence`."""

    type: ClassVar[str] = "Silence"

    start_ms: int = 0
    end_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A turn whose speaker labels changed."""

    turn_order: int
    speaker_label: str | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerRevision:
    """Turns whose speaker labels changed since the last such message."""

    type: ClassVar[str] = "SpeakerRevision"

    revisions: tuple[Revision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMGatewayResponse:
    """A language model's answer to a turn, for clients that set `llm_gateway`."""

    type: ClassVar[str] = "LLMGatewayResponse"

    turn_order: int
    transcript: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


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


def parse(frame: str | bytes) -> ServerMessage | None:
    """The message in a frame; None for what this client does not know."""
    if isinstance(frame, bytes):
        return None
    try:
        content = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    name = content.get("type")
    if name is None and "error" in content:
        name = Error.type
    read = _READERS.get(name) if isinstance(name, str) else None
    return None if read is None else read(content)


# Each of these gives what it was asked for, or None.


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and abs(value) <= _LARGEST else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(value: object, *, final: bool = False, transcript: str = "") -> tuple[Word, ...]:
    listed = [_mapping(each) for each in value] if isinstance(value, list) else []
    listed = [each for each in listed if _text(each.get("text")) is not None]
    texts = [each["text"] for each in listed]
    words: list[Word] = []
    for fields, text, joined in zip(listed, texts, spacing(texts, transcript), strict=True):
        start = _whole(fields.get("start"))
        if start is None:
            start = words[-1].end if words else 0
        end = _whole(fields.get("end"))
        word_is_final = fields.get("word_is_final")
        words.append(
            Word(
                text=text,
                start=start,
                end=start if end is None else max(start, end),
                confidence=_number(fields.get("confidence")) or 0.0,
                word_is_final=word_is_final if isinstance(word_is_final, bool) else final,
                speaker=_text(fields.get("speaker")),
                speaker_confidence=_number(fields.get("speaker_confidence")),
                joined=joined,
            )
        )
    return tuple(words)


def _order(fields: Mapping[str, Any]) -> int:
    order = _whole(fields.get("turn_order"))
    return UNKNOWN_ORDER if order is None or order < 0 else order


def _begin(fields: Mapping[str, Any]) -> Begin:
    return Begin(
        id=_text(fields.get("id")) or "",
        expires_at=_whole(fields.get("expires_at")) or 0,
        configuration=_mapping(fields.get("configuration")),
        recording_window_ms=max(_whole(fields.get("recording_window_ms")) or 0, 0),
    )


def _speech_started(fields: Mapping[str, Any]) -> SpeechStarted:
    return SpeechStarted(
        timestamp=_whole(fields.get("timestamp")) or 0,
        confidence=_number(fields.get("confidence")) or 0.0,
    )


def _turn(fields: Mapping[str, Any]) -> Turn:
    ended = fields.get("end_of_turn") is True
    transcript = _text(fields.get("transcript"))
    words = _words(fields.get("words"), final=ended, transcript=transcript or "")
    if transcript is None:
        transcript = text_of((word.text, word.joined) for word in words if word.word_is_final)
    return Turn(
        turn_order=_order(fields),
        turn_is_formatted=fields.get("turn_is_formatted") is True,
        end_of_turn=ended,
        transcript=transcript,
        end_of_turn_confidence=_number(fields.get("end_of_turn_confidence")) or 0.0,
        words=words,
        utterance=_text(fields.get("utterance")) or "",
        language_code=_text(fields.get("language_code")),
        language_confidence=_number(fields.get("language_confidence")),
        speaker_label=_text(fields.get("speaker_label")),
        speaker_confidence=_number(fields.get("speaker_confidence")),
    )


def _termination(fields: Mapping[str, Any]) -> Termination:
    return Termination(
        audio_duration_seconds=_number(fields.get("audio_duration_seconds")),
        session_duration_seconds=_number(fields.get("session_duration_seconds")),
    )


def _error(fields: Mapping[str, Any]) -> Error:
    return Error(
        error_code=_whole(fields.get("error_code")), error=_text(fields.get("error")) or ""
    )


def _warning(fields: Mapping[str, Any]) -> Warning:
    return Warning(
        warning_code=_whole(fields.get("warning_code")), warning=_text(fields.get("warning")) or ""
    )


def _heartbeat(fields: Mapping[str, Any]) -> Heartbeat:
    return Heartbeat(
        total_audio_received_ms=_whole(fields.get("total_audio_received_ms")) or 0,
        total_duration_ms=_whole(fields.get("total_duration_ms")) or 0,
        realtime_factor=_number(fields.get("realtime_factor")) or 0.0,
        max_speech_probability=_number(fields.get("max_speech_probability")) or 0.0,
    )


def _progress(fields: Mapping[str, Any]) -> Progress:
    return Progress(audio_heard_ms=max(_whole(fields.get("audio_heard_ms")) or 0, 0))


def _silence(fields: Mapping[str, Any]) -> Silence:
    start = _whole(fields.get("start_ms")) or 0
    return Silence(start_ms=start, end_ms=max(start, _whole(fields.get("end_ms")) or 0))


def _speaker_revision(fields: Mapping[str, Any]) -> SpeakerRevision:
    listed = fields.get("revisions")
    revisions = [_mapping(each) for each in listed] if isinstance(listed, list) else []
    return SpeakerRevision(
        revisions=tuple(
            Revision(
                turn_order=_order(each),
                speaker_label=_text(each.get("speaker_label")),
                words=_words(each.get("words"), final=True),
            )
            for each in revisions
            if _order(each) != UNKNOWN_ORDER
        )
    )


def _gateway(fields: Mapping[str, Any]) -> LLMGatewayResponse:
    return LLMGatewayResponse(
        turn_order=_order(fields),
        transcript=_text(fields.get("transcript")) or "",
        data=_mapping(fields.get("data")),
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], ServerMessage]] = {
    Begin.type: _begin,
    SpeechStarted.type: _speech_started,
    Turn.type: _turn,
    Termination.type: _termination,
    Error.type: _error,
    Warning.type: _warning,
    Heartbeat.type: _heartbeat,
    Progress.type: _progress,
    Silence.type: _silence,
    SpeakerRevision.type: _speaker_revision,
    LLMGatewayResponse.type: _gateway,
}
