"""`turnwire listen`: what a microphone hears, as live captions and a transcript."""

from typing import Annotated

import typer

from turnwire.cli.formats import Format
from turnwire.cli.microphones import from_microphone, microphones
from turnwire.cli.options import ApiKey, CaFile, Model, Url, Verbose
from turnwire.cli.tables import show
from turnwire.cli.transcript import write_transcript


def listen(
    url: Url = None,
    api_key: ApiKey = None,
    ca_file: CaFile = None,
    model: Model = None,
    format: Annotated[Format, typer.Option(help="How to write the transcript.")] = Format.TEXT,
    device: Annotated[
        str | None,
        typer.Option(
            help="The microphone, by its number or a part of its name; the system's own choice if "
            "left out.",
            metavar="DEVICE",
        ),
    ] = None,
    devices: Annotated[bool, typer.Option("--devices", help="List the microphones.")] = False,
    verbose: Verbose = False,
) -> None:
    """Transcribe what a microphone hears, until Ctrl-C.

    What is being said is shown while it is said, and each turn is written as soon as it is
    finished. Needs `pip install "turnwire[mic]"`.
    """
    if devices:
        found = microphones()
        show(("Number", "Name", "Channels"), ((m.number, m.name, m.channels) for m in found))
        return
    write_transcript(
        from_microphone(device),
        url=url,
        api_key=api_key,
        ca_file=ca_file,
        model=model,
        format=format,
        verbose=verbose,
    )
