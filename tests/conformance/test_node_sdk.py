"""The official Node SDK, unmodified; it takes nothing but wss."""

import json
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from tests.conformance.passage import AUDIO, RATE, assert_heard
from tests.conformance.programs import program
from tests.support import PATIENCE
from turnwire.speech.engine import Engine
from turnwire.testing import Address, LocalServer, serving
from turnwire.wire.closure import Closure, Phase


@dataclass(frozen=True)
class Application:
    """An application that uses the SDK: `node/talk.mjs`."""

    folder: Path
    ca_file: Path

    def talk(self, place: Address | LocalServer, **request: Any) -> tuple[list[Any], str]:
        """What the SDK tells it, event by event, and what it says on stderr."""
        outcome = subprocess.run(
            [program("node"), "talk.mjs", json.dumps({"url": place.url, **request})],
            cwd=self.folder,
            env=os.environ | {"NODE_EXTRA_CA_CERTS": str(self.ca_file)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, outcome.stderr
        return [json.loads(line) for line in outcome.stdout.splitlines()], outcome.stderr


@pytest.fixture(scope="module")
def server(tiny_en: Callable[[], Engine]) -> Iterator[LocalServer]:
    program("node")
    with serving(tiny_en(), tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def application(server: LocalServer, node_packages: Path) -> Application:
    """The application beside its packages."""
    assert server.ca_file is not None
    return Application(node_packages, server.ca_file)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("speech") / "beckett.pcm"
    file.write_bytes(AUDIO.tobytes())
    return {"file": str(file), "sampleRate": RATE}


@pytest.fixture
def log() -> Iterator[SimpleQueue[logging.LogRecord]]:
    """What the server logs."""
    records: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = QueueHandler(records)
    logger = logging.getLogger("turnwire.server")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield records
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


@pytest.mark.parametrize("with_token", [False, True])
def test_the_passage_is_transcribed(
    server: LocalServer,
    application: Application,
    speech: dict[str, Any],
    with_token: bool,
    log: SimpleQueue[logging.LogRecord],
) -> None:
    told, warnings = application.talk(server, apiKey=server.api_key, withToken=with_token, **speech)
    assert warnings == ""
    begin, *turns, end = told
    assert (begin["event"], begin["type"]) == ("open", "Begin")
    assert {turn["event"] for turn in turns} == {"turn"}
    assert end == {"event": "terminated"}
    # The SDK tells no more; it closes by itself once it has seen Termination.
    assert log.get(timeout=PATIENCE).getMessage().startswith("session began")
    ended = log.get(timeout=PATIENCE).getMessage()
    assert ended.startswith("session ended closure=session_ended code=1000")
    assert f"session={begin['id']}" in ended

    ends = [turn for turn in turns if turn["end_of_turn"]]
    orders = range(turns[-1]["turn_order"] + 1)
    # Each turn ends twice: as it was heard, and formatted.
    assert [(turn["turn_order"], turn["turn_is_formatted"]) for turn in ends] == [
        (order, formatted) for order in orders for formatted in (False, True)
    ]
    assert_heard(*(turn["transcript"] for turn in ends[1::2]))


def test_an_ending_is_told(server: LocalServer, application: Application, ending: Closure) -> None:
    told, warnings = application.talk(
        server.rehearsal(ending.row.name), apiKey=server.api_key, sampleRate=16_000
    )
    problem = {"message": ending.text, "code": ending.code}
    if ending.row.phase is Phase.OPENING:
        assert told == [{"event": "refused", **problem}]
        assert warnings.count("retrying") == 2
    else:
        assert told[0]["event"] == "open"
        assert told[1:] == [
            {"event": "error", **problem},
            {"event": "close", "code": ending.code, "reason": ending.reason},
        ]
        assert warnings == ""
