"""The first API key: to a terminal, or to a file that only its owner reads, and never to a log."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from turnwire.cli.lines import LineWriter, why_not

if TYPE_CHECKING:
    from turnwire.accounts.management import Management
    from turnwire.server.settings import Settings

NAME = "first-key"
"""Its file in the data directory, where a server makes it that has no terminal."""

logger = logging.getLogger(__name__)


class KeyNotShown(Exception):
    """A new key could not be handed over; the text is one sentence for the operator."""


def on_terminal() -> bool:
    return sys.stdout.isatty()


async def make_first_key(
    management: "Management", settings: "Settings", output: LineWriter, stop: asyncio.Event
) -> None:
    """What a server does that has no keys. Raises `KeyNotShown`.

    Without a terminal, the key goes into a file beside an SQLite database. Others belong to many
    servers, and `turnwire init` makes their first key.
    """
    if not on_terminal() and settings.database is not None:
        if not await management.has_keys():
            logger.warning("There is no API key yet; `turnwire init` makes the first one.")
        return
    key = await management.create_first_account()
    if key is None:
        return
    try:
        shown = await _hand_over(key, settings, output, stop)
    except BaseException:
        await management.take_back_key(key)
        raise
    if not shown:
        await management.take_back_key(key)


async def _hand_over(
    key: str, settings: "Settings", output: LineWriter, stop: asyncio.Event
) -> bool:
    if on_terminal():
        return await _show(key, output, stop)
    path = settings.data_folder() / NAME
    # One that is there opened a database that is gone.
    with _told(path):
        path.unlink(missing_ok=True)
    write_key(key, path)
    output.write(f"Your API key is in {path}, which only you can read.")
    return True


async def _show(key: str, output: LineWriter, stop: asyncio.Event) -> bool:
    """Whether it was shown: not if nobody reads it until the server is stopped."""
    written = asyncio.wrap_future(output.write(f"Your API key, shown this once: {key}"))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((written, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not written.done():
        written.cancel()
        return False
    if error := written.exception():
        why = why_not(error) if isinstance(error, OSError) else error
        raise KeyNotShown(f"The first API key could not be shown, so it was not made: {why}.")
    return True


def write_key(key: str, path: Path) -> None:
    """Into a new file. Raises `KeyNotShown`; nothing is left then."""
    with _told(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with _told(path), os.fdopen(descriptor, "w") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyNotShown(
            f"The first API key could not be written to {path}, so it was not made: "
            f"{error.strerror or error}."
        ) from None
