"""Live captions on a terminal: what is being said changes in place, finished turns stay."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from turnwire.cli.times import minutes
from turnwire.client import Turn


class Screen:
    """The turn that is being said, and how much audio was sent; nothing where there is no
    terminal."""

    def __init__(self, console: Console, seconds: float | None) -> None:
        self._of = f" of {minutes(seconds)}" if seconds else ""
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            # A transcript that goes to stdout is written there itself, never into this display.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._shown = console.is_terminal
        self._turn: RenderableType = Text()
        self._position = Text()

    def __enter__(self) -> Self:
        if self._shown:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def hear(self, turn: Turn) -> None:
        """Show the words so far: bright if they are final, dim if they may still change."""
        if turn.words:
            self._turn = line(turn, _spoken(turn))
            self._refresh()

    def clear(self) -> None:
        """The turn is over."""
        self._turn = Text()
        self._refresh()

    def sent(self, seconds: float) -> None:
        self._position = Text(f"{minutes(seconds)}{self._of} sent", style="dim")
        self._refresh()

    @contextmanager
    def out_of_the_way(self) -> Iterator[None]:
        """While something else is written, perhaps to the same terminal."""
        if self._shown:
            self._live.stop()
        yield
        if self._shown:
            self._live.start()

    def _refresh(self) -> None:
        if self._shown:
            self._live.update(Group(self._turn, self._position), refresh=True)


def line(turn: Turn, text: Text) -> Table:
    """The turn's times, and its text beside them, wrapped between words."""
    start, end = turn.words[0].start / 1000, turn.words[-1].end / 1000
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text(f"{minutes(start)}–{minutes(end)}", "cyan"), text)
    return grid


def _spoken(turn: Turn) -> Text:
    return Text(" ").join(
        Text(word.text, style="bold" if word.word_is_final else "dim") for word in turn.words
    )
