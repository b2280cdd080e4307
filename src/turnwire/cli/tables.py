"""Tables on standard output, and how they say what they have in them."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

NOTHING = "–"

UNLIMITED = "unlimited"

_NO_EDGE = 10_000


def show(head: Sequence[str], rows: Iterable[Sequence[str | float]]) -> None:
    """Print a table. Columns with numbers are flush right; fractions have one digit."""
    Columns(head).show(list(rows))


class Columns:
    """A table that is printed page by page: its first page says how wide the columns are."""

    def __init__(self, head: Sequence[str]) -> None:
        self._head = head
        self._widths: list[int] = []
        self._numeric: list[bool] = []
        # Only a terminal has an edge to wrap lines at. A name in brackets is no markup.
        width = None if sys.stdout.isatty() else _NO_EDGE
        self._console = Console(width=width, markup=False, emoji=False, highlight=False)

    def show(self, rows: Sequence[Sequence[str | float]]) -> None:
        first = not self._widths
        cells = [[_cell(value) for value in row] for row in rows]
        if first:
            columns = list(zip(*rows, strict=True)) or [()] * len(self._head)
            self._numeric = [any(isinstance(v, int | float) for v in each) for each in columns]
            self._widths = [
                max(map(len, (title, *column)))
                for title, *column in zip(self._head, *cells, strict=True)
            ]
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=first)
        for title, width, numeric in zip(self._head, self._widths, self._numeric, strict=True):
            table.add_column(title, justify="right" if numeric else "left", min_width=width)
        for row in cells:
            table.add_row(*row)
        self._console.print(table)


def moment(unix_time: float | None) -> str:
    """A point in time to the second, in UTC."""
    if unix_time is None:
        return NOTHING
    return f"{datetime.fromtimestamp(unix_time, UTC):%Y-%m-%d %H:%M:%S}"


def limit(value: float | None) -> float | str:
    return UNLIMITED if value is None else value


def visible(text: str) -> str:
    """The text with what a terminal would obey, such as escape sequences, written out."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _cell(value: str | float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else visible(str(value))
