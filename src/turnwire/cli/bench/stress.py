"""A server that has too little time."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from turnwire.cli.bench.report import show_speech, show_spreads, write
from turnwire.cli.bench.running import clips_in, measuring, scored, with_server

if TYPE_CHECKING:
    from turnwire.bench.serving import BenchServer


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
        from turnwire.bench.speech import warm_up
        from turnwire.bench.stress import ON_TIME_SECONDS, SETTLED_SECONDS, measure_disturbed

        played = clips_in(clips)

        async def measure(server: "BenchServer") -> Any:
            await warm_up(server, played)
            return await measure_disturbed(
                server,
                played,
                model=model,
                sessions=sessions,
                seconds=seconds,
                without_cpu=without_cpu,
                duty=duty,
            )

        figures, passed = with_server(model, measure, f"{sessions} sessions")
        speech, _ = scored(figures.speech, passed)
        figures = replace(figures, speech=speech)
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
        from turnwire.bench.speech import warm_up
        from turnwire.bench.stress import OVERLOAD_P95_SECONDS, measure_overload

        played = clips_in(clips)

        async def measure(server: "BenchServer") -> Any:
            await warm_up(server, played)
            return await measure_overload(server, played, model=model, seconds=seconds, duty=duty)

        figures, passed = with_server(model, measure, "too many sessions")
        speech, _ = scored(figures.speech, passed)
        figures = replace(figures, speech=speech)
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
