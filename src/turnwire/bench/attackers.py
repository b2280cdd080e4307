"""Clients that mean harm, in a process of their own: floods, wrong keys, crowds."""

import asyncio
import multiprocessing
import signal
from collections.abc import Coroutine
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any, Self

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from turnwire.bench import BenchError
from turnwire.bench.clips import as_frame
from turnwire.client.address import session_url
from turnwire.server.http import allow_open_files
from turnwire.wire.limits import SESSION_PATH
from turnwire.wire.messages import ForceEndpoint, KeepAlive

BYTES_PER_SECOND = 2_000_000
"""What one flood sends, if it is let."""

_CHUNK_BYTES = 40_000

START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Flood:
    """One way to send much that means nothing."""

    name: str
    frame: bytes
    right_key: bool
    first: bytes = b""
    """What is sent once, in front."""


def _masked(opcode: int, *, fin: bool) -> bytes:
    """A frame without a payload, as a client sends it."""
    return bytes([fin << 7 | opcode, 0x80]) + bytes(4)


PINGS = _masked(9, fin=True)
FRAGMENTS = _masked(0, fin=False)

FLOODS = (
    Flood("pings, wrong key", PINGS, right_key=False),
    Flood("pings, right key", PINGS, right_key=True),
    Flood("fragments, wrong key", FRAGMENTS, right_key=False, first=_masked(1, fin=False)),
    Flood("fragments, right key", FRAGMENTS, right_key=True, first=_masked(1, fin=False)),
    Flood("empty messages, right key", _masked(2, fin=True), right_key=True),
    Flood("KeepAlives, right key", as_frame(KeepAlive().to_json()), right_key=True),
    Flood("ForceEndpoints, right key", as_frame(ForceEndpoint().to_json()), right_key=True),
    Flood("text that is no JSON, right key", as_frame("?"), right_key=True),
)
"""One of each goes on at a time."""

Target = tuple[str, str, int, str]
"""A server's URL, host, port, and a key of it."""


async def flood(target: Target, kind: Flood) -> None:
    """Send this for ever, connecting again as often as the server ends it. Never ends."""
    _, host, port, key = target
    head = (
        f"GET {SESSION_PATH}?sample_rate=16000 HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: {key if kind.right_key else 'wrong'}\r\n\r\n"
    )
    chunk = kind.frame * (_CHUNK_BYTES // len(kind.frame))
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        reading = asyncio.create_task(_read_on(reader))
        try:
            writer.write(head.encode() + kind.first)
            while not reading.done():
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(len(chunk) / BYTES_PER_SECOND)
        except OSError:
            pass
        finally:
            reading.cancel()
            writer.close()


async def _read_on(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass


async def loop_with_wrong_key(target: Target) -> None:
    """Connect, be refused, and connect again. Never ends."""
    url = session_url(target[0], {"sample_rate": 16000})
    while True:
        await _once(url, "wrong")


async def come_and_go(target: Target) -> None:
    """Connect, and stay a moment."""
    await _once(session_url(target[0], {"sample_rate": 16000}), target[3], stay=1.0)


async def _once(url: str, key: str, stay: float = 0.0) -> None:
    try:
        async with connect(url, additional_headers={"Authorization": key}, open_timeout=60) as ws:
            if stay:
                await ws.recv()
                await asyncio.sleep(stay)
            else:
                async for _ in ws:
                    pass
    except (OSError, TimeoutError, WebSocketException):
        # It is not for the attacker to say what became of it.
        pass


ATTACKS = {
    "floods": lambda target: [flood(target, kind) for kind in FLOODS],
    "wrong keys": lambda target: [loop_with_wrong_key(target) for _ in range(60)],
    "crowd": lambda target: [come_and_go(target) for _ in range(2000)],
}


class Attackers:
    """A process that does one of `ATTACKS`."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @classmethod
    def begin(cls, name: str, target: Target) -> Self:
        """Start it, and wait until it attacks. Raises `BenchError` if it does not."""
        spawning = multiprocessing.get_context("spawn")
        begun = spawning.Event()
        process = spawning.Process(target=_attack, args=(name, target, begun))
        process.start()
        attackers = cls(process)
        if not begun.wait(START_SECONDS):
            attackers.stop()
            raise BenchError("The attackers did not start.")
        return attackers

    def stop(self) -> None:
        self._process.kill()
        self._process.join(STOP_SECONDS)


def _attack(name: str, target: Target, begun: Event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    allow_open_files()
    begun.set()
    asyncio.run(_all(ATTACKS[name](target)))


async def _all(attackers: list[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*attackers)
