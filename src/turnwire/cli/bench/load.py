"""Sessions in real time, their latency, and their cost."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from turnwire.cli.bench.capacity import search_capacity
from turnwire.cli.bench.options import Clips, Json, Model
from turnwire.cli.bench.report import show_speech, write
from turnwire.cli.bench.running import measured, measuring
from turnwire.cli.bench.stress import disturbed, overloaded
from turnwire.cli.local import DEFAULT_MODEL

LOAD_SECONDS = 60.0
SEARCH_SECONDS = 60.0
OVERLOAD_SECONDS = 300.0
ALL_SPEECH = 1.0
CONVERSATION = 0.5
"""What a server takes a session for when it says how many it admits."""


def bench(
    context: typer.Context,
    sessions: Annotated[int, typer.Option(help="How many at once.", min=1)] = 1,
    clips: Clips = None,
    duty: Annotated[
        float | None,
        typer.Option(
            help=f"How much of the audio is speech: {CONVERSATION:g} is a conversation, and what "
            f"--overload plays if this is left out; all else plays {ALL_SPEECH:g}.",
            min=0.1,
            max=1.0,
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            help=f"How long each session lasts; {LOAD_SECONDS:g} if left out, "
            f"{SEARCH_SECONDS:g} for each step of --find-capacity.",
            min=1,
        ),
    ] = None,
    model: Model = DEFAULT_MODEL,
    json_file: Json = None,
    find_capacity: Annotated[
        bool,
        typer.Option(
            "--find-capacity",
            help="Search the most sessions that are all in real time: every turn within a second "
            "of the silence that ends it.",
        ),
    ] = False,
    disturb: Annotated[
        float | None,
        typer.Option(
            help="Stop the server for so many seconds amid the sessions, and see whether every "
            "turn ends in time again 10 s later.",
            min=1,
            metavar="SECONDS",
        ),
    ] = None,
    overload: Annotated[
        bool,
        typer.Option(
            "--overload",
            help="Hold 1.5 times the conversations that the server would admit, for "
            f"{OVERLOAD_SECONDS:g} s if --seconds is left out.",
        ),
    ] = False,
    write_limit: Annotated[
        Path | None,
        typer.Option(
            help="With --find-capacity: set max_sessions in this file, for `turnwire serve "
            "--config FILE`. Whatever else it says stays.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Measure what this machine holds: sessions in real time, their latency, and their cost.

    A server runs in a process of its own, and this one plays speech to it in real time, over real
    sockets. Other work on the machine shows in the figures.
    """
    if context.invoked_subcommand is not None:
        return
    if write_limit is not None and not find_capacity:
        raise typer.BadParameter("It goes with --find-capacity.", param_hint="--write-limit")
    if overload:
        overloaded(clips, model, duty or CONVERSATION, seconds or OVERLOAD_SECONDS, json_file)
        return
    duty = duty or ALL_SPEECH
    if disturb is not None:
        disturbed(clips, model, sessions, duty, seconds or LOAD_SECONDS, disturb, json_file)
        return
    if find_capacity:
        search_capacity(clips, model, duty, seconds or SEARCH_SECONDS, json_file, write_limit)
        return
    with measuring():
        from turnwire.bench.speech import measure_load

        measure = partial(
            measure_load,
            model=model,
            sessions=sessions,
            seconds=seconds or LOAD_SECONDS,
            duty=duty,
        )
        figures = measured(clips, model, measure, f"{sessions} sessions")
    show_speech(figures)
    write(figures, json_file)
