"""Users without a name, without a home, and without a disk that may be written."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import UNPACED_COMMAND
from tests.environments.serving import TURNWIRE, serving
from tests.recordings import recording

UNKNOWN = [
    # A user and a group that no machine has, who may read what this one may.
    *("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    *("env", "-i", f"PATH={os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE=1"),
]

READ_ONLY = ["unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"]

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("unshare"),
    reason="only root can be somebody else, and setpriv and unshare help with it",
)


def turnwire(*arguments: str, command: list[str] = TURNWIRE) -> tuple[int, str, str]:
    outcome = subprocess.run(
        [*READ_ONLY, *UNKNOWN, *command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return outcome.returncode, outcome.stdout, outcome.stderr


def test_transcribing_needs_no_home_and_no_disk() -> None:
    recorded = str(recording("beckett.wav"))
    code, shown, told = turnwire("transcribe", recorded, command=UNPACED_COMMAND)
    assert (code, told) == (0, "")
    assert "Ever failed." in shown


def test_accounts_need_a_folder_and_say_how_one_is_given() -> None:
    assert turnwire("serve", "--model=echo", "--port=0") == (
        1,
        "",
        "There is no home directory to keep accounts and keys in; give a folder with --data-dir.\n",
    )
    assert turnwire("keys", "list", "--data-dir=/nowhere") == (
        1,
        "",
        "There are no accounts in /nowhere: `turnwire init` makes them there, and --data-dir names "
        "another folder.\n",
    )


def test_without_accounts_a_server_needs_no_folder(tmp_path: Path) -> None:
    # The option comes twice; the last one counts.
    with serving(tmp_path, "--no-auth", before=[*READ_ONLY, *UNKNOWN]) as server:
        assert server.url.startswith("ws://127.0.0.1:")
        assert server.stop() == 0
