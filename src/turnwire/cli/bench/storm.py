"""An attack, and what everybody else has of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from turnwire.cli.bench.options import Clips, Json, Model
from turnwire.cli.bench.report import show, show_spreads, write
from turnwire.cli.bench.running import measuring, with_speech
from turnwire.cli.local import DEFAULT_MODEL

if TYPE_CHECKING:
    from turnwire.bench.clips import Clip
    from turnwire.bench.serving import BenchServer
    from turnwire.bench.storm import StormFigures


def storm(
    clips: Clips = None,
    seconds: Annotated[float, typer.Option(help="How long each attack lasts.", min=5)] = 30.0,
    model: Model = DEFAULT_MODEL,
    json_file: Json = None,
) -> None:
    """Attack a server, and see how soon others begin and whether their turns are late.

    First nothing happens, then 8 floods of 2 MB a second each, then 60 clients that come back with
    a wrong key as soon as they are refused, then 2,000 clients at once. All the while 10 sessions
    speak, and new ones begin.
    """
    with measuring():
        from turnwire.bench.attackers import ATTACKS
        from turnwire.bench.storm import measure_storm

        async def measure(server: "BenchServer", played: "list[Clip]") -> "list[StormFigures]":
            return [
                await measure_storm(server, played, model=model, attack=attack, seconds=seconds)
                for attack in (None, *ATTACKS)
            ]

        storms = with_speech(clips, model, measure, "a server under attack")
    for each in storms:
        typer.echo(f"\nAttack: {each.attack}")
        speech = each.speech
        show(
            speech.machine,
            ("Newcomers that had their session", f"{each.ended_well} of {each.asked}"),
            ("Speaking sessions in real time", f"{speech.in_real_time} of {speech.sessions}"),
            ("Event loop blocked", f"{speech.event_loop_lag_ms:.0f} ms"),
        )
        show_spreads(("Begin", each.begin), ("beyond the silence", speech.beyond_silence))
    write(storms, json_file)
