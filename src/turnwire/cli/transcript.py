"""A transcript as it comes into being: live captions on a terminal, the transcript on stdout."""

import asyncio
import logging
import math
import shutil
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from pathlib import Path

import typer
from rich.console import Console

from turnwire.cli.conversation import SIGNALLED, converse, is_finished
from turnwire.cli.failures import INCOMPLETE, explained, fail
from turnwire.cli.formats import FORMATS, Format
from turnwire.cli.local import DEFAULT_MODEL, local_server
from turnwire.cli.screen import Screen
from turnwire.cli.sources import Source
from turnwire.client import AsyncClient, ClientError, Gap, Progress, Turn, errors
from turnwire.client.messages import ServerMessage

KEPT_SECONDS = 3 * 60 * 60
"""How much audio is kept in a temporary file, to be sent again after a loss."""


def write_transcript(
    opening: AbstractContextManager[Source],
    *,
    url: str | None,
    api_key: str | None,
    ca_file: Path | None,
    model: str | None,
    format: Format,
    verbose: bool,
) -> None:
    """Have the source transcribed, by the server named or by one of this command's own."""
    if url is not None and model is not None:
        raise typer.BadParameter("A server named by --url has its own.", param_hint="--model")
    server = _named(url, api_key) if url else local_server(model or DEFAULT_MODEL)
    try:
        with opening as source, nullcontext() if verbose else _client_logs(logging.ERROR):
            asyncio.run(_transcribe(source, server, ca_file, format, verbose=verbose))
    except ClientError as error:
        fail(explained(error, verbose=verbose))


@contextmanager
def _client_logs(level: int) -> Iterator[None]:
    """What the client does about a lost connection shows in the transcript, or as a gap."""
    logger = logging.getLogger("turnwire.client")
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)


@asynccontextmanager
async def _named(url: str, api_key: str | None) -> AsyncIterator[tuple[str, str | None]]:
    yield url, api_key


async def _transcribe(
    source: Source,
    serving: AbstractAsyncContextManager[tuple[str, str | None]],
    ca_file: Path | None,
    format: Format,
    *,
    verbose: bool,
) -> None:
    written = FORMATS[format]()
    wraps = format is Format.TEXT and sys.stdout.isatty()
    stop = asyncio.Event()
    failure: OSError | None = None
    any_words = False
    gaps: list[Gap] = []
    told = 0  # how many of the source's
    async with AsyncExitStack() as stack:
        url, api_key = await stack.enter_async_context(serving)

        def write(text: str) -> None:
            nonlocal failure
            if not text or failure is not None:
                return
            try:
                with screen.out_of_the_way():
                    typer.echo(_wrapped(text) if wraps else text, nl=False)
            except OSError as error:
                failure = error
                stop.set()

        def hear(turn: Turn) -> None:
            nonlocal any_words
            if is_finished(turn):
                any_words = any_words or bool(turn.words)
                screen.clear()
                miss_before(turn.words[0].start if turn.words else 0)
                write(written.turn(turn))
            elif not turn.end_of_turn:
                screen.hear(turn)

        def miss(start: int, end: int, reason: str) -> None:
            gaps.append(Gap(start, end, reason))
            write(written.gap(gaps[-1]))

        def miss_before(ms: float) -> None:
            """Tell of what the source lost before this time."""
            nonlocal told
            while told < len(source.gaps) and source.gaps[told].start < ms:
                gap = source.gaps[told]
                told += 1
                miss(gap.start, gap.end, gap.reason)

        def sent(seconds: float) -> None:
            if not client.takes_recordings:  # Of those it is told how much was heard.
                screen.sent(seconds)

        def get_on(message: ServerMessage) -> None:
            if isinstance(message, Progress):
                screen.heard(message.audio_heard_ms / 1000)

        client = AsyncClient(
            url,
            api_key=api_key,
            ca_file=ca_file,
            replay_seconds=KEPT_SECONDS,
            spool=True,
            on_turn=hear,
            on_gap=miss,
            on_error=lambda error: None,
            on_event=get_on,
            sample_rate=source.sample_rate,
            format_turns=True,
            recording=not source.live,
        )
        screen = stack.enter_context(Screen(Console(stderr=True), source.seconds))
        await client.connect()
        stack.push_async_exit(client)
        write(written.opening)
        try:
            if at_once := client.takes_recordings:
                screen.heard(0.0)
            ended_by = await converse(client, source.watched(sent, at_once=at_once), stop)
        finally:
            # Also of a file that turned out to be damaged: what was recognised is written.
            await client.close()
            miss_before(math.inf)
            write(written.ending(client.sessions, client.audio_seconds))
    if failure is not None:
        raise failure
    closure = client.closure
    assert closure is not None
    if not closure.terminated:
        ended = explained(errors.raised_for(closure), verbose=verbose)
        fail(ended, INCOMPLETE if gaps else 1)
    if gaps:
        lost = sum(gap.end - gap.start for gap in gaps) / 1000
        fail(f"The transcript is incomplete: {lost:.1f} s of audio are missing.", INCOMPLETE)
    if not any_words:
        typer.echo(source.why_no_words(), err=True)
    if ended_by and not (source.live and ended_by == signal.SIGINT):
        raise typer.Exit(SIGNALLED + ended_by)


def _wrapped(text: str) -> str:
    """The lines as a terminal shows them whole: cut between words."""
    width = shutil.get_terminal_size().columns
    lines = (
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "".join(f"{line}\n" for line in lines)
