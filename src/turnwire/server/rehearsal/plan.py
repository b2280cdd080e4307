"""From a path to what is to happen, and when.

    /rehearse/FATE[/NUMBER][/before-begin | /after/CUE]/…   such as /rehearse/reset/after/5s/v3/ws
    /rehearse/sequence/FATE,FATE,…[/as/NAME]/…              the n-th connection has the n-th fate

What is left of the path is the application's.
"""

import re
from collections import deque
from dataclasses import dataclass

from turnwire.server.rehearsal.fates import BY_NAME, Argument, Fate, Moment
from turnwire.server.rehearsal.stage import AT_BEGIN, INSTEAD_OF_BEGIN, Cue, Unit

PREFIX = "/rehearse"

SEQUENCE = "sequence"
ANEW = "as"

_NUMBER = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([a-z]*)")


class BadPlan(Exception):
    """The path asks for what cannot be rehearsed; the text says why."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens to one connection."""

    fate: Fate
    number: float
    """The fate's argument; 0 if it takes none."""
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
    fate = BY_NAME.get(name)
    if fate is None:
        raise BadPlan(f"There is no {name!r} to rehearse")
    number = 0.0
    if fate.argument is not None:
        number = fate.argument.default
        if segments and _NUMBER.fullmatch(segments[0]):
            number = _number(fate.argument, segments.popleft())
    return Scene(fate, number, _cue(fate, segments))


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


def _cue(fate: Fate, segments: deque[str]) -> Cue | None:
    if not segments or segments[0] not in list(Moment):
        return _DEFAULT_CUES[fate.moments[0]] if fate.moments else AT_BEGIN
    moment = Moment(segments.popleft())
    if moment not in fate.moments:
        raise BadPlan(f"{fate.name!r} cannot happen {moment.value!r}")
    if moment is Moment.BEFORE_BEGIN:
        return INSTEAD_OF_BEGIN
    text = segments.popleft() if segments else ""
    found = _NUMBER.fullmatch(text)
    if found is None or found[2] not in list(Unit):
        raise BadPlan(f"{text!r} is not like 5s, 3turns or 20frames")
    count = float(found[1])
    if found[2] != Unit.SECONDS and not (count >= 1 and count.is_integer()):
        raise BadPlan(f"{text!r} is not a whole number of {found[2]}, 1 or more")
    return Cue(count, Unit(found[2]))


_DEFAULT_CUES: dict[Moment, Cue | None] = {
    Moment.BEFORE_BEGIN: INSTEAD_OF_BEGIN,
    Moment.AFTER_BEGIN: AT_BEGIN,
}
