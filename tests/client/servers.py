"""Servers that do as a test tells them, on real sockets."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict

from websockets.asyncio.server import Server, ServerConnection, serve

from turnwire.client.messages import Begin, ServerMessage, Termination, Turn, Word

Handler = Callable[[ServerConnection], Awaitable[None]]

BEGIN = Begin(id="0b7e4c1a-6c3d-4f0e-9a55-1f0c2d9d7b11", expires_at=1_795_367_000)
TERMINATE = '{"type":"Terminate"}'
TERMINATION = Termination(audio_duration_seconds=7, session_duration_seconds=8)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server whose connections are left to `handler`; yields its address."""
    async with serve(handler, "127.0.0.1", 0) as server:
        yield address(server)


def address(server: Server) -> str:
    return f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def as_json(message: ServerMessage) -> str:
    """As a server writes it."""
    named = {name: value for name, value in asdict(message).items() if value is not None}
    return json.dumps({"type": message.type, **named})


async def tell(socket: ServerConnection, *messages: ServerMessage) -> None:
    for message in messages:
        await socket.send(as_json(message))


async def until_terminate(socket: ServerConnection) -> list[str | bytes]:
    """Everything the client sends before Terminate."""
    frames: list[str | bytes] = []
    async for frame in socket:
        if frame == TERMINATE:
            break
        frames.append(frame)
    return frames


async def end(socket: ServerConnection) -> None:
    await tell(socket, TERMINATION)
    await socket.close(1000, "Session Ended")


def turn(
    text: str, *, order: int = 0, start: int = 0, formatted: bool = True, ended: bool = True
) -> Turn:
    """A turn whose words last 300 ms each, 100 ms apart."""
    words = tuple(
        Word(
            text=word,
            start=start + 400 * index,
            end=start + 400 * index + 300,
            confidence=0.9,
            word_is_final=ended,
        )
        for index, word in enumerate(text.split())
    )
    return Turn(
        turn_order=order,
        turn_is_formatted=formatted,
        end_of_turn=ended,
        transcript=text if ended else "",
        end_of_turn_confidence=1.0 if ended else 0.0,
        words=words,
    )
