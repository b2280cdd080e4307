"""A server that runs out of file descriptors, and one whose certificate is renewed."""

import shutil
import signal
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from websockets.sync.client import connect

from tests.environments.serving import serving
from tests.support import TERMINATE, loud
from turnwire.server.tls import SERVER_FILE, self_signed

FEW_FILES = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")

SESSION = "/v3/ws?sample_rate=16000"


def test_out_of_file_descriptors_open_sessions_go_on_and_new_ones_come_later(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, "--no-auth", before=FEW_FILES, stderr=subprocess.PIPE) as server:
        assert server.process.stderr is not None
        port = urlsplit(server.url).port
        assert port is not None
        with ExitStack() as crowd, connect(server.url + SESSION, proxy=None) as session:
            assert "Begin" in str(session.recv(60))
            for _ in range(80):
                crowd.enter_context(socket.create_connection(("127.0.0.1", port)))
            while "no connection can be accepted" not in server.process.stderr.readline():
                pass
            session.send(loud(500))
            session.send(TERMINATE)
            assert "one two" in " ".join(str(message) for message in session)
            assert session.close_code == 1000
        with connect(server.url + SESSION, proxy=None, open_timeout=60) as later:
            assert "Begin" in str(later.recv(60))
        assert server.stop() == 0


def test_a_certificate_is_read_again_while_sessions_are_open(tmp_path: Path) -> None:
    old, new = (
        self_signed(tmp_path / each, "127.0.0.1", now=time.time()).ca_file
        for each in ("old", "new")
    )
    certificate = tmp_path / SERVER_FILE
    shutil.copy(tmp_path / "old" / SERVER_FILE, certificate)
    with serving(
        tmp_path,
        *("--no-auth", f"--tls-cert={certificate}", f"--tls-key={certificate}"),
        stderr=subprocess.PIPE,
    ) as server:
        assert server.process.stderr is not None
        with connect(
            server.url + SESSION, ssl=ssl.create_default_context(cafile=old), proxy=None
        ) as session:
            assert "Begin" in str(session.recv(60))
            shutil.copy(tmp_path / "new" / SERVER_FILE, certificate)
            server.process.send_signal(signal.SIGHUP)
            while "read again" not in server.process.stderr.readline():
                pass
            with connect(
                server.url + SESSION, ssl=ssl.create_default_context(cafile=new), proxy=None
            ) as renewed:
                assert "Begin" in str(renewed.recv(60))
            certificate.write_text("no certificate")
            server.process.send_signal(signal.SIGHUP)
            while "stays in use" not in server.process.stderr.readline():
                pass
            session.send(TERMINATE)
            assert "Termination" in " ".join(str(message) for message in session)
        assert server.stop() == 0
