"""The most sessions that a machine holds, and the setting that says so to its server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError

from turnwire.bench import BenchError
from turnwire.bench.machine import Machine
from turnwire.bench.speech import SpeechFigures

SETTING = "max_sessions"


@dataclass(frozen=True, slots=True)
class CapacityFigures:
    """The most sessions in real time, and every step of the search for them."""

    model: str
    duty: float
    """How much of the audio is speech, 0 to 1."""
    sessions: int
    sessions_per_core: float
    steps: list[SpeechFigures]
    machine: Machine


async def find_capacity(holds: Callable[[int], Awaitable[bool]], start: int) -> int:
    """The largest number for which it holds, found by doubling, then by halving what is left.

    0 if it does not hold even for one.
    """
    low, high = 0, start
    while await holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if await holds(middle):
            low = middle
        else:
            high = middle
    return low


def read_settings(path: Path) -> TOMLDocument:
    """A configuration file of the server, which need not exist yet. Raises `BenchError`."""
    try:
        return tomlkit.parse(path.read_text() if path.exists() else "")
    except OSError as wrong:
        raise BenchError(f"Cannot read {path}: {wrong.strerror}.") from None
    except (TOMLKitError, UnicodeDecodeError) as wrong:
        raise BenchError(f"{path} is not a TOML file, and stays as it is: {wrong}.") from None


def write_limit(path: Path, sessions: int) -> None:
    """Set `max_sessions` in it; everything else stays, comments too. Raises `BenchError`."""
    settings = read_settings(path)
    settings[SETTING] = sessions
    try:
        path.write_text(tomlkit.dumps(settings))
    except OSError as wrong:
        raise BenchError(f"Cannot write {path}: {wrong.strerror}.") from None
