"""Servers in processes of their own, behind HAProxy as it is deployed, with PostgreSQL."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

NODE = Path(__file__).with_name("node.py")

HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "compose" / "haproxy.cfg"

PATIENCE_SECONDS = 60
"""How long anything may take before a test fails."""


@dataclass
class Node:
    """One `turnwire serve`, which may be started again."""

    name: str
    port: int
    database: str
    folder: Path
    clock_ahead: float
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.folder / f"{self.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, str(NODE), str(self.clock_ahead), "serve", "--model=echo"),
                    *(f"--port={self.port}", f"--database={self.database}", f"--node={self.name}"),
                    *(f"--data-dir={self.folder}", "--drain-seconds=60", "--max-sessions=1000"),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def until_started(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        assert any("ready at" in line for line in self.process.stdout)

    def stop(self) -> int:
        """SIGTERM, and wait until it has drained; gives the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self._wait()

    def _wait(self) -> int:
        assert self.process is not None
        code = self.process.wait(PATIENCE_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code


@dataclass
class Cluster:
    nodes: list[Node]
    url: str
    """The proxy's."""
    _statistics: Path

    def until_known(self, up: int) -> None:
        """Wait until the proxy has found so many of its nodes ready."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._up() != up:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _up(self) -> int:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self._statistics))
            client.sendall(b"show stat\n")
            said = b"".join(iter(lambda: client.recv(65536), b"")).decode()
            return len(re.findall(r"^nodes,node\d,.*,UP,", said, re.MULTILINE))
        return 0


@contextmanager
def running(database: str, folder: Path) -> Iterator[Cluster]:
    """Two nodes behind the proxy; the clock of the second is 40 s ahead."""
    with ExitStack() as stack:
        nodes = [
            Node(name, free_port(), database, folder, clock_ahead)
            for name, clock_ahead in (("node1", 0.0), ("node2", 40.0))
        ]
        for node in nodes:
            stack.callback(node.kill)
            node.start()
        for node in nodes:
            node.until_started()
        cluster = Cluster(nodes, f"ws://127.0.0.1:{free_port()}", folder / "haproxy.sock")
        stack.enter_context(_proxy(cluster, folder))
        cluster.until_known(up=2)
        yield cluster


@contextmanager
def _proxy(cluster: Cluster, folder: Path) -> Iterator[None]:
    text = CONFIGURATION.read_text().replace(":8080\n", "\n")
    text = text.replace("bind ", f"bind {cluster.url.removeprefix('ws://')}")
    text = text.replace("global\n", f"global\n    stats socket {folder / 'haproxy.sock'}\n")
    # So many open files are not everybody's.
    text = text.replace("maxconn 20000", "maxconn 2000")
    for node in cluster.nodes:
        text = text.replace(f"{node.name} {node.name}", f"{node.name} 127.0.0.1:{node.port}")
    (folder / "haproxy.cfg").write_text(text)
    assert HAPROXY is not None
    command = [HAPROXY, "-db", "-q", "-f", str(folder / "haproxy.cfg")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
