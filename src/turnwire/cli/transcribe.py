"""`turnwire transcribe`: a file or a microphone in, a transcript out."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from turnwire.cli.conversation import INTERRUPTED, converse, is_finished
from turnwire.cli.failures import fail
from turnwire.cli.formats import FORMATS, Format, Text
from turnwire.cli.local import DEFAULT_MODEL, local_server
from turnwire.cli.sources import SPEECH_RATE, Source, from_file, from_stdin
from turnwire.cli.times import minutes
from turnwire.client import AsyncClient, ClientError, Turn


def transcribe(
    file: Annotated[
        str,
        typer.Argument(
            help="An audio or video file of any common kind; - reads raw PCM (signed 16 bits, "
            "little-endian, mono) from standard input.",
            metavar="FILE",
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(
            help="The server to use, such as ws://localhost:8080. Without it, one is started for "
            "this command.",
            metavar="URL",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="TURNWIRE_API_KEY", help="Your key for that server.", show_envvar=True),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="The model of the server started for this command, as in `turnwire serve`; "
            f"{DEFAULT_MODEL} if left out.",
            metavar="MODEL",
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to write the transcript.")] = Format.TEXT,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            help=f"Samples per second of the raw PCM on standard input; {SPEECH_RATE} if left out.",
            min=8_000,
            max=96_000,
            metavar="HZ",
        ),
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            help="Which audio track of the file to read: its number, from 1, or its language, such "
            "as en. Without it, the one that the file marks as its default, or else the first.",
            metavar="N|LANG",
        ),
    ] = None,
) -> None:
    """Transcribe a recording, or what a microphone hears, to standard output.

    Audio is streamed in real time: a recording takes as long as it lasts, and each turn is
    written as soon as it is finished. From a microphone, until Ctrl-C:

    arecord -q -f S16_LE -r 16000 -c 1 -t raw | turnwire transcribe -
    """
    if url is not None and model is not None:
        raise typer.BadParameter("A server named by --url has its own.", param_hint="--model")
    if file != "-" and sample_rate is not None:
        raise typer.BadParameter("A file has its own.", param_hint="--sample-rate")
    if file == "-" and track is not None:
        raise typer.BadParameter("Raw audio has one track.", param_hint="--track")
    opening = from_stdin(sample_rate or SPEECH_RATE) if file == "-" else from_file(file, track)
    try:
        with opening as source:
            server = _named(url, api_key) if url else local_server(model or DEFAULT_MODEL)
            asyncio.run(_transcribe(source, server, FORMATS[format]()))
    except ClientError as error:
        fail(str(error))


@asynccontextmanager
async def _named(url: str, api_key: str | None) -> AsyncIterator[tuple[str, str | None]]:
    yield url, api_key


async def _transcribe(
    source: Source,
    serving: AbstractAsyncContextManager[tuple[str, str | None]],
    written: Text,
) -> None:
    async with AsyncExitStack() as stack:
        url, api_key = await stack.enter_async_context(serving)
        client = await stack.enter_async_context(
            AsyncClient(url, api_key=api_key, sample_rate=source.sample_rate, format_turns=True)
        )
        with _Progress(source.seconds) as progress:

            def write(text: str) -> None:
                if text:
                    with progress.out_of_the_way():
                        typer.echo(text, nl=False)

            any_words = False

            def hear(turn: Turn) -> None:
                nonlocal any_words
                if is_finished(turn):
                    any_words = any_words or bool(turn.words)
                    write(written.turn(turn))

            write(written.opening)
            try:
                interrupted = await converse(client, source.watched(progress.sent), hear)
            finally:
                # Also of a file that turned out to be damaged: what was recognised is written.
                if client.closure is not None:
                    write(written.ending(client.sessions, client.audio_seconds))
        assert client.closure is not None
        if not client.closure.complete:
            fail(f"The session ended early: {client.closure}")
        if not any_words:
            typer.echo(source.why_no_words(), err=True)
        if interrupted and not source.live:
            raise typer.Exit(INTERRUPTED)


class _Progress:
    """How much audio has been sent, on stderr if that is a terminal."""

    def __init__(self, seconds: float | None) -> None:
        self._shown = Progress(
            BarColumn(),
            TextColumn("{task.fields[position]}"),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            # The transcript goes to stdout itself, never into this display.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not sys.stderr.isatty(),
        )
        self._of = f" of {minutes(seconds)}" if seconds else ""
        self._task = self._shown.add_task("", total=seconds, position="")

    def __enter__(self) -> Self:
        self._shown.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.stop()

    @contextmanager
    def out_of_the_way(self) -> Iterator[None]:
        """While something else is written, perhaps to the same terminal."""
        self._shown.stop()
        yield
        self._shown.start()

    def sent(self, seconds: float) -> None:
        self._shown.update(
            self._task, completed=seconds, position=minutes(seconds) + self._of, refresh=True
        )
