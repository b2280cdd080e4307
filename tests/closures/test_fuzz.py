"""Whatever a client sends, the session ends in a row of the table, and the server lives on."""

import asyncio
import json
import random
from collections.abc import Iterator

from tests.support import OPTIONS, TERMINATE, Conversation, Server, converse, serving
from turnwire.session.effects import Close
from turnwire.session.events import Admitted, AudioReceived, Connected, TextReceived
from turnwire.session.session import Session
from turnwire.wire.closures import CLOSURES
from turnwire.wire.messages import UpdateConfiguration

FRAMES = 100_000
LIVE_SESSIONS = 1_500

TEXTS = [
    '{"type":"Terminate"}',
    '{"type":"ForceEndpoint"}',
    '{"type":"KeepAlive"}',
    '{"type":"UpdateConfiguration","min_turn_silence":200,"keyterms_prompt":["a"],"prompt":"x"}',
    '{"min_turn_silence":null,"vad_threshold":0.5,"format_turns":true,"type":"UpdateConfiguration"}',
    "[]",
    "{}",
    '{"type":null}',
    '"\\ud800"',
    "9" * 5000,
    "[" * 5000,
    '{"a":' * 2000,
    "\x00\uffff\U0001f600",
]

VALUES: list[object] = [
    *(None, True, -1, 1e308, float("nan"), 2**70),
    *("", "x" * 2000, [], [1], ["a"] * 101, {}),
]


def text_frame(rng: random.Random) -> str:
    if rng.random() < 0.4:
        name = rng.choice([*UpdateConfiguration.model_fields, "other"])
        return json.dumps({"type": "UpdateConfiguration", name: rng.choice(VALUES)})
    characters = list(rng.choice(TEXTS))
    for _ in range(rng.randrange(4)):
        where = rng.randrange(len(characters) + 1)
        match rng.randrange(3):
            case 0:
                characters.insert(where, chr(rng.choice([0, 34, 92, 123, 0xE9, 0x1F600])))
            case 1:
                del characters[where : where + rng.randrange(9)]
            case 2:
                characters[where:where] = characters[: rng.randrange(40)]
    return "".join(characters)


def frames(rng: random.Random) -> Iterator[bytes | str]:
    while True:
        if rng.random() < 0.5:
            yield text_frame(rng)
        else:
            yield rng.randbytes(rng.choice([0, 1, 2, 63, 1600, 1601, 3200, 32_000, 32_100]))


def test_a_hundred_thousand_frames_against_the_session() -> None:
    rng = random.Random(410)
    endings = set()
    session = None
    for frame, _ in zip(frames(rng), range(FRAMES), strict=False):
        if session is None:
            session = Session("id", "echo", OPTIONS)
            session.receive(Connected([("encoding", rng.choice(["pcm_s16le", "pcm_mulaw"]))]), 0)
            session.receive(Admitted(60, 0), 0)
        event = TextReceived(frame) if isinstance(frame, str) else AudioReceived(frame)
        for effect in session.receive(event, 0):
            if isinstance(effect, Close):
                assert effect.closure.row in CLOSURES
                assert len(effect.closure.reason.encode()) <= 123
                endings.add(effect.closure.row.name)
        if session.deadline() is None or '"Terminate"' in str(frame):
            session = None
    assert endings >= {"invalid_json", "invalid_message", "invalid_parameter", "input_duration"}


async def test_frames_against_a_live_server() -> None:
    rng = random.Random(411)
    documented = {(row.code, row.kind.value) for row in CLOSURES}

    async def client(server: Server) -> Conversation:
        stream = frames(rng)
        async with server.connect() as socket:
            return await converse(socket, [*(next(stream) for _ in range(20)), TERMINATE])

    async with serving() as server:
        for _ in range(LIVE_SESSIONS // 30):
            for said in await asyncio.gather(*(client(server) for _ in range(30))):
                assert said.types[0] == "Begin"
                if said.code == 1000:
                    assert said.types[-1] == "Termination"
                else:
                    assert said.messages[-1]["error_code"] == said.code
                    assert (said.code, "error") in documented
        assert (await server.converse("", [TERMINATE])).code == 1000
