"""The most sessions that are all in real time."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from turnwire.cli.bench.report import show, step, write
from turnwire.cli.bench.running import measuring, with_speech

if TYPE_CHECKING:
    from turnwire.bench.clips import Clip
    from turnwire.bench.serving import BenchServer
    from turnwire.bench.speech import SpeechFigures


def search_capacity(
    clips: Path | None,
    model: str,
    duty: float,
    seconds: float,
    json_file: Path | None,
    limit: Path | None,
) -> None:
    with measuring():
        from turnwire.bench.capacity import (
            CapacityFigures,
            find_capacity,
            read_settings,
            write_limit,
        )
        from turnwire.bench.machine import this_machine
        from turnwire.bench.speech import measure_load

        if limit is not None:
            # It would be a pity to find out at the end.
            read_settings(limit)
        machine = this_machine()
        steps: list[SpeechFigures] = []

        async def search(server: "BenchServer", played: "list[Clip]") -> int:
            async def holds(sessions: int) -> bool:
                figures, _ = await measure_load(
                    server, played, model=model, sessions=sessions, seconds=seconds, duty=duty
                )
                steps.append(figures)
                typer.echo(step(figures))
                return figures.holds

            return await find_capacity(holds, start=2 * machine.cores)

        capacity = with_speech(clips, model, search, "ever more sessions")
        figures = CapacityFigures(
            model, duty, capacity, round(capacity / machine.cores, 1), steps, machine
        )
        if limit is not None and capacity:
            write_limit(limit, capacity)
    show(
        machine,
        ("Sessions that this machine holds", f"{capacity} ({model}, {100 * duty:g} % speech)"),
        ("For each core", f"{figures.sessions_per_core:.1f}"),
    )
    if limit is not None and capacity:
        typer.echo(f"\n{limit} now says max_sessions = {capacity}.")
    write(figures, json_file)
