"""A server that drains, as a process of its own: SIGTERM, `turnwire drain`, a second signal."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.environments.serving import TURNWIRE, Serving, serving
from tests.server.processes import children
from tests.support import loud


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path, "--drain-seconds=3600") as server:
        yield server


@contextmanager
def session(server: Serving) -> Iterator[ClientConnection]:
    key = {"Authorization": server.key}
    with connect(f"{server.url}/v3/ws", additional_headers=key, proxy=None) as socket:
        assert json.loads(socket.recv(30))["type"] == "Begin"
        yield socket


def status(server: Serving, path: str) -> int:
    try:
        with urllib.request.urlopen(server.http + path) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def until_draining(server: Serving) -> None:
    deadline = time.monotonic() + 30
    while status(server, "/ready") != 503:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def rest(socket: ClientConnection) -> list[dict[str, object]]:
    messages = []
    try:
        while True:
            messages.append(json.loads(socket.recv(30)))
    except ConnectionClosed:
        return messages


def test_open_sessions_go_on_and_new_ones_go_elsewhere(server: Serving, tmp_path: Path) -> None:
    assert (status(server, "/ready"), status(server, "/live")) == (200, 200)
    # Without --workers, one process is all of it.
    assert children(server.process.pid) == []
    with session(server) as socket:
        port = server.url.rpartition(":")[2]
        command = [*TURNWIRE, "drain", f"--data-dir={tmp_path}", f"--port={port}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert said == (
            f"The server, process {server.process.pid}, takes no new sessions and ends with its "
            "open ones.\n"
        )
        until_draining(server)
        assert status(server, "/live") == 200
        with pytest.raises(InvalidStatus) as refused, session(server):
            pass
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "5"
        socket.send(loud(500))
        socket.send(json.dumps({"type": "Terminate"}))
        assert rest(socket)[-1]["type"] == "Termination"
        assert socket.close_code == 1000
    assert server.process.wait(30) == 0
    assert list(tmp_path.glob("*.pid")) == []
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (
        1,
        f"No server runs at port {port} with its data in {tmp_path}.\n",
    )


def test_a_second_signal_hurries(server: Serving) -> None:
    with session(server) as socket:
        server.process.send_signal(signal.SIGTERM)
        until_draining(server)
        socket.send(loud(500))
        assert json.loads(socket.recv(30))["type"] == "Turn"  # a partial one
        server.process.send_signal(signal.SIGTERM)
        messages = rest(socket)
        assert [message["type"] for message in messages[-2:]] == ["Turn", "Error"]
        assert messages[-2]["transcript"] == "one two"
        assert socket.close_code == 3005
    assert server.process.wait(30) == 0


def test_a_full_server_and_one_without_its_accounts_are_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path, "--max-sessions=1") as server:
        with session(server):
            assert status(server, "/ready") == 503
        deadline = time.monotonic() + 30
        while status(server, "/ready") != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        file, aside = tmp_path / "turnwire.db", tmp_path / "aside"
        file.rename(aside)
        with pytest.raises(AssertionError), session(server):
            pass
        assert status(server, "/ready") == 503
        aside.rename(file)
        while status(server, "/ready") != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with session(server):
            pass
        assert server.stop() == 0
