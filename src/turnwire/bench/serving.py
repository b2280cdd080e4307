"""The server that is measured, in a process of its own, so that its CPU and memory are known."""

import asyncio
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import uvloop

from turnwire.bench import BenchError
from turnwire.bench.engine import engine_here
from turnwire.clock import LoopClock
from turnwire.server.capacity import Capacity
from turnwire.server.http import allow_open_files
from turnwire.server.running import running

STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """What the server's process has used so far."""

    cpu_seconds: float
    memory_mb: float
    """Resident now."""
    peak_memory_mb: float


@dataclass(frozen=True, slots=True)
class _Ready:
    url: str
    api_key: str
    admits: int | None


class BenchServer:
    """A server in another process, with one key."""

    def __init__(
        self, url: str, api_key: str, admits: int | None, pid: int, pipe: Connection
    ) -> None:
        self.url = url
        self.api_key = api_key
        self.admits = admits
        """How many sessions a server would admit that has a limit; None: any number."""
        self._pid = pid
        self.host, self.port = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self._pipe = pipe

    async def usage(self) -> ProcessUsage:
        self._pipe.send("usage")
        usage = await asyncio.to_thread(_receive, self._pipe)
        assert isinstance(usage, ProcessUsage)
        return usage

    async def take_cpu(self, seconds: float) -> None:
        """Stop the process, as a machine does that has no time for it."""
        os.kill(self._pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(self._pid, signal.SIGCONT)

    async def loop_lag_ms(self) -> float:
        """For how long the event loop was blocked, at worst, in the last minute."""

        def ask() -> float:
            with urlopen(f"http://{self.host}:{self.port}/health") as answer:
                return float(json.load(answer)["event_loop_lag_ms"])

        return await asyncio.to_thread(ask)


@asynccontextmanager
async def serving(model: str) -> AsyncIterator[BenchServer]:
    """A server with this model, run as `turnwire serve` runs it. Raises `BenchError`."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(model, there))
    process.start()
    there.close()
    try:
        ready = await asyncio.to_thread(_receive, here)
        if not isinstance(ready, _Ready):
            raise BenchError(str(ready))
        assert process.pid is not None
        yield BenchServer(ready.url, ready.api_key, ready.admits, process.pid, here)
    finally:
        here.close()
        await asyncio.to_thread(process.join, STOP_SECONDS)
        process.kill()


def _receive(pipe: Connection) -> object:
    try:
        return pipe.recv()
    except EOFError:
        raise BenchError("The server's process died.") from None


def _serve(model: str, pipe: Connection) -> None:
    # Ctrl-C reaches both processes; this one ends when the other lets go of the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    allow_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_answer(model, pipe))
        except BenchError as error:
            pipe.send(str(error))


async def _answer(model: str, pipe: Connection) -> None:
    engine = engine_here(model)
    admits = Capacity(engine, LoopClock()).limit()
    async with running(engine) as server:
        pipe.send(_Ready(server.url, server.api_key, admits))
        while True:
            try:
                await asyncio.to_thread(pipe.recv)
            except (EOFError, ConnectionError):
                return
            pipe.send(_usage())


def _usage() -> ProcessUsage:
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        now, peak = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    else:
        # Without Linux's /proc, only the peak is known. macOS gives it in bytes.
        scale = 1024**2 if sys.platform == "darwin" else 1024
        now = peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    return ProcessUsage(time.process_time(), now, peak)
