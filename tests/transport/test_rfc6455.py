"""RFC 6455 over raw sockets: each case of the table has its one documented end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support import PATIENCE
from tests.transport.echo import EchoSite, echoing
from tests.transport.rfc6455 import CASES, CLOSE, Case

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture
async def site() -> AsyncIterator[tuple[EchoSite, int]]:
    site = EchoSite()
    # Time stands still, so that no allowance grows.
    async with echoing(site, clock=lambda: 0.0) as port:
        yield site, port


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, length = await reader.readexactly(2)
    assert first & 0xF0 == 0x80, "a server's frame is whole, and has no reserved bit"
    assert length < 128, "a server's frame has no mask"
    if length >= 126:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    return first & 0x0F, await reader.readexactly(length)


def test_there_are_enough_cases() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 200


@pytest.mark.parametrize("batch", range(8))
async def test_every_case_has_its_end(site: tuple[EchoSite, int], batch: int) -> None:
    echo, port = site
    async with asyncio.timeout(PATIENCE):
        for case in CASES[batch::8]:
            await check(case, port)
            # Its receiver hears of the end, exactly once.
            while not echo.receivers[-1].ended:
                await asyncio.sleep(0)


async def check(case: Case, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(HANDSHAKE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        for piece in case.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        answers = []
        while (answer := await read_frame(reader))[0] != CLOSE:
            answers.append(answer)
        assert answers == list(case.answers), case.name
        _, payload = answer
        code = int.from_bytes(payload[:2], "big") if payload else None
        assert code == case.code, case.name
        if case.amid_frame:
            return
        # Nothing comes behind the close frame, and then the server hangs up.
        if not case.pieces[-1].startswith(b"\x88"):
            writer.write(b"\x88\x80\0\0\0\0")
        assert await reader.read() == b"", case.name
    finally:
        writer.close()
