import pytest

from tests.cli.conftest import Invoke
from turnwire import __version__

COMMANDS = [
    "accounts",
    "accounts create",
    "accounts list",
    "accounts update",
    "closures",
    "demo",
    "keys",
    "keys create",
    "keys list",
    "keys revoke",
    "probe",
    "serve",
    "sessions",
    "sessions list",
    "sessions show",
    "tokens",
    "tokens create",
    "transcribe",
    "usage",
]


def test_version(turnwire: Invoke) -> None:
    result = turnwire("--version")
    assert (result.exit_code, result.stdout) == (0, f"turnwire {__version__}\n")


def test_without_a_command_it_says_what_there_is(turnwire: Invoke) -> None:
    output = turnwire().output
    assert all(command in output for command in COMMANDS if " " not in command)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(turnwire: Invoke, command: str) -> None:
    result = turnwire(*command.split(), "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: turnwire {command}")
