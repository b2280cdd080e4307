"""Standard streams that nobody reads, that are full, or that are not there."""

import fcntl
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.environments.serving import TURNWIRE, serving

PIPE_BYTES = 4096
"""The least that Linux makes a pipe hold."""


def test_a_log_that_nobody_reads_keeps_nobody_waiting(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-auth", stderr=subprocess.PIPE) as server:
        assert server.process.stderr is not None
        fcntl.fcntl(server.process.stderr, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        for _ in range(100):
            with connect(f"{server.url}/v3/ws?sample_rate=1", proxy=None) as socket:
                socket.recv(timeout=30)
        assert httpx.get(f"{server.http}/health", timeout=30).status_code == 200
        assert server.stop() == 0


def test_a_server_outlives_those_who_read_what_it_prints(tmp_path: Path) -> None:
    with serving(tmp_path, stderr=subprocess.DEVNULL) as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        assert httpx.get(f"{server.http}/health", timeout=30).status_code == 200
        assert server.stop() == 0


@pytest.mark.parametrize("closed", ["2>&-", "0<&- 1>&- 2>&-"])
def test_a_server_without_standard_streams_stops_as_any_other(tmp_path: Path, closed: str) -> None:
    set_up(tmp_path)  # so it has no key to show
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [*TURNWIRE, "serve", "--model=echo", f"--port={port}", f"--data-dir={tmp_path}"]
    with subprocess.Popen(["bash", "-c", f'exec "$@" {closed}', "bash", *command]) as process:
        try:
            until_healthy(f"http://127.0.0.1:{port}/health")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def until_healthy(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx.ConnectError):
            assert httpx.get(url, timeout=30).status_code == 200
            return
        time.sleep(0.05)
    pytest.fail("the server did not start")


def shell(command: str, *arguments: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run `turnwire`, with its streams as this line of the shell has them."""
    turnwire = shlex.join([*TURNWIRE, *arguments, f"--data-dir={data_dir}"])
    return subprocess.run(
        ["bash", "-c", command.format(turnwire)], capture_output=True, text=True, timeout=60
    )


def set_up(data_dir: Path) -> None:
    key_file = f"--key-file={data_dir / 'key'}"
    assert shell("{}", "init", key_file, data_dir=data_dir).returncode == 0


FULL = "No space left on device"
CLOSED = "it is closed"


def test_a_key_that_cannot_be_shown_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "first-key").mkdir()
    outcome = shell("{}", "serve", "--model=echo", "--port=0", data_dir=tmp_path)
    told = f"The first API key could not be written to {tmp_path}/first-key, so it was not made: "
    assert (outcome.returncode, outcome.stderr) == (1, f"{told}Is a directory.\n")
    (tmp_path / "first-key").rmdir()

    for command, why in (("{} > /dev/full", FULL), ("{} 1>&-", CLOSED)):
        outcome = shell(command, "keys", "create", data_dir=tmp_path)
        told = f"Standard output cannot be written: {why}.\n"
        assert (outcome.returncode, outcome.stderr) == (1, told)

    # That there are no keys, a server says in its way.
    with serving(tmp_path) as server:
        assert server.said[0].startswith("Your API key is in ")
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "command", "told"),
    [
        ("usage --csv", "{} > /dev/full", f"Standard output cannot be written: {FULL}.\n"),
        ("accounts list", "{} 1>&-", f"Standard output cannot be written: {CLOSED}.\n"),
        ("usage --json", "set -o pipefail; {} | :", ""),
    ],
)
def test_output_that_cannot_be_written(
    tmp_path: Path, arguments: str, command: str, told: str
) -> None:
    set_up(tmp_path)
    outcome = shell(command, *arguments.split(), data_dir=tmp_path)
    assert (outcome.returncode, outcome.stderr) == (1, told)


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it

class Interrupting:
    def find_spec(name, *_):
        if name == "turnwire.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting)
from turnwire.__main__ import main
main()
"""


def test_ctrl_c_while_the_command_is_loading() -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (130, "", "")
