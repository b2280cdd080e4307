"""Stored moments, and what a clock that was wrong may have made of them."""

from typing import overload

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

BELIEVED_SECONDS = 15.0
"""A moment this far ahead counts as now: the clocks of a database and its standby differ a little,
and a clock that is set right may go back a little."""

Column = ColumnElement[float] | InstrumentedAttribute[float]


@overload
def over(since: float, seconds: float, now: float) -> bool: ...
@overload
def over(since: Column, seconds: float, now: float) -> ColumnElement[bool]: ...
def over(since: float | Column, seconds: float, now: float) -> bool | ColumnElement[bool]:
    """Whether `seconds` have passed since a stored moment; in Python or in SQL.

    A moment in the future was stored by a clock that was ahead. It counts as long past, so that
    what such a clock left behind does no harm once the clock is right.
    """
    if isinstance(since, float | int):
        return since <= now - seconds or since > now + BELIEVED_SECONDS
    return or_(since <= now - seconds, since > now + BELIEVED_SECONDS)
