"""`turnwire demo`: real speech through a real server on this machine, live in the terminal."""

import asyncio
import sys
from contextlib import AsyncExitStack
from importlib import metadata
from pathlib import Path
from typing import Self

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from turnwire.cli.conversation import INTERRUPTED, converse, is_finished
from turnwire.cli.failures import fail
from turnwire.cli.local import DEFAULT_MODEL, local_server
from turnwire.cli.sources import Source, from_file
from turnwire.cli.times import minutes
from turnwire.client import AsyncClient, ClientError, Closure, Turn

PACKAGE = "moonshine-voice"
RECORDING = "two_cities.wav"

_NO_EDGE = 10_000


def demo() -> None:
    """Watch 44 seconds of Dickens being transcribed, live.

    Starts a server on a free port of this machine, streams a recording to it over a WebSocket in
    real time, and shows what comes back: words as they are recognized (bright once they are
    final), turns as they end, and how the session closes.
    """
    try:
        with from_file(str(recording())) as source:
            asyncio.run(show(source, DEFAULT_MODEL, _console()))
    except ClientError as error:
        fail(str(error))


def recording() -> Path:
    """The recording, which is part of a package of speech models (nothing else of it is used)."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    paths = (Path(str(file.locate())) for file in files if file.name == RECORDING)
    path = next(filter(Path.is_file, paths), None)
    if path is None:
        fail(
            f"What is played, {RECORDING}, is in the package {PACKAGE}, which is not installed: "
            'pip install "turnwire[demo]"'
        )
    return path


def _console() -> Console:
    # Only a terminal has an edge to wrap lines at.
    return Console(highlight=False, width=None if sys.stdout.isatty() else _NO_EDGE)


async def show(source: Source, model: str, console: Console) -> None:
    """Stream the source to a server of our own and show what it says."""
    async with AsyncExitStack() as stack:
        url, api_key = await stack.enter_async_context(local_server(model))
        client = AsyncClient(
            url, api_key=api_key, sample_rate=source.sample_rate, format_turns=True
        )
        begin = await client.connect()
        stack.push_async_exit(client)
        with _Screen(console, source.seconds) as screen:
            screen.begun(url, model, begin.id)
            interrupted = await converse(client, source.watched(screen.sent), screen.hear)
        assert client.closure is not None
        _tell_the_end(console, client.closure)
        if not client.closure.complete:
            raise typer.Exit(1)
        if interrupted:
            raise typer.Exit(INTERRUPTED)


class _Screen:
    """Finished turns as lines; on a terminal, what is being said changes in place below them."""

    def __init__(self, console: Console, seconds: float | None) -> None:
        self._console = console
        self._of = f" of {minutes(seconds)}" if seconds else ""
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._turn: RenderableType = Text()
        self._position = Text()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begun(self, url: str, model: str, session: str) -> None:
        self._console.print(f"Server   {url}/v3/ws, model {model}", style="dim")
        self._console.print(f"Session  {session}", style="dim")
        self._console.print()

    def hear(self, turn: Turn) -> None:
        if not turn.words:
            return
        if is_finished(turn):
            self._turn = Text()
            self._refresh()
            self._console.print(_line(turn, Text(turn.transcript, "bold")))
        else:
            self._turn = _line(turn, _spoken(turn))
            self._refresh()

    def sent(self, seconds: float) -> None:
        self._position = Text(f"{minutes(seconds)}{self._of} sent", style="dim")
        self._refresh()

    def _refresh(self) -> None:
        self._live.update(Group(self._turn, self._position), refresh=True)


def _line(turn: Turn, text: Text) -> Table:
    start, end = turn.words[0].start / 1000, turn.words[-1].end / 1000
    line = Table.grid(padding=(0, 2))
    line.add_row(Text(f"{minutes(start)}–{minutes(end)}", "cyan"), text)
    return line


def _spoken(turn: Turn) -> Text:
    """The words so far: bright if they are final, dim if they may still change."""
    return Text(" ").join(
        Text(word.text, style="bold" if word.word_is_final else "dim") for word in turn.words
    )


def _tell_the_end(console: Console, closure: Closure) -> None:
    console.print()
    if closure.complete:
        console.print(
            f"Termination  {closure.audio_seconds:g} s of audio "
            f"in a session of {closure.session_seconds:g} s"
        )
    console.print(f"Closed       {closure}")
    console.print()
    console.print(
        "Next, try `turnwire transcribe FILE` with a recording of your own,\n"
        "or `turnwire serve` for a server that any client of the protocol can use."
    )
