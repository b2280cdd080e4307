"""What can be rehearsed: the closures of the table, and faults that are no closure.

A scenario is a script for a `Stage`. The session it plays with is a real one; what a scenario
withholds, adds or breaks is all that is not.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from turnwire.clock import pause
from turnwire.rehearsal.stage import Stage
from turnwire.transport.request import Response
from turnwire.wire.closure import NO_CLOSE_FRAME, Closure, ClosureRow, Kind, Phase
from turnwire.wire.closures import CLOSURES, SESSION_ENDED
from turnwire.wire.messages import Begin, Error, Terminate, Termination

VANISHED_SECONDS = 300.0
"""After so long a connection that has vanished is let go of."""


class Trigger(StrEnum):
    """When something may happen."""

    BEFORE_BEGIN = "before-begin"
    AFTER_BEGIN = "after"
    """At Begin or after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """The number that a scenario is given in the segment after its name, such as 2s."""

    default: float
    least: float
    most: float
    unit: str = ""

    def written(self, number: float) -> str:
        return f"{number:g}{self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a connection ends, as its client sees it."""

    status: int | None = None
    """The HTTP status of a handshake that fails."""
    error: str | None = None
    """The text of the Error message; None: there is none."""
    code: int | None = None
    """The code of the close frame, and of the Error message; None: there is no close frame."""
    reason: str | None = None
    terminate: bool = False
    """Whether it takes a Terminate from the client."""

    @classmethod
    def by(cls, closure: Closure, *, terminate: bool = False) -> "Ending":
        kind = closure.row.kind
        if kind is Kind.HTTP:
            return cls(status=closure.code, error=closure.text)
        return cls(
            error=None if kind is Kind.NORMAL else closure.text,
            code=closure.code,
            reason=closure.reason,
            terminate=terminate,
        )


ENDED_BY_CLIENT = Ending.by(SESSION_ENDED.for_example(), terminate=True)

