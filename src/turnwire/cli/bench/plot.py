"""What was measured, as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from turnwire.cli.bench.running import measuring
from turnwire.cli.failures import fail


def plot(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="What --find-capacity wrote with --json, or several runs of `turnwire bench`.",
            metavar="FILES...",
        ),
    ],
    svg: Annotated[Path, typer.Option(help="Where the chart goes.", metavar="FILE")],
) -> None:
    """Draw how late turns end over the number of sessions, as SVG that is light or dark as the
    reader's screen is."""
    with measuring():
        from turnwire.bench.plot import plot as draw

        chart = draw(files)
    try:
        svg.parent.mkdir(parents=True, exist_ok=True)
        svg.write_text(chart)
    except OSError as error:
        fail(f"Cannot write {svg}: {error.strerror}.")
