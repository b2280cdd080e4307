"""The package `websocket-client`, with which many applications were written by hand."""

import json
from typing import Any

import pytest
import websocket

from tests.conformance.passage import CHUNKS, RATE, assert_heard
from turnwire.testing import LocalServer
from turnwire.wire.closure import Closure


class Application:
    """As the protocol's documentation writes it: callbacks, and audio once the socket is open."""

    def __init__(self, url: str, header: dict[str, str]) -> None:
        self.messages: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self._app = websocket.WebSocketApp(
            url,
            header=header,
            on_open=self._open,
            on_message=lambda _, text: self.messages.append(json.loads(text)),
            on_close=self._close,
        )

    def run(self) -> None:
        """Until the server closes."""
        self._app.run_forever()
        # A socket that the server has closed, the package leaves open.
        self._socket.shutdown()

    def _open(self, app: Any) -> None:
        self._socket = app.sock
        for chunk in CHUNKS:
            app.send(chunk, websocket.ABNF.OPCODE_BINARY)
        app.send(json.dumps({"type": "Terminate"}))

    def _close(self, _: object, code: int, reason: str) -> None:
        self.closed = (code, reason)


QUERY = f"sample_rate={RATE}&format_turns=true"


def test_the_passage_is_transcribed(server: LocalServer) -> None:
    application = Application(f"{server.url}?{QUERY}", {"Authorization": server.api_key})
    application.run()
    assert application.messages[0]["type"] == "Begin"
    finals = [turn for turn in application.messages if turn.get("turn_is_formatted")]
    assert_heard(*(turn["transcript"] for turn in finals))
    assert [turn["turn_order"] for turn in finals] == list(range(len(finals)))
    assert application.messages[-1]["type"] == "Termination"
    assert application.closed == (1000, "Session Ended")


def test_an_ending_is_an_error_and_a_close(server: LocalServer, ending: Closure) -> None:
    place = server.rehearsal(ending.row.name)
    application = Application(f"{place.url}?{QUERY}", {"Authorization": server.api_key})
    application.run()
    last = application.messages[-1]
    assert last == {"error_code": ending.code, "error": ending.text, "type": "Error"}
    assert application.closed == (ending.code, ending.reason)


@pytest.mark.parametrize("path", ["/v2/realtime/ws", "/v2/realtime/ws?sample_rate=16000"])
def test_the_retired_protocol_is_refused_at_the_handshake(server: LocalServer, path: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        websocket.create_connection(server.host + path)
    assert refusal.value.status_code == 410