Script = Callable[[Stage, float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Something that can happen to a connection."""

    name: str
    happens: str
    """What happens, for a person."""
    ending: Ending
    play: Script | None
    """Given the number of the scenario's argument, or 0. None: there is no session to play with."""
    triggers: tuple[Trigger, ...] = ()
    """When it can happen, first the one that counts if none is asked for; none: it has its own."""
    argument: Argument | None = None
    row: ClosureRow | None = None
    """The row of the closure that it is."""

    def refusal(self, number: float) -> Response:
        """The answer to the handshake, if there is no session."""
        status = self.ending.status if self.argument is None else int(number)
        assert status is not None
        return Response(status, self.ending.error or "")


# Closures.


def _closure(row: ClosureRow) -> Scenario:
    return Scenario(
        name=row.name,
        happens=row.meaning,
        ending=Ending.by(row.for_example()),
        play=_SCRIPTS[row.kind](row.for_example()),
        triggers=_TRIGGERS[row.phase] if row.kind is not Kind.HTTP else (),
        row=row,
    )


_TRIGGERS = {
    Phase.OPENING: (Trigger.BEFORE_BEGIN,),
    Phase.SESSION: (Trigger.AFTER_BEGIN,),
    Phase.ANY: (Trigger.AFTER_BEGIN, Trigger.BEFORE_BEGIN),
}


def _announced(closure: Closure) -> Script:
    async def play(stage: Stage, _: float) -> None:
        await stage.play_to_cue()
        if stage.begun and closure.row.drains:
            stage.order(Terminate())
            await stage.play_to(Termination)
        await stage.dismiss()
        stage.say(Error.of(closure).to_json())
        stage.end(closure)

    return play


def _expected(_: Closure) -> Script:
    async def play(stage: Stage, _: float) -> None:
        await stage.play_to_cue()
        stage.order(Terminate())
        await stage.play_on()

    return play


_SCRIPTS: dict[Kind, Callable[[Closure], Script | None]] = {
    Kind.ERROR: _announced,
    Kind.KNOWN: _announced,
    Kind.NORMAL: _expected,
    Kind.HTTP: lambda _: None,
}


# Faults.


async def _ok(stage: Stage, _: float) -> None:
    await stage.play_on()


async def _reset(stage: Stage, _: float) -> None:
    await stage.play_to_cue()
    await stage.dismiss()
    stage.reset()


async def _vanish(stage: Stage, _: float) -> None:
    await stage.play_to_cue()
    stage.freeze()
    await stage.dismiss()
    release = stage.clock.call_at(stage.clock.now() + VANISHED_SECONDS, stage.abort)
    try:
        await asyncio.get_running_loop().create_future()  # until the connection is gone
    finally:
        release.cancel()


async def _stall(stage: Stage, seconds: float) -> None:
    await stage.play_to_cue()
    stage.freeze()
    thaw = stage.clock.call_at(stage.clock.now() + seconds, stage.thaw)
    try:
        await stage.play_on()
    finally:
        # Or nobody would read the client's answer to the close.
        thaw.cancel()
        stage.thaw()


def _insertion(text: str) -> Script:
    async def play(stage: Stage, _: float) -> None:
        await stage.play_to_cue()
        stage.say(text)
        await stage.play_on()

    return play


async def _no_begin(stage: Stage, _: float) -> None:
    await stage.play_to(Begin)
    await stage.play_on()


async def _slow_begin(stage: Stage, seconds: float) -> None:
    begin = await stage.play_to(Begin)
    await pause(stage.clock, seconds)
    stage.pass_on(begin)
    await stage.play_on()


async def _no_termination(stage: Stage, _: float) -> None:
    await stage.play_to(Termination)
    await stage.play_on()


MALFORMED = "{not json"

UNKNOWN_MESSAGE = json.dumps({"type": "Rehearsal", "rehearsal": "No client knows this message."})

_ANY_TRIGGER = (Trigger.AFTER_BEGIN, Trigger.BEFORE_BEGIN)

FAULTS = (
    Scenario(
        name="ok",
        happens="Nothing; the session is an ordinary one.",
        ending=ENDED_BY_CLIENT,
        play=_ok,
    ),
    Scenario(
        name="reset",
        happens="The TCP connection is reset (RST), without a close frame: a process died, or a "
        "middlebox lost its patience.",
        ending=Ending(),
        play=_reset,
        triggers=_ANY_TRIGGER,
    ),
    Scenario(
        name="vanish",
        happens="Nothing is sent, read or answered any more, pings included, but the connection "
        f"stays: a cable was pulled. It is dropped after {VANISHED_SECONDS:g} seconds.",
        ending=Ending(),
        play=_vanish,
        triggers=_ANY_TRIGGER,
    ),
    Scenario(
        name="stall",
        happens="Nothing is read for so long, pings included, so that the client's buffers fill "
        "up; then the session goes on.",
        ending=ENDED_BY_CLIENT,
        play=_stall,
        triggers=(Trigger.AFTER_BEGIN,),
        argument=Argument(default=2, least=0.001, most=600, unit="s"),
    ),
    Scenario(
        name="malformed",
        happens=f"A text message comes that is not JSON, {MALFORMED}; then the session goes on.",
        ending=ENDED_BY_CLIENT,
        play=_insertion(MALFORMED),
        triggers=_ANY_TRIGGER,
    ),
    Scenario(
        name="unknown-message",
        happens="A message comes whose type no client knows; then the session goes on.",
        ending=ENDED_BY_CLIENT,
        play=_insertion(UNKNOWN_MESSAGE),
        triggers=_ANY_TRIGGER,
    ),
    Scenario(
        name="no-begin",
        happens="Begin never comes; all else does.",
        ending=ENDED_BY_CLIENT,
        play=_no_begin,
    ),
    Scenario(
        name="slow-begin",
        happens="Begin, and all that follows it, comes so much later.",
        ending=ENDED_BY_CLIENT,
        play=_slow_begin,
        # A session counts its client as gone if it cannot send anything for 30 s.
        argument=Argument(default=3, least=0.001, most=25, unit="s"),
    ),
    Scenario(
        name="no-termination",
        happens="Terminate is answered by the last turns and the close, but not by Termination.",
        ending=ENDED_BY_CLIENT,
        play=_no_termination,
    ),
    Scenario(
        name="handshake",
        happens="The handshake is answered with this HTTP status instead of an upgrade.",
        ending=Ending(status=503, error="This handshake fails because a rehearsal says so."),
        play=None,
        argument=Argument(default=503, least=400, most=599),
    ),
)

SCENARIOS = (*(_closure(row) for row in CLOSURES if row.code != NO_CLOSE_FRAME), *FAULTS)


def _by_name() -> dict[str, Scenario]:
    """The scenarios by each name they answer to; of rows with the same code the first has it."""
    names: dict[str, Scenario] = {}
    for scenario in SCENARIOS:
        names[scenario.name] = scenario
        if scenario.row is not None:
            names.setdefault(str(scenario.row.code), scenario)
    return names


BY_NAME = _by_name()


def code_for(scenario: Scenario) -> int | None:
    """The code that stands for this scenario in a path, if one does."""
    if scenario.row is not None and BY_NAME[str(scenario.row.code)] is scenario:
        return scenario.row.code
    return None
