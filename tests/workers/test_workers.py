"""`turnwire serve --workers 2`: real processes, which are killed, drained, and asked."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.environments.serving import TURNWIRE, Serving, serving
from tests.server.processes import about, alive, children
from tests.support import loud

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="two workers need two processors",
)


@contextmanager
def two(data_dir: Path, *options: str) -> Iterator[Serving]:
    """A server of two workers, whose log goes to a file in its folder."""
    with (data_dir / "log").open("w") as log:
        with serving(data_dir, "--workers=2", *options, stderr=log) as server:
            workers = pids(server).values()
            yield server
            if server.process.poll() is None:
                assert server.stop() == 0
        assert not any(map(alive, workers))


def pids(server: Serving) -> dict[int, int]:
    """The processes of the workers, by their numbers."""
    workers = children(server.process.pid, "turnwire.cli.worker")
    numbers = [int(about(each, "cmdline").split("\0")[4]) for each in workers]
    return dict(zip(numbers, workers, strict=True))


def hurry(server: Serving) -> None:
    """Stop the server without waiting for open sessions."""
    server.process.send_signal(signal.SIGTERM)
    until(lambda: get(server, "/ready")[0] == 503)
    server.process.send_signal(signal.SIGTERM)


def log_of(server_dir: Path) -> str:
    return (server_dir / "log").read_text()


def get(server: Serving, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(server.http + path, timeout=60) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def health(server: Serving) -> dict[str, Any]:
    return dict(json.loads(get(server, "/health")[1]))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def opened(server: Serving, key: str) -> ClientConnection:
    return connect(
        f"{server.url}/v3/ws",
        additional_headers={"Authorization": key},
        proxy=None,
        open_timeout=60,
    )


def first(socket: ClientConnection) -> str:
    """Begin, or the code of the Error that came instead."""
    message = json.loads(socket.recv(60))
    return str(message["type"] if message["type"] == "Begin" else message["error_code"])


def code_of(socket: ClientConnection) -> int | None:
    try:
        while True:
            socket.recv(60)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def test_they_are_one_server_to_those_who_connect(tmp_path: Path) -> None:
    with two(tmp_path, "--max-sessions=5", "--drain-seconds=3600") as server, ExitStack() as stack:
        [key, ready, most] = server.said[0], server.said[1], next(iter(server.process.stdout or ()))
        assert ready == f"Turnwire is ready at {server.url}/v3/ws with model echo, in 2 processes."
        assert most == "It takes up to 5 sessions at once.\n"
        assert key == f"Your API key is in {tmp_path}/first-key, which only you can read."

        # Connections that ask for nothing take nobody's place.
        host, port = server.url.removeprefix("ws://").split(":")
        for _ in range(6):
            stack.enter_context(socket.create_connection((host, int(port))))

        sessions = [stack.enter_context(opened(server, server.key)) for _ in range(5)]
        assert [first(each) for each in sessions] == ["Begin"] * 5
        until(lambda: health(server)["sessions"] == 5)
        said = health(server)
        assert said["max_sessions"] == 5
        assert sorted(each["sessions"] for each in said["workers"]) == [2, 3]
        assert get(server, "/ready")[0] == 503
        with opened(server, server.key) as refused:
            assert first(refused) == "1013"

        metrics = get(server, "/metrics")[1]
        told = re.findall(r'^turnwire_sessions\{state="open",worker="(\d)"\} (\S+)$', metrics, re.M)
        assert sorted((int(number), float(count)) for number, count in told) == [
            (each["worker"], each["sessions"]) for each in said["workers"]
        ]
        assert metrics.count("# TYPE turnwire_sessions gauge") == 1
        assert "\nturnwire_workers_answering 2.0\n" in metrics

        nodes = subprocess.run(
            [*TURNWIRE, "sessions", "list", "--json", f"--data-dir={tmp_path}"],
            capture_output=True,
            check=True,
        )
        names = [each["node"] for each in json.loads(nodes.stdout)]
        assert {name.rpartition("#")[2] for name in names} == {"1", "2"}

        # A place that becomes free, at whichever worker, is found.
        sessions[0].send(json.dumps({"type": "Terminate"}))
        assert code_of(sessions[0]) == 1000
        until(lambda: get(server, "/ready")[0] == 200)
        with opened(server, server.key) as another:
            assert first(another) == "Begin"
        hurry(server)
        assert [code_of(each) for each in sessions[1:]] == [3005] * 4
        assert server.process.wait(60) == 0


def test_an_accounts_limit_is_exact_over_all(tmp_path: Path) -> None:
    with two(tmp_path, "--drain-seconds=0") as server, ExitStack() as stack:
        command = ["accounts", "update", "default", "--max-sessions=3", f"--data-dir={tmp_path}"]
        subprocess.run([*TURNWIRE, *command], check=True, capture_output=True)
        key = server.key
        sockets = [stack.enter_context(opened(server, key)) for _ in range(12)]
        assert sorted(first(each) for each in sockets) == ["3009"] * 9 + ["Begin"] * 3


def test_a_worker_that_is_killed_takes_its_sessions_and_comes_back(tmp_path: Path) -> None:
    with two(tmp_path, "--drain-seconds=3600") as server, ExitStack() as stack:
        key = server.key
        # The first goes to worker 1, the next to worker 2, and so on.
        sockets = [stack.enter_context(opened(server, key)) for _ in range(4)]
        assert [first(each) for each in sockets] == ["Begin"] * 4
        before = pids(server)
        os.kill(before[1], signal.SIGKILL)
        assert [code_of(each) for each in (sockets[0], sockets[2])] == [None, None]
        for left in (sockets[1], sockets[3]):
            left.send(loud(500))
            left.send(json.dumps({"type": "Terminate"}))
            assert code_of(left) == 1000

        until(lambda: len(health(server)["workers"]) == 2)
        after = pids(server)
        assert after[2] == before[2]
        assert after[1] != before[1]
        assert "\nturnwire_worker_deaths_total 1.0\n" in get(server, "/metrics")[1]
        assert (
            f"ERROR Worker 1, process {before[1]}, ended by SIGKILL. Its sessions are lost (2); "
            "it is started again in 0 s.\n"
        ) in log_of(tmp_path)
        # Some more, as one that still counts a connection that asked for /health comes later.
        again = [stack.enter_context(opened(server, key)) for _ in range(4)]
        assert [first(each) for each in again] == ["Begin"] * 4
        until(lambda: health(server)["sessions"] == 4)
        assert all(each["sessions"] for each in health(server)["workers"])
        assert re.search(r" worker 1 INFO session began session=", log_of(tmp_path))
        hurry(server)
        assert [code_of(each) for each in again] == [3005] * 4
        assert server.process.wait(60) == 0
        # The key was made once, and nobody was told of another.
        assert server.process.stdout is not None
        assert "API key" not in log_of(tmp_path) + server.process.stdout.read()


def test_a_signal_drains_all_and_ends_when_the_last_session_has(tmp_path: Path) -> None:
    with two(tmp_path, "--drain-seconds=3600") as server, ExitStack() as stack:
        one, other = (stack.enter_context(opened(server, server.key)) for _ in range(2))
        assert [first(one), first(other)] == ["Begin"] * 2
        # As a service manager does it, which signals every process that it knows of.
        for process in (*pids(server).values(), server.process.pid):
            os.kill(process, signal.SIGTERM)
        until(lambda: get(server, "/ready")[0] == 503)
        one.send(json.dumps({"type": "Terminate"}))
        assert code_of(one) == 1000
        # The worker that has no session any more still tells people to go elsewhere.
        for _ in range(4):
            with pytest.raises(InvalidStatus) as refused:
                opened(server, server.key)
            assert refused.value.response.status_code == 503
            assert refused.value.response.headers["Retry-After"] == "5"
        assert get(server, "/live")[0] == 200
        other.send(loud(500))
        other.send(json.dumps({"type": "Terminate"}))
        assert code_of(other) == 1000
        assert server.process.wait(60) == 0
        assert list(tmp_path.glob("*.pid")) == []


def test_the_console_shows_and_drains_all_whichever_it_has_reached(tmp_path: Path) -> None:
    with two(tmp_path, "--drain-seconds=0") as server, ExitStack() as stack:
        sessions = [stack.enter_context(opened(server, server.key)) for _ in range(2)]
        assert [first(each) for each in sessions] == ["Begin"] * 2
        made = subprocess.run(
            [*TURNWIRE, "admin", "create-key", f"--data-dir={tmp_path}"],
            capture_output=True,
            text=True,
            check=True,
        )
        one, other = (stack.enter_context(browsing(server)) for _ in range(2))
        status, headers, _ = asked(one, "POST", "/console/login", {"key": made.stdout.strip()})
        assert status == 204
        cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
        for browser in (one, other):
            live = asked(browser, "GET", "/admin/v1/live", **cookie)[2]
            assert len(live["items"]) == 2
            assert asked(browser, "GET", "/admin/v1/engine", **cookie)[2]["sessions"] == 2
            nodes = asked(browser, "GET", "/admin/v1/nodes", **cookie)[2]["items"]
            assert [each["here"] for each in nodes] == [True, True]
            assert [each["name"][-2:] for each in nodes] == ["#1", "#2"]
        assert asked(other, "POST", "/console/logout", **cookie)[0] == 204
        assert asked(one, "GET", "/admin/v1/live", **cookie)[0] == 401
        key = {"Authorization": made.stdout.strip()}
        assert asked(other, "POST", "/admin/v1/drain", **key)[0] == 202
        assert [code_of(each) for each in sessions] == [3005] * 2
        assert server.process.wait(60) == 0


@contextmanager
def browsing(server: Serving) -> Iterator[HTTPConnection]:
    """A connection that is kept, so that the next one goes to the other worker."""
    with closing(HTTPConnection(server.http.removeprefix("http://"), timeout=60)) as connection:
        connection.connect()
        yield connection


def asked(
    browser: HTTPConnection, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, HTTPMessage, Any]:
    own = {"Origin": f"http://{browser.host}:{browser.port}", "X-Turnwire-Console": "1"}
    browser.request(method, path, json.dumps(body), {**own, **headers})
    answer = browser.getresponse()
    text = answer.read()
    return answer.status, answer.headers, json.loads(text) if text else None


def test_the_certificate_is_read_again_by_all(tmp_path: Path) -> None:
    with two(tmp_path, "--tls-self-signed") as server:
        server.process.send_signal(signal.SIGHUP)
        told = "worker {} INFO the certificate and its key were read again\n"
        until(lambda: all(told.format(number) in log_of(tmp_path) for number in (1, 2)))
        assert server.url.startswith("wss://")


def test_workers_end_when_their_supervisor_is_gone(tmp_path: Path) -> None:
    with two(tmp_path, "--drain-seconds=3600") as server, opened(server, server.key) as session:
        assert first(session) == "Begin"
        workers = pids(server)
        server.process.kill()
        assert code_of(session) == 3005
        until(lambda: not any(map(alive, workers.values())))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_told_at_once(tmp_path: Path, workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert failure(tmp_path, f"--workers={workers}", "--model=echo", f"--port={port}") == (
            f"Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
        )


def test_a_worker_that_cannot_start_ends_the_server_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "turnwire.db").write_bytes(b"no database, but long enough to be read as one" * 99)
    said = failure(tmp_path, "--workers=2", "--model=echo", "--port=0")
    assert re.fullmatch(r"The database \S+/turnwire\.db cannot be used: .*\n", said)
    said = failure(tmp_path, "--workers=2", "--model=nowhere/at/all", "--port=0")
    assert said == failure(tmp_path, "--model=nowhere/at/all", "--port=0")


def test_more_workers_than_processors_are_refused(tmp_path: Path) -> None:
    assert re.fullmatch(
        r"Each worker needs a processor of its own, and there are \d+ for 1000 workers\.\n",
        failure(tmp_path, "--workers=1000", "--model=echo", "--port=0"),
    )


def failure(data_dir: Path, *options: str) -> str:
    """What a server says that does not start."""
    ended = subprocess.run(
        [*TURNWIRE, "serve", f"--data-dir={data_dir}", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr
