"""Live captions on a terminal: what is being said changes in place, finished turns stay."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from turnwire.cli.times import minutes
from turnwire.client import Turn

BAR_CHARACTERS = 30

LEARNING_SECONDS = 2.0
"""How long it takes until what is left can be estimated."""


class Screen:
    """The turn that is being said, and how far the audio has come; nothing where there is no
    terminal."""

    def __init__(
        self,
        console: Console,
        seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is how long the audio lasts, if that is known; `clock` gives seconds."""
        self._seconds = seconds
        self._clock = clock
        self._began = clock()
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
        self._position: RenderableType = Text()

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
        self._reach(seconds, "sent")

    def heard(self, seconds: float) -> None:
        self._reach(seconds, "heard")

    def _reach(self, seconds: float, done: str) -> None:
        if not self._seconds:
            self._position = Text(f"{minutes(seconds)} {done}", style="dim")
        else:
            text = f"{minutes(seconds)} of {minutes(self._seconds)} {done}{self._left(seconds)}"
            self._position = grid = Table.grid(padding=(0, 2))
            bar = ProgressBar(total=self._seconds, completed=seconds, width=BAR_CHARACTERS)
            grid.add_row(bar, Text(text, style="dim"))
        self._refresh()

    def _left(self, seconds: float) -> str:
        """What is left at the pace so far."""
        passed = self._clock() - self._began
        if not self._seconds or not seconds or passed < LEARNING_SECONDS:
            return ""
        left = math.ceil(max(self._seconds - seconds, 0.0) * passed / seconds)
        return f", {left // 60}:{left % 60:02} left"

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
    text = Text()
    for word in turn.words:
        text.append("" if word.joined or not text else " ")
        text.append(word.text, style="bold" if word.word_is_final else "dim")
    return text
