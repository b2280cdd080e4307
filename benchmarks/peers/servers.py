"""A server under comparison, in processes whose CPU time is known."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.dialogue import Peer

START_SECONDS = 180.0
STOP_SECONDS = 10.0

TICKS = os.sysconf("SC_CLK_TCK")


class PeerError(Exception):
    """A server that cannot be compared; says why."""


@dataclass(frozen=True, slots=True)
class Server:
    peer: Peer
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Of all its processes, so far."""
        return sum(_ticks(pid) for pid in _tree(self.pid)) / TICKS


@asynccontextmanager
async def serving(peer: Peer, python: Path, weights: Path) -> AsyncIterator[Server]:
    """The server, listening. Raises `PeerError` if it does not come to that."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    try:
        process = await asyncio.create_subprocess_exec(
            *peer.command(python, weights, port),
            # The weights are here, and nothing else is to be fetched.
            env={**os.environ, "HF_HUB_OFFLINE": "1", **peer.environment},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as wrong:
        raise PeerError(f"{peer.name} cannot be started: {wrong}.") from None
    try:
        await _listening(peer, process, port)
        yield Server(peer, port, process.pid)
    finally:
        await _stop(process)


async def _listening(peer: Peer, process: asyncio.subprocess.Process, port: int) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                    continue
                writer.close()
                return
    except TimeoutError:
        raise PeerError(f"{peer.name} did not listen within {START_SECONDS:g} s.") from None
    raise PeerError(f"{peer.name} ended at once, with {process.returncode}.")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _tree(pid: int) -> Iterator[int]:
    """The process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # User and system time, and those of children that have ended: fields 14 to 17 of proc(5).
    return sum(int(field) for field in fields[11:15])
