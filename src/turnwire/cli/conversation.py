"""A stream as a command holds one: audio goes out while turns come in, until the end."""

import asyncio
import signal
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager, suppress

from turnwire.client import AsyncClient, SessionClosed, Turn

SIGNALLED = 128
"""The exit code of a command that a signal ended, less the signal's number."""

INTERRUPTED = SIGNALLED + signal.SIGINT
"""The exit code of a command that Ctrl-C ended."""


async def converse(
    client: AsyncClient, audio: AsyncIterable[bytes], stop: asyncio.Event | None = None
) -> int:
    """Send the audio, until `stop` is set, and end the stream; the client's handlers get what
    comes of it.

    Gives the number of the signal that cut the audio short (Ctrl-C or a termination), or 0. What
    was said until then is still heard; a second signal interrupts that, too. What the source of
    the audio raises is raised once the stream has ended; how it ended, the client tells.
    """
    ended_by = 0

    def interrupt(number: int) -> None:
        nonlocal ended_by
        ended_by = number
        sending.cancel()

    reading = asyncio.create_task(_read(client))
    sending = asyncio.create_task(_send(client, audio))
    stopping = asyncio.create_task((stop or asyncio.Event()).wait())
    with _on_signals(interrupt):
        await asyncio.wait((reading, sending, stopping), return_when=asyncio.FIRST_COMPLETED)
        sending.cancel()
        stopping.cancel()
        await asyncio.wait((sending, stopping))
        await client.terminate()
        await reading
    if not sending.cancelled() and (error := sending.exception()):
        raise error
    return ended_by


def is_finished(turn: Turn) -> bool:
    """Whether this is the last of a turn's messages in a stream that asked for formatting."""
    return turn.end_of_turn and turn.turn_is_formatted


async def _read(client: AsyncClient) -> None:
    with suppress(SessionClosed):
        async for _ in client:
            pass


async def _send(client: AsyncClient, audio: AsyncIterable[bytes]) -> None:
    # If the stream is over, the client tells how.
    with suppress(SessionClosed):
        await client.stream(audio)


@contextmanager
def _on_signals(interrupt: Callable[[int], None]) -> Iterator[None]:
    """The first Ctrl-C or termination calls `interrupt`; the next does what it always does."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def once(number: int) -> None:
        stop()
        interrupt(number)

    def stop() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, once, number)
    try:
        yield
    finally:
        stop()
