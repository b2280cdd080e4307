"""`turnwire demo`: real speech through a real server on this machine, live in the terminal."""

import asyncio
import shutil
import sys
from contextlib import AsyncExitStack
from importlib import metadata
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from turnwire.cli.conversation import SIGNALLED, converse, is_finished
from turnwire.cli.failures import explained, fail
from turnwire.cli.local import DEFAULT_MODEL, local_server
from turnwire.cli.screen import Screen, line
from turnwire.cli.sources import Source, from_file
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
        fail(explained(error))


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

        def hear(turn: Turn) -> None:
            if is_finished(turn) and turn.words:
                screen.clear()
                with screen.out_of_the_way():
                    console.print(line(turn, Text(turn.transcript, "bold")))
            elif not turn.end_of_turn:
                screen.hear(turn)

        client = AsyncClient(
            url, api_key=api_key, on_turn=hear, sample_rate=source.sample_rate, format_turns=True
        )
        begin = await client.connect()
        stack.push_async_exit(client)
        console.print(f"Server   {url}/v3/ws, model {model}", style="dim")
        console.print(f"Session  {begin.id}", style="dim")
        console.print()
        with Screen(console, source.seconds) as screen:
            ended_by = await converse(client, source.watched(screen.sent))
            await client.close()
        assert client.closure is not None
        _tell_the_end(console, client.closure)
        if not client.closure.complete:
            raise typer.Exit(1)
        if ended_by:
            raise typer.Exit(SIGNALLED + ended_by)


def _tell_the_end(console: Console, closure: Closure) -> None:
    console.print()
    if closure.complete:
        console.print(
            f"Termination  {closure.audio_seconds:g} s of audio "
            f"in a session of {closure.session_seconds:g} s"
        )
    console.print(f"Closed       {closure}")
    console.print()
    turnwire = _command()
    console.print(
        f"Next, try `{turnwire} transcribe FILE` with a recording of your own,\n"
        f"or `{turnwire} serve` for a server that any client of the protocol can use.",
        soft_wrap=True,
        markup=False,
    )


def _command() -> str:
    """How to call this program once more."""
    if shutil.which("turnwire"):
        return "turnwire"
    # In a clone it lies in .venv, where no shell finds it by its name.
    called = sys.argv[0]
    return "python -m turnwire" if Path(called).name == "__main__.py" else called
