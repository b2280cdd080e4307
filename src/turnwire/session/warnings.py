"""Warnings, for the sessions that asked for them."""

from turnwire.session.effects import Effect, Send
from turnwire.wire.closure import ClosureRow
from turnwire.wire.messages import Warning


class Warnings:
    def __init__(self, *, asked: bool) -> None:
        self._asked = asked

    def of(self, row: ClosureRow, **details: object) -> list[Effect]:
        """The Warning that announces a closure of this row."""
        return self.text(row, row.announced(**details))

    def text(self, row: ClosureRow, text: str) -> list[Effect]:
        """A Warning of something that is like a closure of this row."""
        return [Send(Warning(warning_code=row.code, warning=text))] if self._asked else []
