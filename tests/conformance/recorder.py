"""Every message that a server sends, kept; and whether every client understands it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs

import aiohttp
from assemblyai.streaming.v3 import StreamingClient
from livekit.plugins.assemblyai import STT as LiveKit  # noqa: N811
from pipecat.services.assemblyai.stt import AssemblyAISTTService

from tests.conformance.passage import NEARLY_ALL_MS
from tests.support import PATIENCE
from turnwire.rehearsal.interceptor import Rehearsal
from turnwire.transport.request import Request, Response
from turnwire.transport.socket import Opening, Receiver, Socket

ASKED_FOR_BY = {
    "Warning": "session_warnings",
    "Heartbeat": "session_heartbeat",
    "Silence": "acknowledge_silence",
    "SpeakerRevision": "speaker_labels",
    "LLMGatewayResponse": "llm_gateway",
    "Progress": "recording",
}
"""Messages that only clients get which asked for them: not all that there are know them."""

NO_OTHERS = {"Progress"}
"""Messages of this server alone, which the vendor's SDK passes over."""


@dataclass(frozen=True)
class Sent:
    """A text message of a server."""

    text: str
    query: dict[str, list[str]]
    """What the session had been opened with."""

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.text)
        return content


class Recorder(Rehearsal):
    """The outermost layer of a server, with an ear on its sockets."""

    sent: ClassVar[list[Sent]] = []

    def upgrade(self, request: Request) -> Opening | Response:
        opening = super().upgrade(request)
        query = parse_qs(request.target.partition("?")[2])

        def overheard(socket: Socket) -> Receiver:
            assert callable(opening)
            send = socket.send

            def record(message: str | bytes) -> None:
                self.sent.append(Sent(str(message), query))
                send(message)

            socket.send = record  # type: ignore[method-assign]
            return opening(socket)

        return opening if isinstance(opening, Response) else overheard


async def nearly_all_is_heard() -> None:
    """Wait until a server has told all of the passage but its last words.

    Clients that have said that they are done may give a server five seconds. That is enough for
    some words on any machine, and too little on a slow one for a passage that was sent at once.
    """
    async with asyncio.timeout(PATIENCE):
        while not any(_is_nearly_all(message.content) for message in list(Recorder.sent)):
            await asyncio.sleep(0.01)


def _is_nearly_all(message: dict[str, Any]) -> bool:
    return any(word["end"] > NEARLY_ALL_MS for word in message.get("words", ()))


async def assert_understood(messages: Sequence[Sent]) -> None:
    """That all clients parse these messages, and got none that they do not know unasked."""
    pipecat = AssemblyAISTTService(api_key="any")
    async with aiohttp.ClientSession() as http:
        stt = LiveKit(api_key="any", base_url="ws://127.0.0.1:0", http_session=http)
        # Nothing is awaited within: the stream has no time to connect.
        async with stt.stream() as livekit:
            for message in messages:
                content = message.content
                kind = content["type"]
                if kind in ASKED_FOR_BY:
                    assert ASKED_FOR_BY[kind] in message.query, message
                # What is not known is left out: LiveKit drops a Turn with a null in it.
                assert None not in content.values(), message
                # Node's SDK takes whatever has this key for an error.
                assert ("error" in content) == (kind == "Error"), message
                event = StreamingClient._parse_message(content)
                assert (event is None) == (kind in NO_OTHERS), message
                assert event is None or event.type == kind
                livekit._process_stream_event(content)
                if kind != "Error" and kind not in ASKED_FOR_BY:
                    assert pipecat._parse_message(content).type == kind
