import asyncio
import io
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest
import typer
from rich.console import Console

from tests.cli.conftest import Invoke
from turnwire.cli import demo
from turnwire.cli.sources import from_file


@pytest.fixture(autouse=True)
def _short_and_without_a_model(monkeypatch: pytest.MonkeyPatch, speech: Path) -> None:
    monkeypatch.setattr(demo, "recording", lambda: speech)
    monkeypatch.setattr(demo, "DEFAULT_MODEL", "echo")
    monkeypatch.setattr(sys, "argv", [".venv/bin/turnwire", "demo"])
    monkeypatch.setenv("PATH", "")


STORY = """\
Server   ws://127.0.0.1:PORT/v3/ws, model echo
Session  ID

00:00.0–00:00.7  one two three
00:02.7–00:03.0  four

Termination  3 s of audio in a session of N s
Closed       1000 Session Ended (closed by the server)

Next, try `.venv/bin/turnwire transcribe FILE` with a recording of your own,
or `.venv/bin/turnwire serve` for a server that any client of the protocol can use.
"""


def told(output: str) -> str:
    """What was shown, without what differs from run to run."""
    output = re.sub(r":\d+/", ":PORT/", output)
    output = re.sub(r"Session  [0-9a-f-]{36}", "Session  ID", output)
    return re.sub(r"of \d+ s$", "of N s", output, flags=re.MULTILINE)


def test_without_a_terminal_it_is_finished_turns_and_the_story(turnwire: Invoke) -> None:
    result = turnwire("demo")
    assert (result.exit_code, result.stderr) == (0, "")
    assert told(result.stdout) == STORY


def test_a_turnwire_that_a_shell_finds_is_called_by_its_name(
    turnwire: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "turnwire").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Next, try `turnwire transcribe FILE` with" in turnwire("demo").stdout


@pytest.mark.parametrize(
    ("called", "command"),
    [
        ("/lib/turnwire/__main__.py", "python -m turnwire"),
        ("/home/me/[old]/.venv/bin/turnwire", "/home/me/[old]/.venv/bin/turnwire"),
    ],
)
def test_what_to_try_next_can_be_typed_however_it_was_called(
    turnwire: Invoke, monkeypatch: pytest.MonkeyPatch, called: str, command: str
) -> None:
    monkeypatch.setattr(sys, "argv", [called, "demo"])
    assert f"Next, try `{command} transcribe FILE` with" in turnwire("demo").stdout


def test_a_terminal_shows_words_as_they_come(speech: Path) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80, highlight=False)
    with from_file(str(speech)) as source:
        asyncio.run(demo.show(source, "echo", console))
    output = shown.getvalue()
    bright, dim = "\x1b[1m", "\x1b[2m"
    assert f"{bright}one\x1b[0m {dim}two\x1b[0m" in output
    assert f"{bright}one two three\x1b[0m" in output
    assert "00:03.2 of 00:03.2 sent" in output
    assert "1000 Session Ended" in output


def test_the_recording_is_part_of_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert demo.recording().name == "two_cities.wav"


def test_a_recording_that_is_not_there_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()

    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    with pytest.raises(typer.Exit):
        demo.recording()
    assert 'pip install "turnwire[demo]"' in capsys.readouterr().err
