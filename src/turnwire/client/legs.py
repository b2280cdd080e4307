"""The sessions of a stream that are under way, in their order."""

from collections.abc import Iterator

from turnwire.client.leg import Leg


class Legs:
    """The first leg is the one that is heard, the last the one that is fed; most of the time that
    is the same one."""

    def __init__(self) -> None:
        self.in_order: list[Leg] = []
        self.standby: Leg | None = None
        """The one that is to follow the last."""

    def __iter__(self) -> Iterator[Leg]:
        """All of them, the one that stands by included."""
        standby = () if self.standby is None else (self.standby,)
        return iter((*self.in_order, *standby))

    @property
    def fed(self) -> Leg | None:
        """The leg that takes what comes in."""
        leg = self.in_order[-1] if self.in_order else None
        return leg if leg is not None and leg.is_open and leg.end is None else None

    @property
    def sent(self) -> int | None:
        """How far every leg has been sent the audio; None: one has not begun with it."""
        cursors = [leg.cursor for leg in self.in_order]
        positions = [cursor.position for cursor in cursors if cursor is not None]
        return min(positions) if positions and len(positions) == len(cursors) else None
