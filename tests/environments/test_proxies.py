"""The reverse proxies of docs/reverse-proxies.md, as it sets them up."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.conformance.programs import program
from tests.environments.serving import serving

PAGE = Path(__file__).parents[2] / "docs" / "reverse-proxies.md"

NGINX = """
daemon off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {}
}}
"""

CADDY = "{{\n admin off\n storage file_system caddy\n}}\n{}"


def nginx(folder: Path, said: str) -> list[str]:
    (folder / "nginx.conf").write_text(NGINX.format(said))
    return [program("nginx"), "-p", str(folder), "-c", "nginx.conf"]


def caddy(folder: Path, said: str) -> list[str]:
    (folder / "Caddyfile").write_text(CADDY.format(said))
    return [program("caddy"), "run", "--adapter=caddyfile", f"--config={folder / 'Caddyfile'}"]


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_proxy_that_keeps_a_prefix(
    tmp_path: Path, proxy: Callable[[Path, str], list[str]]
) -> None:
    [said] = re.findall(rf"```{proxy.__name__}\n(.*?)```", PAGE.read_text(), re.S)
    program(proxy.__name__)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with serving(tmp_path / "data", "--root-path=/stt", stderr=subprocess.DEVNULL) as server:
        said = said.replace("127.0.0.1:8080", server.url.removeprefix("ws://"))
        said = said.replace("listen 80", f"listen 127.0.0.1:{port}")
        said = said.replace("http://:80", f"http://127.0.0.1:{port}")
        home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        with subprocess.Popen(
            proxy(tmp_path, said), cwd=tmp_path, env=home, stderr=subprocess.DEVNULL
        ) as process:
            try:
                until_healthy(f"http://127.0.0.1:{port}/stt/health")
                key = {"Authorization": server.key}
                url = f"ws://127.0.0.1:{port}/stt/v3/ws"
                with connect(url, additional_headers=key, proxy=None) as websocket:
                    websocket.send(json.dumps({"type": "Terminate"}))
                    kinds = [json.loads(text)["type"] for text in websocket]
                assert kinds == ["Begin", "Termination"]
            finally:
                process.terminate()
        assert server.stop() == 0


def until_healthy(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError), httpx.Client(trust_env=False) as http:
            if http.get(url, timeout=30).status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail(f"{url} is not served")
