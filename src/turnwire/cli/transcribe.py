"""`turnwire transcribe`: a file or raw audio in, a transcript out."""

from typing import Annotated

import typer

from turnwire.cli.formats import Format
from turnwire.cli.options import ApiKey, CaFile, Model, Url, Verbose
from turnwire.cli.sources import SPEECH_RATE, from_file, from_stdin
from turnwire.cli.transcript import write_transcript


def transcribe(
    file: Annotated[
        str,
        typer.Argument(
            help="An audio or video file of any common kind; - reads raw PCM (signed 16 bits, "
            "little-endian, mono) from standard input.",
            metavar="FILE",
        ),
    ],
    url: Url = None,
    api_key: ApiKey = None,
    ca_file: CaFile = None,
    model: Model = None,
    format: Annotated[Format, typer.Option(help="How to write the transcript.")] = Format.TEXT,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            help=f"Samples per second of the raw PCM on standard input; {SPEECH_RATE} if left out.",
            min=8_000,
            max=96_000,
            metavar="HZ",
        ),
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            help="Which audio track of the file to read: its number, from 1, or its language, such "
            "as en. Without it, the one that the file marks as its default, or else the first.",
            metavar="N|LANG",
        ),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Transcribe a recording, or raw audio from a pipe, to standard output.

    A recording is heard as fast as the server has time for it; by another server of the protocol
    as fast as it was spoken. A pipe is heard as it comes. Each turn is written as soon as it is
    finished. On a terminal a bar and the time left are shown meanwhile, and of what is heard as it
    was spoken, what is being said. For a microphone there is `turnwire listen`.

    The exit code is 3 if the transcript has gaps; they are marked in it.
    """
    if file != "-" and sample_rate is not None:
        raise typer.BadParameter("A file has its own.", param_hint="--sample-rate")
    if file == "-" and track is not None:
        raise typer.BadParameter("Raw audio has one track.", param_hint="--track")
    write_transcript(
        from_stdin(sample_rate or SPEECH_RATE) if file == "-" else from_file(file, track),
        url=url,
        api_key=api_key,
        ca_file=ca_file,
        model=model,
        format=format,
        verbose=verbose,
    )
