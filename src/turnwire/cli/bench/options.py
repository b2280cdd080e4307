"""Options that several of the commands have."""

from pathlib import Path
from typing import Annotated

import typer

Clips = Annotated[
    Path | None,
    typer.Option(
        help="A folder of recordings. A manifest.jsonl in it, with `file`, `reference` and "
        "`ref_kind` in each line, has word error rates counted. Without this option, a recording "
        "of the demo is played.",
        metavar="DIR",
    ),
]
Model = Annotated[
    str,
    typer.Option(
        help="The model, as in `turnwire serve`; it runs on what TURNWIRE_DEVICE says.",
        metavar="MODEL",
    ),
]
Noise = Annotated[
    float | None,
    typer.Option(help="Mix white noise in, this far below the recordings.", metavar="DB"),
]
Babble = Annotated[
    float | None,
    typer.Option(help="Mix other recordings' voices in, this far below.", metavar="DB"),
]
Telephone = Annotated[
    bool, typer.Option("--telephone", help="Cut to a telephone's band, 300 to 3,400 Hz.")
]
Each = Annotated[
    bool, typer.Option("--each", help="Show what was not heard as it was said, clip by clip.")
]
Json = Annotated[
    Path | None, typer.Option("--json", help="Write the figures here as well.", metavar="FILE")
]
