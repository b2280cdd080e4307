"""A relay before a real server that cuts sessions off in the middle."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.client.servers import TERMINATE, serving, tell
from turnwire.client.messages import Error
from turnwire.wire.closures import CLOSURES


@dataclass(frozen=True)
class Cut:
    """What ends a connection after `frames` binary messages: a code of the table, or a reset."""

    frames: int
    code: int | None = None


@dataclass
class Relay:
    url: str = ""
    audio: list[bytes] = field(default_factory=list)
    """What was sent on each connection."""


@asynccontextmanager
async def relaying(server: str, cuts: Iterable[Cut] = ()) -> AsyncIterator[Relay]:
    """A relay to the server at this URL; the n-th connection is cut as the n-th of `cuts` says."""
    relay = Relay()
    to_come = iter(cuts)

    async def handler(socket: ServerConnection) -> None:
        cut = next(to_come, None)
        relay.audio.append(b"")
        assert socket.request is not None
        url = server + socket.request.path
        key = {"Authorization": socket.request.headers.get("Authorization", "")}
        async with connect(url, additional_headers=key, proxy=None) as upstream:
            down = asyncio.create_task(_down(upstream, socket, cut))
            frames = 0
            with suppress(ConnectionClosed):
                async for frame in socket:
                    if cut is not None and frames == cut.frames:
                        continue  # It is over; what comes now is too late.
                    if isinstance(frame, bytes):
                        relay.audio[-1] += frame
                        frames += 1
                    await upstream.send(frame)
                    if cut is not None and frames == cut.frames:
                        if cut.code is None:
                            socket.transport.abort()
                        else:
                            await upstream.send(TERMINATE)
            await upstream.close()
            await down

    async with serving(handler) as url:
        relay.url = url
        yield relay


async def _down(upstream: ClientConnection, socket: ServerConnection, cut: Cut | None) -> None:
    with suppress(ConnectionClosed):
        async for text in upstream:
            if cut is not None and '"Termination"' in str(text):
                break
            await socket.send(text)
        if cut is None or cut.code is None:
            await socket.close(upstream.close_code or 1000, upstream.close_reason or "")
            return
        row = next(row for row in CLOSURES if row.code == cut.code)
        text = row.for_example().text
        await tell(socket, Error(error_code=cut.code, error=text))
        await socket.close(cut.code, text)
