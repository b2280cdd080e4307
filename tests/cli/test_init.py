"""The first key: `turnwire init`, and what a server does that finds none."""

import os
import pty
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke
from tests.cli.test_management import admitted
from tests.environments.serving import TURNWIRE, first_key, serving
from turnwire.accounts.admission import Grant


def assert_only_the_owner_reads(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def on_terminal(command: list[str], until: str) -> str:
    """What a terminal shows of it, until that line; then it is interrupted."""
    terminal, its_end = pty.openpty()
    with subprocess.Popen(command, stdout=its_end, stderr=subprocess.PIPE) as process:
        os.close(its_end)
        try:
            shown = b""
            while until not in shown.decode():
                shown += os.read(terminal, 1000)
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        finally:
            process.kill()
            os.close(terminal)
    return shown.decode()


def test_the_first_key_goes_to_a_file_of_its_own(turnwire: Invoke, tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "key"
    made = turnwire("init", "--data-dir", data, "--key-file", file)
    told = f"The database is up to date. Its first API key is in {file}.\n"
    assert (made.exit_code, made.output) == (0, told)
    assert_only_the_owner_reads(file)
    assert isinstance(admitted(data, file.read_text().strip()), Grant)
    # As a job that runs before each start.
    again = turnwire("init", "--data-dir", data)
    assert (again.exit_code, again.output) == (0, "The database is up to date, and has keys.\n")
    # Commands find what they need.
    assert turnwire("keys", "create", "--data-dir", data).stdout.startswith("tw_")


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (None, "Standard output is no terminal, and what goes there may end in a log"),
        ("taken", "could not be written to .*/taken, so it was not made: File exists"),
        ("not/there", "so it was not made: No such file or directory"),
        ("/dev/full/x", "so it was not made: Not a directory"),
    ],
)
def test_a_key_that_nobody_would_see_is_not_made(
    turnwire: Invoke, tmp_path: Path, file: str | None, why: str
) -> None:
    (tmp_path / "taken").write_text("mine")
    given = [] if file is None else ["--key-file", tmp_path / file]
    refused = turnwire("init", "--data-dir", tmp_path / "data", *given)
    assert refused.exit_code == 1
    assert "tw_" not in refused.output
    assert re.search(why, refused.output)
    assert (tmp_path / "taken").read_text() == "mine"
    made = turnwire("init", "--data-dir", tmp_path / "data", "--key-file", tmp_path / "key")
    assert made.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "until"),
    [(["init"], "tw_"), (["serve", "--model=echo", "--port=0"], "Turnwire is ready")],
)
def test_a_terminal_shows_it(tmp_path: Path, arguments: list[str], until: str) -> None:
    shown = on_terminal([*TURNWIRE, *arguments, f"--data-dir={tmp_path}"], until)
    assert "Your API key, shown this once: tw_" in shown
    assert list(tmp_path.glob("first-key")) == []


def test_a_server_without_a_terminal_keeps_it_beside_the_database(tmp_path: Path) -> None:
    (tmp_path / "first-key").write_text("of a database that is gone")
    with serving(tmp_path) as server:
        assert_only_the_owner_reads(tmp_path / "first-key")
        assert isinstance(admitted(tmp_path, first_key(server.said[0])), Grant)
        assert server.stop() == 0


def test_a_server_with_another_database_makes_none(tmp_path: Path) -> None:
    database = f"--database=sqlite:///{tmp_path}/shared.db"
    with serving(tmp_path, database, stderr=subprocess.PIPE) as server:
        assert server.stop() == 0
        assert server.process.stderr is not None
        log = server.process.stderr.read()
    assert "There is no API key yet; `turnwire init` makes the first one." in log
    assert list(tmp_path.glob("first-key")) == []
