"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from turnwire.cli.local import DEFAULT_MODEL

Url = Annotated[
    str | None,
    typer.Option(
        help="The server to use, such as ws://localhost:8080. Without it, one is started for "
        "this command.",
        metavar="URL",
    ),
]

ApiKey = Annotated[
    str | None,
    typer.Option(envvar="TURNWIRE_API_KEY", help="Your key for that server.", show_envvar=True),
]

CaFile = Annotated[
    Path | None,
    typer.Option(
        help="The certificates of the authorities to trust, such as that of a server that signed "
        "its own.",
        metavar="FILE",
    ),
]

Model = Annotated[
    str | None,
    typer.Option(
        help="The model of the server started for this command, as in `turnwire serve`; "
        f"{DEFAULT_MODEL} if left out.",
        metavar="MODEL",
    ),
]

Verbose = Annotated[
    bool, typer.Option("--verbose", help="Say what happened in the protocol's words, too.")
]
"""How a failure is told."""
