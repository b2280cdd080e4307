"""A server that has too little time."""

from functools import partial
from pathlib import Path

import typer

from turnwire.cli.bench.report import show_speech, show_spreads, write
from turnwire.cli.bench.running import measured, measuring


def disturbed(
    clips: Path | None,
    model: str,
    sessions: int,
    duty: float,
    seconds: float,
    without_cpu: float,
    json_file: Path | None,
) -> None:
    with measuring():
        from turnwire.bench.stress import ON_TIME_SECONDS, SETTLED_SECONDS, measure_disturbed

        measure = partial(
            measure_disturbed,
            model=model,
            sessions=sessions,
            seconds=seconds,
            without_cpu=without_cpu,
            duty=duty,
        )
        figures = measured(clips, model, measure, f"{sessions} sessions")
    show_speech(figures.speech)
    typer.echo(
        f"\nWithout CPU for {without_cpu:g} s. From {SETTLED_SECONDS:g} s after it was back:\n"
        f"later than {ON_TIME_SECONDS:g} s after its last word: {figures.late_after} final texts; "
        f"ended badly: {figures.ended_badly} sessions; "
        + ("it holds." if figures.holds else "it does not hold.")
    )
    show_spreads(("End of speech to final", figures.final_after))
    write(figures, json_file)


def overloaded(
    clips: Path | None, model: str, duty: float, seconds: float, json_file: Path | None
) -> None:
    with measuring():
        from turnwire.bench.stress import OVERLOAD_P95_SECONDS, measure_overload

        measure = partial(measure_overload, model=model, seconds=seconds, duty=duty)
        figures = measured(clips, model, measure, "too many sessions")
    show_speech(figures.speech)
    typer.echo(
        f"\nThe server would admit {figures.admitted} sessions. Ended badly: "
        f"{figures.ended_badly}. p95 within {OVERLOAD_P95_SECONDS:g} s in each part of the time: "
        + ("it holds." if figures.holds else "it does not hold.")
    )
    show_spreads(
        *(
            (f"beyond the silence asked for, part {number}", spread)
            for number, spread in enumerate(figures.beyond_silence, start=1)
        )
    )
    write(figures, json_file)
