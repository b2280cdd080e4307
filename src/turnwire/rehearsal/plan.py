"""From a path to what is to happen, and when.

    /rehearse/NAME[/NUMBER][/before-begin | /after/CUE]/…   such as /rehearse/reset/after/5s/v3/ws
    /rehearse/sequence/NAME,NAME,…[/as/ANEW]/…              each connection has the next scenario

What is left of the path is the application's.
"""

import re
from collections import deque
from dataclasses import dataclass

from turnwire.rehearsal.scenarios import BY_NAME, Argument, Scenario, Trigger
from turnwire.rehearsal.stage import AT_BEGIN, INSTEAD_OF_BEGIN, Cue, Unit
from turnwire.server.site import REHEARSAL_PATH

PREFIX = REHEARSAL_PATH

SEQUENCE = "sequence"
ANEW = "as"

_NUMBER = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([a-z]*)")


class BadPlan(Exception):
    """The path asks for what cannot be rehearsed; the text says why."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens to one connection."""

    scenario: Scenario
    number: float
    """The scenario's argument; 0 if it takes none."""
    cue: Cue | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to the connections at one path; the last scene repeats."""

    key: str
    """What connections are counted by."""
    scenes: tuple[Scene, ...]

    def scene(self, connection: int) -> Scene:
        """That of the n-th connection, from 0 on."""
        return self.scenes[min(connection, len(self.scenes) - 1)]


def parse(path: str) -> tuple[Plan, str]:
    """The plan in a path that begins with `PREFIX`, and the application's path after it.

    Raises `BadPlan`.
    """
    segments = deque(path.removeprefix(PREFIX).removeprefix("/").split("/"))
    if segments[0] == SEQUENCE:
        segments.popleft()
        scenes = _sequence(segments)
    else:
        scenes = (_scene(segments),)
    rest = "/" + "/".join(segments)
    return Plan(path.removesuffix(rest), scenes), rest


# Each of these takes the segments that it understands.


def _sequence(segments: deque[str]) -> tuple[Scene, ...]:
    names = segments.popleft() if segments else ""
    scenes = tuple(_scene(deque([name])) for name in names.split(","))
    if len(segments) > 1 and segments[0] == ANEW:
        segments.popleft()
        segments.popleft()
    return scenes


def _scene(segments: deque[str]) -> Scene:
    name = segments.popleft()
    scenario = BY_NAME.get(name)
    if scenario is None:
        raise BadPlan(f"There is no {name!r} to rehearse")
    number = 0.0
    if scenario.argument is not None:
        number = scenario.argument.default
        if segments and _NUMBER.fullmatch(segments[0]):
            number = _number(scenario.argument, segments.popleft())
    return Scene(scenario, number, _cue(scenario, segments))


def _number(argument: Argument, text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None or found[2] != argument.unit:
        raise BadPlan(f"{text!r} is not like {argument.written(argument.default)}")
    number = float(found[1])
    if not argument.least <= number <= argument.most:
        raise BadPlan(
            f"{text!r} is not between {argument.written(argument.least)} "
            f"and {argument.written(argument.most)}"
        )
    return number


def _cue(scenario: Scenario, segments: deque[str]) -> Cue | None:
    if not segments or segments[0] not in list(Trigger):
        return _DEFAULT_CUES[scenario.triggers[0]] if scenario.triggers else AT_BEGIN
    trigger = Trigger(segments.popleft())
    if trigger not in scenario.triggers:
        raise BadPlan(f"{scenario.name!r} cannot happen {trigger.value!r}")
    if trigger is Trigger.BEFORE_BEGIN:
        return INSTEAD_OF_BEGIN
    text = segments.popleft() if segments else ""
    found = _NUMBER.fullmatch(text)
    if found is None or found[2] not in list(Unit):
        raise BadPlan(f"{text!r} is not like 5s, 3turns or 20frames")
    count = float(found[1])
    if found[2] != Unit.SECONDS and not (count >= 1 and count.is_integer()):
        raise BadPlan(f"{text!r} is not a whole number of {found[2]}, 1 or more")
    return Cue(count, Unit(found[2]))


_DEFAULT_CUES: dict[Trigger, Cue | None] = {
    Trigger.BEFORE_BEGIN: INSTEAD_OF_BEGIN,
    Trigger.AFTER_BEGIN: AT_BEGIN,
}
