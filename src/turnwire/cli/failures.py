"""How a command fails: one sentence on stderr and an exit code, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from turnwire.cli.tables import visible


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say why and leave."""
    typer.echo(visible(sentence), err=True)
    raise typer.Exit(code)


@contextmanager
def needs_server(extras: str = "server,tiny-en") -> Iterator[None]:
    """Around imports that the base install, which is the client, does not have."""
    try:
        yield
    except ModuleNotFoundError as error:
        fail(
            f"This command runs a server and {error.name} is not installed: "
            f'pip install "turnwire[{extras}]"'
        )
