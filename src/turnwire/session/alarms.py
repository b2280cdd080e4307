"""What is to happen at a certain time, if nothing changes it before."""

from enum import Enum, auto


class Alarm(Enum):
    EXPIRY_WARNING = auto()
    EXPIRY = auto()
    INACTIVITY_WARNING = auto()
    INACTIVITY = auto()
    HEARTBEAT = auto()
    FUNDS = auto()


class Alarms:
    """Each alarm once at most, on any clock that does not run backwards."""

    def __init__(self) -> None:
        self._times: dict[Alarm, float] = {}

    def __contains__(self, alarm: Alarm) -> bool:
        return alarm in self._times

    def set(self, alarm: Alarm, when: float) -> None:
        self._times[alarm] = when

    def cancel(self, alarm: Alarm) -> None:
        self._times.pop(alarm, None)

    def left(self, alarm: Alarm, now: float) -> float:
        """The time until an alarm that is set."""
        return self._times[alarm] - now

    def next(self) -> float | None:
        """When the first one is due; None if none is set."""
        return min(self._times.values(), default=None)

    def take(self, now: float) -> Alarm | None:
        """The first one that is due, which is no longer set then; None if none is."""
        due = self.next()
        if due is None or due > now:
            return None
        alarm = min(self._times, key=lambda each: self._times[each])
        del self._times[alarm]
        return alarm
