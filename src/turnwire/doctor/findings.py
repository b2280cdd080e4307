"""What was found out, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    GOOD = "good"
    DOUBTFUL = "doubtful"
    """A server would run, but maybe not well."""
    BAD = "bad"
    """A server would not start, or would serve nobody."""


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    state: Grade
    finding: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def good(check: str, finding: str) -> Finding:
    return Finding(check, Grade.GOOD, finding)


def doubtful(check: str, finding: str, advice: str) -> Finding:
    return Finding(check, Grade.DOUBTFUL, finding, advice)


def bad(check: str, finding: str, advice: str) -> Finding:
    return Finding(check, Grade.BAD, finding, advice)
