"""What an application of the official Python SDK has, be its client of threads or of asyncio."""

import threading
from dataclasses import dataclass, field
from typing import Any

from assemblyai.streaming.v3 import (
    AsyncStreamingClient,
    BeginEvent,
    SpeechModel,
    SpeechStartedEvent,
    StreamingClient,
    StreamingError,
    StreamingEvents,
    StreamingParameters,
    TerminationEvent,
    TurnEvent,
)

from tests.conformance.passage import RATE
from tests.support import PATIENCE

ENGLISH = SpeechModel.universal_streaming_english
UNIVERSAL_3 = SpeechModel.universal_3_6_pro

PATIENT: dict[str, Any] = {"connect_timeout": PATIENCE, "terminate_timeout": PATIENCE}
"""Options of an application that takes its time, as a machine may that runs tests."""


@dataclass
class Story:
    """What the SDK told its application."""

    begins: list[BeginEvent] = field(default_factory=list)
    starts: list[SpeechStartedEvent] = field(default_factory=list)
    turns: list[TurnEvent] = field(default_factory=list)
    terminations: list[TerminationEvent] = field(default_factory=list)
    errors: list[StreamingError] = field(default_factory=list)
    failed: threading.Event = field(default_factory=threading.Event)

    def listen(self, client: StreamingClient | AsyncStreamingClient) -> None:
        client.on(StreamingEvents.Begin, lambda _, event: self.begins.append(event))
        client.on(StreamingEvents.SpeechStarted, lambda _, event: self.starts.append(event))
        client.on(StreamingEvents.Turn, lambda _, event: self.turns.append(event))
        client.on(StreamingEvents.Termination, lambda _, event: self.terminations.append(event))
        client.on(StreamingEvents.Error, lambda _, error: self._fail(error))

    def _fail(self, error: StreamingError) -> None:
        self.errors.append(error)
        self.failed.set()

    @property
    def finals(self) -> list[TurnEvent]:
        return [turn for turn in self.turns if turn.end_of_turn and turn.turn_is_formatted]

    @property
    def told(self) -> list[tuple[int | None, str]]:
        """The errors, by code and text."""
        return [(error.code, str(error)) for error in self.errors]


def parameters(**changes: Any) -> StreamingParameters:
    wanted = {"sample_rate": RATE, "speech_model": ENGLISH, "format_turns": True, **changes}
    return StreamingParameters(**wanted)
