"""Comparing what a server did with what the closure table says.

Servers differ in what they put before a text, in its case, and in details; a text that holds the
fixed part of the expected one in any case is right, and is told from one that is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from turnwire.probe.checks import Check
from turnwire.probe.observing import Observation
from turnwire.wire.closure import REASON_TOO_LONG, Kind, close_reason


class Verdict(StrEnum):
    EXACT = "exact"
    """As the table says, to the letter."""
    CONTAINED = "contained"
    """As the table says, but for what stands around the text."""
    DIFFERS = "differs"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    check: Check
    verdict: Verdict
    seen: Observation | None = None
    """None if it was skipped."""
    why: tuple[str, ...] = ()
    """What differs, or why it was skipped."""


def judge(check: Check, seen: Observation) -> Finding:
    """What a check found out."""
    why = tuple(_differences(check, seen))
    if why:
        return Finding(check, Verdict.DIFFERS, seen, why)
    exact = seen.text == check.expected.text
    return Finding(check, Verdict.EXACT if exact else Verdict.CONTAINED, seen)


def _differences(check: Check, seen: Observation) -> Iterator[str]:
    if seen.problem:
        yield seen.problem
    elif check.row.kind is Kind.HTTP:
        yield from _http_differences(check, seen)
    elif seen.status is not None:
        yield f"the handshake was answered with HTTP status {seen.status}"
    else:
        yield from _order_differences(check, seen)
        yield from _closure_differences(check, seen)


def _http_differences(check: Check, seen: Observation) -> Iterator[str]:
    if seen.status != check.row.code:
        status = "an upgrade" if seen.status is None else f"HTTP status {seen.status}"
        yield f"{status}, not HTTP status {check.row.code}"
    else:
        yield from _text_differences(check, seen)


def _order_differences(check: Check, seen: Observation) -> Iterator[str]:
    if check.begins and seen.heard[:1] != ["Begin"]:
        yield "Begin was not the first message"
    if not check.begins and "Begin" in seen.heard:
        yield "a session began"
    last = "Termination" if check.row.kind is Kind.NORMAL else "Error"
    if seen.heard[-1:] != [last]:
        yield f"{last} was not the last message"
    if last == "Error" and "Termination" in seen.heard:
        yield "Termination came beside an Error"
    if last == "Termination" and "Error" in seen.heard:
        yield "an Error came"


def _closure_differences(check: Check, seen: Observation) -> Iterator[str]:
    code = check.row.code
    if seen.error_code not in (None, code):
        yield f"error_code {seen.error_code}, not {code}"
    if seen.code != code:
        closed = "no close frame" if seen.code is None else f"close code {seen.code}"
        yield f"{closed}, not {code}"
    yield from _text_differences(check, seen)
    if seen.error is not None and seen.reason not in (close_reason(seen.error), REASON_TOO_LONG):
        yield f"the close reason is {seen.reason!r}"


def _text_differences(check: Check, seen: Observation) -> Iterator[str]:
    if not check.row.matches(seen.text):
        yield f"the text is {seen.text!r}"
