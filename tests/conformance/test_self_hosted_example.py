"""A client that does on the wire what the example client of AssemblyAI's self-hosting stack does.

It connects to the root of a server that asks for no credentials, sends 100 ms at a time, and reads
these keys of these messages.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from websockets.sync.client import connect

from tests.conformance.passage import AUDIO, RATE, assert_heard
from tests.conformance.recorder import Recorder
from turnwire.server.composition import open_service
from turnwire.server.http import listening
from turnwire.server.port import Port
from turnwire.server.settings import load_settings
from turnwire.speech.engine import Engine


@dataclass
class Example:
    turns: list[str] = field(default_factory=list)
    session_seconds: int | None = None

    def transcribe(self, host: str, **query: str) -> None:
        query = {"sample_rate": str(RATE), "format_turns": "true", **query}
        with connect(
            f"{host}?{urlencode(query)}", additional_headers={"Authorization": "self-hosted"}
        ) as socket:
            for start in range(0, len(AUDIO), RATE // 10):
                socket.send(AUDIO[start : start + RATE // 10].tobytes())
            socket.send(json.dumps({"type": "Terminate"}))
            for frame in socket:
                self._show(json.loads(frame))

    def _show(self, message: dict[str, object]) -> None:
        match message:
            case {"type": "Begin", "id": str(), "expires_at": int()}:
                pass
            case {"type": "SpeechStarted", "timestamp": int(), "confidence": float()}:
                pass
            case {"type": "Turn", "words": list(words), "end_of_turn": bool(ended)}:
                if ended:
                    self.turns.append(" ".join(word["text"] for word in words))
            case {"type": "Termination", "session_duration_seconds": int(seconds)}:
                self.session_seconds = seconds
            case _:
                raise AssertionError(message)


@pytest.mark.parametrize(
    "query",
    [{}, {"keyterms": '["Beckett"]'}, {"speech_model": "universal-3-5-pro"}],
    ids=lambda query: next(iter(query), "plain"),
)
async def test_it_transcribes_without_credentials(
    query: dict[str, str], tiny_en: Callable[[], Engine]
) -> None:
    service = await open_service(load_settings(no_auth=True), tiny_en())
    example = Example()
    with Port.take("127.0.0.1", 0) as port:
        async with listening(service, port, intercept=Recorder) as host:
            await asyncio.to_thread(example.transcribe, host, **query)
    # With format_turns, the classic models end a turn twice; the example shows both.
    assert_heard(*(text for text in example.turns if text[0].isupper()))
    assert example.session_seconds is not None
