"""`turnwire serve` as an operator runs it, and what it prints."""

import re
import shlex
import signal
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Invoke
from tests.environments.serving import first_key


@contextmanager
def serving(*options: str) -> Iterator[Iterator[str]]:
    """A server with the echo engine: what it prints, line by line."""
    command = [*COMMAND, "serve", "--model=echo", "--port=0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield (line.rstrip("\n") for line in process.stdout)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_with_tls_it_says_how_clients_trust_it(
    turnwire: Invoke, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A place whose name a shell would take apart.
    data_dir = tmp_path / "my data"
    with serving("--tls-self-signed", f"--data-dir={data_dir}") as lines:
        key = first_key(next(lines))
        ready = re.fullmatch(
            r"Turnwire is ready at (wss://127\.0\.0\.1:\d+)/v3/ws with model echo\.", next(lines)
        )
        assert ready is not None
        assert next(lines) == "Its certificate is its own. Clients trust it with"
        python, node = next(lines), next(lines)
        assert node == f"  NODE_EXTRA_CA_CERTS='{data_dir}/tls/ca.pem'  (Node)"

        [setting, comment] = shlex.split(python)
        assert comment == "(Python)"
        monkeypatch.setenv(*setting.split("=", 1))
        result = turnwire("transcribe", speech, "--url", ready[1], "--api-key", key)
        assert (result.exit_code, result.stdout) == (0, "one two three\nfour\n")
        result = turnwire("probe", ready[1], "--api-key", key, "--only", "deprecated_endpoint")
        assert (result.exit_code, "exact" in result.stdout) == (0, True)
        # From Python 3.12 on, urlopen keeps the context of the first call of a process.
        trusting = ssl.create_default_context()
        url = f"https{ready[1][3:]}/health"
        with urllib.request.urlopen(url, context=trusting) as answer:
            assert answer.status == 200


def test_a_certificate_that_is_not_there_is_told_at_once(turnwire: Invoke) -> None:
    result = turnwire("serve", "--model=echo", "--tls-cert=nowhere", "--tls-key=nowhere")
    told = "The certificate nowhere cannot be read: No such file or directory.\n"
    assert (result.exit_code, result.stderr) == (1, told)
