"""What a command has to say: for people, or as JSON."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import typer
from pydantic import TypeAdapter

from turnwire.cli.tables import Columns, show, visible

V = TypeVar("V")


class Outcome(Protocol):
    async def tell(self, *, as_json: bool) -> None:
        """Print it."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of what was done, and what it was done to."""

    line: str
    view: object
    """A model or a dataclass."""

    async def tell(self, *, as_json: bool) -> None:
        typer.echo(_json(self.view) if as_json else visible(self.line))


@dataclass(frozen=True, slots=True)
class Secret:
    """What is shown once, alone on standard output; the line is for people."""

    secret: str
    line: str
    view: object
    undo: Callable[[], Awaitable[object]] | None = None
    """Done if it cannot be shown."""

    async def tell(self, *, as_json: bool) -> None:
        try:
            typer.echo(_json(self.view) if as_json else self.secret)
        except OSError:
            if self.undo is not None:
                await self.undo()
            raise
        if not as_json:
            typer.echo(visible(self.line), err=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is known of one thing."""

    lines: Sequence[tuple[str, str]]
    view: object

    async def tell(self, *, as_json: bool) -> None:
        if as_json:
            typer.echo(_json(self.view))
        else:
            show(("", ""), self.lines)


@dataclass(frozen=True, slots=True)
class Listing(Generic[V]):
    """Many of a kind, page by page."""

    head: Sequence[str]
    row: Callable[[V], Sequence[str | float]]
    pages: AsyncIterator[Sequence[V]]

    async def tell(self, *, as_json: bool) -> None:
        if as_json:
            await self._tell_json()
            return
        columns = Columns(self.head)
        async for page in self.pages:
            columns.show([self.row(item) for item in page])

    async def _tell_json(self) -> None:
        before = "["
        async for page in self.pages:
            for item in page:
                typer.echo(f"{before}{_json(item)}", nl=False)
                before = ",\n "
        typer.echo("[]" if before == "[" else "]")


async def one_page(items: Awaitable[Sequence[V]]) -> AsyncIterator[Sequence[V]]:
    """The pages of what is there all at once."""
    yield await items


def _json(view: object) -> str:
    """A model or a dataclass as one line; what was not set of a model is left out."""
    content = TypeAdapter(type(view)).dump_python(view, mode="json", exclude_unset=True)
    return json.dumps(content, ensure_ascii=False)
