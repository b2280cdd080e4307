"""Live captions, built on the official SDK: one line for each turn, whatever happens in between."""

import threading
import time
from collections.abc import Iterator

from assemblyai.streaming.v3 import (
    StreamingClient,
    StreamingClientOptions,
    StreamingError,
    StreamingEvents,
    StreamingParameters,
)

SAMPLE_RATE = 16_000

PAUSES = {3008: 0.0, 3005: 0.1, 1006: 0.1, 3009: 0.2}
"""Seconds after which to connect again, by the code of the closure; other closures are final."""

ATTEMPTS = 5


class CaptionsError(Exception):
    """There are no captions to be had; the text says why."""


class Captions:
    def __init__(self, host: str, api_key: str) -> None:
        self._options = StreamingClientOptions(api_key=api_key, api_host=host)
        self.lines: list[str] = []
        self.interruptions: list[int] = []
        """The codes of the closures that a new session made up for."""

    def run(self, microphone: Iterator[bytes]) -> None:
        """Caption what the microphone hears until it ends. Raises `CaptionsError`."""
        for _ in range(ATTEMPTS):
            error = self._session(microphone)
            if error is None:
                return
            if error.code not in PAUSES:
                raise CaptionsError(str(error))
            self.interruptions.append(error.code)
            time.sleep(PAUSES[error.code])
        raise CaptionsError(f"interrupted {ATTEMPTS} times")

    def _session(self, microphone: Iterator[bytes]) -> StreamingError | None:
        """One session; how it failed, if it did."""
        errors: list[StreamingError] = []
        failed = threading.Event()

        def on_error(_: StreamingClient, error: StreamingError) -> None:
            errors.append(error)
            failed.set()

        client = StreamingClient(self._options)
        client.on(
            StreamingEvents.Turn,
            lambda _, turn: self.lines.append(turn.transcript) if turn.turn_is_formatted else None,
        )
        client.on(StreamingEvents.Error, on_error)
        # The SDK's types ask for a parameter that has a default.
        parameters = StreamingParameters(sample_rate=SAMPLE_RATE, format_turns=True)  # type: ignore[call-arg]
        client.connect(parameters)
        while not failed.is_set():
            chunk = next(microphone, None)
            if chunk is None:
                break
            client.stream(chunk)
        client.disconnect(terminate=True)
        return errors[0] if errors else None
