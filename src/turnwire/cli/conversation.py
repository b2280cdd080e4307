"""A stream as a command holds one: audio goes out while turns come in, until the end."""

import asyncio
import signal
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager, suppress

from turnwire.client import AsyncClient, SessionClosed, Turn

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""


async def converse(
    client: AsyncClient, audio: AsyncIterable[bytes], hear: Callable[[Turn], None]
) -> bool:
    """Send the audio and end the stream; `hear` gets every turn until its end.

    Gives whether Ctrl-C cut the audio short: what was said until then is still heard. A second
    Ctrl-C interrupts that, too. What the source of the audio raises is raised once the stream has
    ended; how it ended, the client tells.
    """
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        sending.cancel()

    reading = asyncio.create_task(_read(client, hear))
    sending = asyncio.create_task(_send(client, audio))
    with _on_ctrl_c(interrupt):
        await asyncio.wait((reading, sending), return_when=asyncio.FIRST_COMPLETED)
        sending.cancel()
        await asyncio.wait((sending,))
        await client.terminate()
        await reading
    if not sending.cancelled() and (error := sending.exception()):
        raise error
    return interrupted


def is_finished(turn: Turn) -> bool:
    """Whether this is the last of a turn's messages in a stream that asked for formatting."""
    return turn.end_of_turn and turn.turn_is_formatted


async def _read(client: AsyncClient, hear: Callable[[Turn], None]) -> None:
    with suppress(SessionClosed):
        async for turn in client:
            hear(turn)


async def _send(client: AsyncClient, audio: AsyncIterable[bytes]) -> None:
    # If the stream is over, the client tells how.
    with suppress(SessionClosed):
        await client.stream(audio)


@contextmanager
def _on_ctrl_c(interrupt: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C calls `interrupt`; the next one does what Ctrl-C always does."""
    loop = asyncio.get_running_loop()

    def once() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        interrupt()

    loop.add_signal_handler(signal.SIGINT, once)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
