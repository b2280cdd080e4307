"""What a client's stream asks its shell to do, in order."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Open:
    """Open a connection. Answered by `Opened`, or by `OpenFailed`."""

    leg: int
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a frame. Answered by `Sent`, and until then there is no other."""

    leg: int
    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """Send a ping. Answered by `Ponged`."""

    leg: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection, in an orderly way. Answered by `Disconnected`, within 5 s."""

    leg: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Break the connection, or the attempt to open it. Not answered."""

    leg: int


@dataclass(frozen=True, slots=True)
class Reread:
    """Read this part of a file again. Answered by `AudioReread`."""

    leg: int
    start: int
    """Bytes from the beginning of the stream."""
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """Call the program's handler of this name."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """Write a line to the log."""

    text: str
    level: int


Effect = Open | Send | Ping | Close | Drop | Reread | Call | Log


class Effects:
    """What has come up since it was last taken."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def add(self, effect: Effect) -> None:
        self._effects.append(effect)

    def call(self, name: str, *arguments: object) -> None:
        self.add(Call(name, arguments))

    def log(self, text: str, level: int = logging.WARNING) -> None:
        self.add(Log(text, level))

    def take(self) -> list[Effect]:
        """All of it, in order."""
        taken, self._effects = self._effects, []
        return taken
