"""Words, and how well they are recognized."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turnwire.cli.bench.options import Babble, Each, Json, Model, Noise, Telephone
from turnwire.cli.bench.report import (
    NOT_FINAL,
    show,
    show_differences,
    show_speech,
    show_spreads,
    without_final_row,
    word_rows,
    write,
)
from turnwire.cli.bench.running import ECHO, measuring, scored, with_server
from turnwire.cli.local import DEFAULT_MODEL

if TYPE_CHECKING:
    from turnwire.bench.serving import BenchServer


def accuracy(
    clips: Annotated[
        Path, typer.Option(help="A folder of recordings with a manifest.jsonl.", metavar="DIR")
    ],
    sessions: Annotated[int, typer.Option(help="How many clips at once.", min=1)] = 1,
    model: Model = DEFAULT_MODEL,
    noise: Noise = None,
    babble: Babble = None,
    telephone: Telephone = False,
    each: Each = False,
    json_file: Json = None,
) -> None:
    """Play each clip once, in a session of its own, and compare with the same weights offline."""
    with measuring():
        from turnwire.bench.clips import read_clips
        from turnwire.bench.conditions import Conditions
        from turnwire.bench.speech import measure_clips, warm_up

        played = read_clips(clips, None, Conditions(noise, babble, telephone))

        async def measure(server: "BenchServer") -> Any:
            await warm_up(server, read_clips(clips)[:1])
            return await measure_clips(server, played, model=model, at_once=sessions)

        figures, judged = with_server(model, measure, f"{len(played)} clips")
        figures, differences = scored(model, figures, judged)
    if each:
        show_differences(differences)
    show_speech(figures)
    write(figures, json_file)


def recognition(
    clips: Annotated[
        Path, typer.Option(help="A folder of recordings with a manifest.jsonl.", metavar="DIR")
    ],
    model: Model = DEFAULT_MODEL,
    noise: Noise = None,
    babble: Babble = None,
    telephone: Telephone = False,
    offline: Annotated[
        bool, typer.Option(help="Transcribe the same offline with the same weights, too.")
    ] = True,
    each: Each = False,
    json_file: Json = None,
) -> None:
    """Recognize each clip with the engine alone, as fast as that goes: words, live text, CPU time.

    The figures do not depend on what else the machine does.
    """
    with measuring():
        from turnwire.bench.clips import read_clips
        from turnwire.bench.conditions import Conditions
        from turnwire.bench.recognition import measure_recognition

        conditions = Conditions(noise, babble, telephone)
        figures, differences = asyncio.run(
            measure_recognition(
                read_clips(clips, None, conditions),
                model=model,
                conditions=conditions,
                offline=offline and model != ECHO,
            )
        )
    if each:
        show_differences(differences)
    rows = [
        ("Model", figures.model),
        ("Recognized", f"{figures.audio_seconds:.0f} s of audio"),
        (
            "CPU",
            f"{figures.cpu_ms_per_second:.1f} ms per second of audio, "
            f"{figures.cpu_ms_per_second_finals:.1f} of them for final texts",
        ),
        *word_rows(figures.words),
        without_final_row(figures.not_final, figures.partials_without_final),
    ]
    show(figures.machine, *rows)
    show_spreads((NOT_FINAL, figures.not_final))
    write(figures, json_file)
