"""What an account's balance has for a session, and the session's end when it is used up."""

from turnwire.session.alarms import Alarm, Alarms
from turnwire.session.effects import Effect, Reserve
from turnwire.session.events import Funded
from turnwire.session.meter import Meter
from turnwire.session.warnings import Warnings
from turnwire.wire.closure import Closure
from turnwire.wire.closures import ACCESS_ENDED, SERVER_ERROR

WARNING_SECONDS = 60
"""How long before the balance is used up a session is warned of it."""


class Funding:
    """A session may use as much as it likes until it hears otherwise.

    What it uses is its time or its audio, whichever is more. Time beyond what is reserved is
    settled with the next renewal; audio that comes ahead of time waits for it.
    """

    def __init__(self, meter: Meter, alarms: Alarms, warnings: Warnings) -> None:
        self._meter = meter
        self._alarms = alarms
        self._warnings = warnings
        self._funds = Funded(None)
        self._warned = False

    @property
    def closure(self) -> Closure:
        """How the session ends when there is no more."""
        return self._funds.closure or SERVER_ERROR.fill()

    def receive(self, event: Funded, now: float) -> list[Effect]:
        self._funds = event
        self._alarms.cancel(Alarm.FUNDS)
        if event.until_ms is None:
            return []
        if event.last:
            left_ms = event.until_ms - self._meter.session_ms(now)
            self._alarms.set(Alarm.FUNDS, now if self._audio_is_over() else now + left_ms / 1000)
        near = event.seconds_left <= WARNING_SECONDS
        warning = near and not self._warned
        self._warned = near
        return self._warnings.of(ACCESS_ENDED, n=round(event.seconds_left)) if warning else []

    @property
    def used_up(self) -> bool:
        """Whether audio has used all there is."""
        return self._funds.last and self._audio_is_over()

    def cover(self) -> list[Effect]:
        """What has to be done before more audio is read."""
        return [Reserve()] if self._audio_is_over() else []

    def _audio_is_over(self) -> bool:
        return self._funds.until_ms is not None and self._meter.audio_ms >= self._funds.until_ms
