"""What the service manager and the operator are told by a server."""

import json
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, turnwire
from tests.environments.serving import serving
from turnwire.server.tls import SERVER_FILE, self_signed

__all__ = ["turnwire"]

YEAR = 365 * 24 * 60 * 60


def test_systemd_learns_when_it_is_ready_and_an_operator_that_a_certificate_expired(
    tmp_path: Path,
) -> None:
    self_signed(tmp_path / "tls", "127.0.0.1", now=time.time() - 3 * YEAR)
    certificate = tmp_path / "tls" / SERVER_FILE
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(60)
        with serving(
            tmp_path,
            f"--tls-cert={certificate}",
            f"--tls-key={certificate}",
            environment={"NOTIFY_SOCKET": str(address)},
            stderr=subprocess.PIPE,
        ) as server:
            assert manager.recv(1000).decode() == f"READY=1\nSTATUS=Ready at {server.url}/v3/ws"
            assert server.stop() == 0
            assert manager.recv(1000).startswith(b"STOPPING=1\n")
            assert server.process.stderr is not None
            assert "WARNING The certificate has expired on " in server.process.stderr.read()


def test_which_settings_are_in_force(
    turnwire: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "turnwire.toml"
    config.write_text('port = 9000\ndatabase = "postgresql+asyncpg://me:s3cr@tPart@host/db"')
    monkeypatch.setenv("TURNWIRE_NODE", "one")
    monkeypatch.setenv("TURNWIRE_CONFIG", str(config))
    lines = turnwire("config", "show").stdout.splitlines()
    table = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    assert table[0] == ["Setting", "Value", "Where from"]
    assert ["port", "9000", str(config)] in table
    assert ["node", "one", "TURNWIRE_NODE"] in table
    assert ["host", "127.0.0.1", "default"] in table
    assert ["database", "(cannot be read)", str(config)] in table
    monkeypatch.setenv("TURNWIRE_DATABASE", "postgres://me:secret@host/db")
    shown = turnwire("config", "show").stdout
    assert "postgresql://me@host/db " in shown
    assert "secret" not in shown
    flagged = json.loads(turnwire("config", "show", "--port", "9001", "--json").stdout)
    assert flagged["port"] == {"value": "9001", "from": "--port"}
    monkeypatch.setenv("TURNWIRE_PORT", "abc")
    result = turnwire("config", "show")
    assert (result.exit_code, result.stderr) == (
        2,
        "The setting 'port' of TURNWIRE_PORT cannot be used: Input should be a valid integer, "
        "unable to parse string as an integer.\n",
    )
