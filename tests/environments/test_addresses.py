"""Where a server listens: several addresses, both versions of IP, unix sockets, systemd's own."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect, unix_connect

from tests.environments.serving import TURNWIRE, serving
from turnwire.server.port import AddressUnusable, Port, hosts

TERMINATE = json.dumps({"type": "Terminate"})


def healthy(address: str, **options: str) -> bool:
    transport = httpx.HTTPTransport(**options) if options else None  # type: ignore[arg-type]
    with httpx.Client(transport=transport, trust_env=False) as http:
        return http.get(f"http://{address}/health", timeout=30).status_code == 200


def test_hosts_as_people_write_them() -> None:
    assert hosts("[::1]") == ["::1"]
    assert hosts("127.0.0.1, ::1,127.0.0.1") == ["127.0.0.1", "::1"]
    with pytest.raises(AddressUnusable, match="no address to listen on"):
        Port.take(" , ")


def test_every_network_of_both_versions() -> None:
    with Port.take("::") as port:
        number = port.sockets[0].getsockname()[1]
        port.listen()
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, number), timeout=10).close()
        assert port.is_open


def test_a_port_that_is_taken_is_named() -> None:
    with Port.take("127.0.0.1") as port:
        port.listen()
        number = port.sockets[0].getsockname()[1]
        with pytest.raises(AddressUnusable, match=f"127.0.0.1:{number}: Address already in use"):
            Port.take("::1,127.0.0.1", number)


def test_several_addresses_below_a_path(tmp_path: Path) -> None:
    options = ("--host=127.0.0.1", "--host=[::1]", "--root-path=/stt", "--rehearse")
    with serving(tmp_path, *options) as server:
        number = server.url.rpartition(":")[2]
        assert server.process.stdout is not None
        assert server.process.stdout.readline() == f"It listens at [::1]:{number} too.\n"
        key = {"Authorization": server.key}
        for path in ("/stt/v3/ws", "/v3/ws", "/stt"):
            url = f"ws://[::1]:{number}{path}"
            with connect(url, additional_headers=key, proxy=None) as websocket:
                websocket.send(TERMINATE)
                assert [json.loads(text)["type"] for text in websocket] == ["Begin", "Termination"]
        url = f"ws://[::1]:{number}/stt/rehearse/1008/v3/ws"
        with connect(url, additional_headers=key, proxy=None) as websocket:
            assert json.loads(websocket.recv(timeout=30))["error_code"] == 1008
        assert healthy(f"127.0.0.1:{number}/stt")
        assert server.stop() == 0


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "turnwire.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    with serving(tmp_path, f"--uds={path}") as server:
        assert f"ready at ws+unix:{path}/v3/ws" in server.said[-1]
        key = {"Authorization": server.key}
        with unix_connect(str(path), "ws://localhost/v3/ws", additional_headers=key) as websocket:
            websocket.send(TERMINATE)
            assert [json.loads(text)["type"] for text in websocket] == ["Begin", "Termination"]
        with pytest.raises(AddressUnusable, match="Address already in use"):
            Port.unix(path)
        assert server.stop() == 0
    assert not path.exists()


def test_a_socket_that_systemd_passes(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        # The shell becomes the server, whose process systemd names.
        command = ["bash", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&$PASSED', "bash"]
        command += [*TURNWIRE, "serve", "--model=echo", f"--data-dir={tmp_path}"]
        with subprocess.Popen(
            command,
            env=os.environ | {"PASSED": str(listener.fileno())},
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                process.stdout.readline()
                assert f"ready at ws://{address}/v3/ws" in process.stdout.readline()
                assert healthy(address)
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
            finally:
                process.kill()
