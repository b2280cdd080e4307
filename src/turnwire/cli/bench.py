"""`turnwire bench`: what this machine holds, and what it costs."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from turnwire.cli.bench_report import (
    NOT_FINAL,
    load,
    show,
    show_differences,
    show_speech,
    show_spreads,
    step,
    without_final_row,
    word_rows,
    write,
)
from turnwire.cli.conversation import INTERRUPTED
from turnwire.cli.demo import recording
from turnwire.cli.failures import fail, needs_server
from turnwire.cli.local import DEFAULT_MODEL

if TYPE_CHECKING:
    from turnwire.bench.clips import Clip
    from turnwire.bench.measuring import Passed
    from turnwire.bench.serving import BenchServer
    from turnwire.bench.speech import SpeechFigures
    from turnwire.bench.upkeep import ChurnFigures, IdleFigures, OverheadFigures
    from turnwire.bench.words import Difference

T = TypeVar("T")

EXTRAS = "bench,tiny-en"

ECHO = "echo"

LOAD_SECONDS = 60.0
SEARCH_SECONDS = 60.0
OVERLOAD_SECONDS = 300.0

app = typer.Typer(help="Measure what this machine holds.")

_Clips = Annotated[
    Path | None,
    typer.Option(
        help="A folder of recordings. A manifest.jsonl in it, with `file`, `reference` and "
        "`ref_kind` in each line, has word error rates counted. Without this option, a recording "
        "of the demo is played.",
        metavar="DIR",
    ),
]
_Model = Annotated[str, typer.Option(help="The model, as in `turnwire serve`.", metavar="MODEL")]
_Noise = Annotated[
    float | None,
    typer.Option(help="Mix white noise in, this far below the recordings.", metavar="DB"),
]
_Babble = Annotated[
    float | None,
    typer.Option(help="Mix other recordings' voices in, this far below.", metavar="DB"),
]
_Telephone = Annotated[
    bool, typer.Option("--telephone", help="Cut to a telephone's band, 300 to 3,400 Hz.")
]
_Each = Annotated[
    bool, typer.Option("--each", help="Show what was not heard as it was said, clip by clip.")
]
_Json = Annotated[
    Path | None, typer.Option("--json", help="Write the figures here as well.", metavar="FILE")
]


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    sessions: Annotated[int, typer.Option(help="How many at once.", min=1)] = 1,
    clips: _Clips = None,
    duty: Annotated[
        float,
        typer.Option(
            help="How much of the audio is speech: 1.0, or 0.5 for a conversation.",
            min=0.1,
            max=1.0,
        ),
    ] = 1.0,
    seconds: Annotated[
        float | None,
        typer.Option(
            help=f"How long each session lasts; {LOAD_SECONDS:g} if left out, "
            f"{SEARCH_SECONDS:g} for each step of --find-capacity.",
            min=1,
        ),
    ] = None,
    model: _Model = DEFAULT_MODEL,
    json_file: _Json = None,
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
            help="Open 1.5 times the sessions that the server would admit, for "
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
    if disturb is not None:
        _disturb(clips, model, sessions, duty, seconds or LOAD_SECONDS, disturb, json_file)
        return
    if overload:
        _overload(clips, model, duty, seconds or OVERLOAD_SECONDS, json_file)
        return
    if find_capacity:
        _find_capacity(clips, model, duty, seconds or SEARCH_SECONDS, json_file, write_limit)
        return
    with _measuring():
        from turnwire.bench.speech import measure_load, warm_up

        played = _played(clips)

        async def measure(server: "BenchServer") -> Any:
            await warm_up(server, played)
            return await measure_load(
                server,
                played,
                model=model,
                sessions=sessions,
                seconds=seconds or LOAD_SECONDS,
                duty=duty,
            )

        figures, passed = _with_server(model, measure, f"{sessions} sessions")
        figures, _ = _scored(figures, passed)
    show_speech(figures)
    write(figures, json_file)


@app.command()
def accuracy(
    clips: Annotated[
        Path, typer.Option(help="A folder of recordings with a manifest.jsonl.", metavar="DIR")
    ],
    sessions: Annotated[int, typer.Option(help="How many clips at once.", min=1)] = 1,
    model: _Model = DEFAULT_MODEL,
    noise: _Noise = None,
    babble: _Babble = None,
    telephone: _Telephone = False,
    each: _Each = False,
    json_file: _Json = None,
) -> None:
    """Play each clip once, in a session of its own, and compare with the same weights offline."""
    with _measuring():
        from turnwire.bench.clips import read_clips
        from turnwire.bench.conditions import Conditions
        from turnwire.bench.speech import measure_clips, warm_up

        played = read_clips(clips, None, Conditions(noise, babble, telephone))

        async def measure(server: "BenchServer") -> Any:
            await warm_up(server, read_clips(clips)[:1])
            return await measure_clips(server, played, model=model, at_once=sessions)

        figures, passed = _with_server(model, measure, f"{len(played)} clips")
        figures, differences = _scored(figures, passed)
    if each:
        show_differences(differences)
    show_speech(figures)
    write(figures, json_file)


@app.command()
def recognition(
    clips: Annotated[
        Path, typer.Option(help="A folder of recordings with a manifest.jsonl.", metavar="DIR")
    ],
    model: _Model = DEFAULT_MODEL,
    noise: _Noise = None,
    babble: _Babble = None,
    telephone: _Telephone = False,
    offline: Annotated[
        bool, typer.Option(help="Transcribe the same offline with the same weights, too.")
    ] = True,
    each: _Each = False,
    json_file: _Json = None,
) -> None:
    """Recognize each clip with the engine alone, as fast as that goes: words, live text, CPU time.

    The figures do not depend on what else the machine does.
    """
    with _measuring():
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


@app.command()
def overhead(
    sessions: Annotated[int, typer.Option(help="How many at once.", min=1)] = 1000,
    seconds: Annotated[float, typer.Option(help="How long each lasts.", min=1)] = 20.0,
    model: _Model = ECHO,
    json_file: _Json = None,
) -> None:
    """CPU of the server for each frame of 50 ms, without recognition."""
    with _measuring():
        from turnwire.bench.upkeep import measure_overhead

        figures: OverheadFigures = _with_server(
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


@app.command()
def idle(
    sessions: Annotated[int, typer.Option(help="How many at once.", min=1)] = 5000,
    seconds: Annotated[float, typer.Option(help="How long they are held.", min=1)] = 60.0,
    model: _Model = ECHO,
    json_file: _Json = None,
) -> None:
    """Memory of a session that sends nothing but KeepAlive, and whether so many hold."""
    with _measuring():
        from turnwire.bench.upkeep import measure_idle

        figures: IdleFigures = _with_server(
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


@app.command()
def churn(
    sessions: Annotated[int, typer.Option(help="How many, one after another.", min=1)] = 2000,
    model: _Model = ECHO,
    json_file: _Json = None,
) -> None:
    """Memory before and after many sessions that opened, spoke and closed."""
    with _measuring():
        from turnwire.bench.upkeep import measure_churn

        figures: ChurnFigures = _with_server(
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


def _disturb(
    clips: Path | None,
    model: str,
    sessions: int,
    duty: float,
    seconds: float,
    without_cpu: float,
    json_file: Path | None,
) -> None:
    with _measuring():
        from turnwire.bench.speech import warm_up
        from turnwire.bench.stress import ON_TIME_SECONDS, SETTLED_SECONDS, measure_disturbed

        played = _played(clips)

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

        figures, passed = _with_server(model, measure, f"{sessions} sessions")
        speech, _ = _scored(figures.speech, passed)
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


def _overload(
    clips: Path | None, model: str, duty: float, seconds: float, json_file: Path | None
) -> None:
    with _measuring():
        from turnwire.bench.speech import warm_up
        from turnwire.bench.stress import OVERLOAD_P95_SECONDS, measure_overload

        played = _played(clips)

        async def measure(server: "BenchServer") -> Any:
            await warm_up(server, played)
            return await measure_overload(server, played, model=model, seconds=seconds, duty=duty)

        figures, passed = _with_server(model, measure, "too many sessions")
        speech, _ = _scored(figures.speech, passed)
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


def _find_capacity(
    clips: Path | None,
    model: str,
    duty: float,
    seconds: float,
    json_file: Path | None,
    limit: Path | None,
) -> None:
    with _measuring():
        from turnwire.bench.capacity import (
            CapacityFigures,
            find_capacity,
            read_settings,
            write_limit,
        )
        from turnwire.bench.machine import this_machine
        from turnwire.bench.speech import measure_load, warm_up

        if limit is not None:
            # It would be a pity to find out at the end.
            read_settings(limit)
        played = _played(clips)
        machine = this_machine()
        steps: list[SpeechFigures] = []

        async def search(server: "BenchServer") -> int:
            await warm_up(server, played)

            async def holds(sessions: int) -> bool:
                figures, _ = await measure_load(
                    server, played, model=model, sessions=sessions, seconds=seconds, duty=duty
                )
                steps.append(figures)
                typer.echo(step(figures))
                return figures.holds

            return await find_capacity(holds, start=2 * machine.cores)

        capacity = _with_server(model, search, "ever more sessions")
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


@contextmanager
def _measuring() -> Iterator[None]:
    """Around what needs the extra, and what cannot be measured."""
    with needs_server(EXTRAS):
        from turnwire.bench import BenchError
        from turnwire.server.http import allow_open_files

        allow_open_files()
        try:
            yield
        except BenchError as error:
            fail(str(error))
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def _played(clips: Path | None) -> "list[Clip]":
    from turnwire.bench.clips import read_clip, read_clips

    return [read_clip(recording())] if clips is None else read_clips(clips)


def _with_server(
    model: str, measure: "Callable[[BenchServer], Coroutine[Any, Any, T]]", what: str
) -> T:
    """What is measured with a server that runs this model."""
    import uvloop

    from turnwire.bench.serving import serving

    async def run() -> T:
        # Shows on a terminal only.
        with Console(stderr=True).status(f"Loading the model {model}") as status:
            async with serving(model) as server:
                status.update(f"Playing to {what}")
                return await measure(server)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def _scored(
    figures: "SpeechFigures", passed: "Sequence[Passed]"
) -> "tuple[SpeechFigures, list[Difference]]":
    """With word error rates, if it is known what was said and the model listens."""
    from turnwire.bench.words import score

    if figures.model == ECHO:
        return figures, []
    with Console(stderr=True).status("Transcribing the same offline"):
        words, differences = score(passed, figures.model)
    return replace(figures, words=words), differences
