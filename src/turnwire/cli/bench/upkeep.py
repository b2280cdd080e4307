"""What sessions cost apart from recognition."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.bench.options import Json, Model
from turnwire.cli.bench.report import load, show, show_spreads, write
from turnwire.cli.bench.running import ECHO, measuring, with_server

if TYPE_CHECKING:
    from turnwire.bench.upkeep import ChurnFigures, IdleFigures, OverheadFigures


def overhead(
    sessions: Annotated[int, typer.Option(help="How many at once.", min=1)] = 1000,
    seconds: Annotated[float, typer.Option(help="How long each lasts.", min=1)] = 20.0,
    model: Model = ECHO,
    json_file: Json = None,
) -> None:
    """CPU of the server for each frame of 50 ms, without recognition."""
    with measuring():
        from turnwire.bench.upkeep import measure_overhead

        figures: OverheadFigures = with_server(
            model,
            lambda server: measure_overhead(
                server, model=model, sessions=sessions, seconds=seconds
            ),
            f"{sessions} sessions",
        )
    show(
        figures.machine,
        ("CPU of the server for a frame of 50 ms", f"{figures.cpu_us_per_frame:.1f} µs"),
        ("Frames", str(figures.frames)),
        ("Sessions that ended well", f"{figures.ended_well} of {figures.sessions}"),
        ("Load", load(figures.load)),
    )
    show_spreads(("Begin", figures.begin), ("Terminate to close", figures.close))
    write(figures, json_file)


def idle(
    sessions: Annotated[int, typer.Option(help="How many at once.", min=1)] = 5000,
    seconds: Annotated[float, typer.Option(help="How long they are held.", min=1)] = 60.0,
    model: Model = ECHO,
    json_file: Json = None,
) -> None:
    """Memory of a session that sends nothing but KeepAlive, and whether so many hold."""
    with measuring():
        from turnwire.bench.upkeep import measure_idle

        figures: IdleFigures = with_server(
            model,
            lambda server: measure_idle(server, model=model, sessions=sessions, seconds=seconds),
            f"{sessions} idle sessions",
        )
    show(
        figures.machine,
        ("Memory of a session", f"{figures.kb_per_session:.1f} KB"),
        ("CPU of a session", f"{figures.cpu_us_per_session_second:.1f} µs per second"),
        ("Still open at the end", f"{figures.held} of {figures.sessions}"),
    )
    show_spreads(("Begin", figures.begin))
    write(figures, json_file)


def churn(
    sessions: Annotated[int, typer.Option(help="How many, one after another.", min=1)] = 2000,
    model: Model = ECHO,
    json_file: Json = None,
) -> None:
    """Memory before and after many sessions that opened, spoke and closed."""
    with measuring():
        from turnwire.bench.upkeep import measure_churn

        figures: ChurnFigures = with_server(
            model,
            lambda server: measure_churn(server, model=model, sessions=sessions),
            f"{sessions} sessions",
        )
    show(
        figures.machine,
        (
            "Memory before and after",
            f"{figures.memory_before_mb:.1f} MB, {figures.memory_after_mb:.1f} MB "
            f"({figures.growth_percent:+.2f} %)",
        ),
        ("Sessions that ended well", f"{figures.ended_well} of {figures.sessions}"),
        ("Sessions a second", f"{figures.sessions_per_second:.1f}"),
    )
    write(figures, json_file)
