"""How the figures of `turnwire bench` are shown and written."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from turnwire.cli.failures import fail
from turnwire.cli.tables import NOTHING
from turnwire.cli.tables import show as show_table

if TYPE_CHECKING:
    from turnwire.bench.load import Effort
    from turnwire.bench.machine import Machine
    from turnwire.bench.measuring import Spread
    from turnwire.bench.speech import SpeechFigures
    from turnwire.bench.words import Difference, Words


def step(figures: "SpeechFigures") -> str:
    finals = figures.beyond_silence
    late = f"p95 {finals.p95:.0f} ms" if finals else "no turn ended"
    verdict = "holds" if figures.holds else "too many"
    return f"{figures.sessions:5} sessions  {late} beyond the silence  {verdict}"


def show_speech(figures: "SpeechFigures") -> None:
    rows = [
        (
            "Sessions in real time",
            f"{figures.in_real_time} of {figures.sessions}"
            + "".join(f"; {count}: {why}" for why, count in figures.missed.items()),
        ),
        ("Played", f"{figures.audio_seconds:.0f} s of audio, {100 * figures.duty:g} % speech"),
        (
            "CPU of the server",
            f"{figures.cpu_ms_per_audio_second:.1f} ms per second of audio, "
            f"{figures.cpu_ms_per_speech_second:.1f} ms per second of speech",
        ),
        ("Peak memory of the server", f"{figures.peak_memory_mb:.0f} MB"),
        ("Event loop blocked", f"{figures.event_loop_lag_ms:.0f} ms"),
        (
            "Final words that changed",
            f"{figures.final_words_changed} of {figures.final_words}",
        ),
        ("Load", load(figures.load)),
    ]
    rows.append(without_final_row(figures.not_final, figures.partials_without_final))
    rows.extend(word_rows(figures.words))
    show(figures.machine, ("Model", figures.model), *rows)
    show_spreads(
        ("Begin", figures.begin),
        ("First words after speech starts", figures.first_words),
        ("Partial lag", figures.partial_lag),
        (NOT_FINAL, figures.not_final),
        ("End of speech to final", figures.final),
        ("beyond the silence asked for", figures.beyond_silence),
        ("Terminate to close", figures.close),
    )


NOT_FINAL = "Words not yet final in a partial"


def without_final_row(partials: "Spread | None", without: int) -> tuple[str, str]:
    return "Partials without a final word", f"{without} of {partials.count if partials else 0}"


def word_rows(words: "Words | None") -> list[tuple[str, str]]:
    if words is None:
        return []
    rates = [("streamed", words.streamed), ("offline", words.offline)]
    return [
        (
            f"Word error rate, {name}",
            f"{rate.percent:.2f} % ({rate.errors} of {rate.words} words)",
        )
        for name, rate in rates
        if rate is not None
    ]


def show_differences(differences: "list[Difference]") -> None:
    for each in differences:
        typer.echo(f"{each.clip.path.name}\n  said     {each.clip.reference}")
        typer.echo(f"  offline  {each.offline}\n  streamed {each.streamed}\n")


def show(machine: "Machine", *rows: tuple[str, str]) -> None:
    on = f"{machine.cpu}, {machine.cores} cores, Python {machine.python}"
    typer.echo(f"{on}; load average before: {machine.load_average:.2f}\n")
    show_table(("What", "Measured"), rows)


def show_spreads(*rows: "tuple[str, Spread | None]") -> None:
    typer.echo()
    show_table(
        ("Milliseconds", "p50", "p95", "p99", "Most", "Count"),
        (
            (name, spread.p50, spread.p95, spread.p99, spread.most, spread.count)
            if spread
            else (name, NOTHING, NOTHING, NOTHING, NOTHING, 0)
            for name, spread in rows
        ),
    )


def load(effort: "Effort") -> str:
    return f"{100 * effort.cores:.1f} % of a core; at most {effort.late_ms:.0f} ms late"


def write(figures: Any, path: Path | None) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, default=asdict, indent=2) + "\n")
    except OSError as error:
        fail(f"Cannot write {path}: {error.strerror}.")
