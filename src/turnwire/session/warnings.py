"""Warnings, for the sessions that asked for them."""

from turnwire.session.effects import Effect, Send
from turnwire.wire.closures import ClosureRow
from turnwire.wire.messages import Warning


class Warnings:
    def __init__(self, *, asked: bool) -> None:
        self._asked = asked

    def of(self, row: ClosureRow, **details: object) -> list[Effect]:
        """The Warning that announces a closure of this row."""
        if not self._asked:
            return []
        return [Send(Warning(warning_code=row.code, warning=row.announced(**details)))]
