"""What a shell completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke

ASKED = """
eval "$(turnwire completion bash)"
COMP_WORDS=({words}) COMP_CWORD={at}
_turnwire_completion turnwire
echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "completed"),
    [("turnwire ser", "serve"), ("turnwire bench acc", "accuracy")],
)
def test_bash_completes_commands(words: str, completed: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = ASKED.format(words=words, at=len(words.split()) - 1)
    outcome = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert outcome.stdout.split() == [completed]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(turnwire: Invoke, shell: str) -> None:
    assert "_TURNWIRE_COMPLETE" in turnwire("completion", shell).stdout


def test_another_shell_is_an_error(turnwire: Invoke) -> None:
    assert turnwire("completion", "csh").exit_code == 2
