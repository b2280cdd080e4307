"""Nothing leaves the machine, and nothing is left in the home directory: docs/privacy.md."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, UNPACED_COMMAND
from tests.recordings import recording

STRACE = ["strace", "--follow-forks", "--seccomp-bpf", "--quiet=all", "--trace=%network"]

NETWORK = re.compile(r"(connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET6?\b(?P<address>.*)")


class Home:
    """A machine's user with nothing in their home directory, whose processes are watched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self.folder.mkdir()
        self._log = folder / "strace.log"
        self.environment = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def watched(self, command: Sequence[object]) -> list[str]:
        watching = [*STRACE, f"--output={self._log}"] if shutil.which("strace") else []
        return [*watching, *map(str, command)]

    def assert_untouched(self) -> None:
        assert list(self.folder.rglob("*")) == []
        if self._log.exists():
            for call in NETWORK.finditer(self._log.read_text()):
                assert re.search(r'"(127\.|::1")', call["address"]), call[0]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_transcribing_calls_nobody(home: Home) -> None:
    command = [*UNPACED_COMMAND, "transcribe", recording("beckett.wav")]
    outcome = subprocess.run(
        home.watched(command), env=home.environment, capture_output=True, text=True, check=False
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "Ever failed." in outcome.stdout
    home.assert_untouched()


def test_serving_calls_nobody(home: Home, tmp_path: Path) -> None:
    command = [*COMMAND, "serve", "--port=0", f"--data-dir={tmp_path / 'data'}"]
    with subprocess.Popen(
        home.watched(command),
        env=home.environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "ready" in line:
                    break
            os.killpg(process.pid, signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    home.assert_untouched()
