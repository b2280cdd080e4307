"""A session as a command holds one: audio goes out while messages come in, until the end."""

import asyncio
import signal
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager, suppress

from turnwire.client import Closure, Session, SessionClosed
from turnwire.wire.messages import ServerMessage, Turn

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""


async def converse(
    session: Session, audio: AsyncIterable[bytes], hear: Callable[[ServerMessage], None]
) -> tuple[Closure, bool]:
    """Send the audio and Terminate; `hear` gets every message until the end.

    Gives the session's closure, and whether Ctrl-C cut the audio short: what was said until then
    is still heard. A second Ctrl-C interrupts that, too. What the source of the audio raises is
    raised once the session has ended.
    """
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        sending.cancel()

    reading = asyncio.create_task(_read(session, hear))
    sending = asyncio.create_task(_send(session, audio))
    with _on_ctrl_c(interrupt):
        await asyncio.wait((reading, sending), return_when=asyncio.FIRST_COMPLETED)
        sending.cancel()
        await asyncio.wait((sending,))
        with suppress(SessionClosed):
            await session.terminate()
        closure = await reading
    if not sending.cancelled() and (error := sending.exception()):
        raise error
    return closure, interrupted


def is_finished(turn: Turn) -> bool:
    """Whether this is the last of a turn's messages in a session that asked for formatting."""
    return turn.end_of_turn and turn.turn_is_formatted


async def _read(session: Session, hear: Callable[[ServerMessage], None]) -> Closure:
    async for message in session:
        hear(message)
    assert session.closure is not None
    return session.closure


async def _send(session: Session, audio: AsyncIterable[bytes]) -> None:
    # If the session is over, reading tells how.
    with suppress(SessionClosed):
        async for chunk in audio:
            await session.send(chunk)


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
