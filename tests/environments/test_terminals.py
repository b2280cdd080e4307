"""Terminals and locales that do not know every character."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.environments.serving import TURNWIRE


def table(data_dir: Path, **environment: str) -> bytes:
    outcome = subprocess.run(
        [*TURNWIRE, "keys", "list"],
        env=os.environ | {"TURNWIRE_DATA_DIR": str(data_dir), **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (outcome.returncode, outcome.stderr) == (0, b"")
    return outcome.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_what_a_terminal_does_not_know_is_shown_in_ascii(tmp_path: Path, encoding: str) -> None:
    for arguments in (
        ("init", f"--key-file={tmp_path / 'key'}"),
        ("accounts", "create", "Zoë–日本"),
        ("keys", "create", "--account=Zoë–日本"),
    ):
        subprocess.run(
            [*TURNWIRE, *arguments, f"--data-dir={tmp_path}"], check=True, capture_output=True
        )
    [_, _, row] = table(tmp_path, PYTHONIOENCODING=encoding).decode(encoding).splitlines()
    name = "Zoë-\\u65e5\\u672c" if encoding == "latin-1" else "Zo\\xeb-\\u65e5\\u672c"
    assert name in row
    # The dash that stands for nothing.
    assert row.rstrip().endswith("-")
