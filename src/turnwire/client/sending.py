"""What goes out to the sessions of a stream: audio at its pace, messages in their place, pings."""

import math
from collections.abc import Iterator, Mapping

from turnwire.client import effects
from turnwire.client.cursor import Missing, Nothing
from turnwire.client.leg import Leg
from turnwire.client.timeline import Timeline

KEEP_ALIVE_SECONDS = 15.0
"""Without anything else to send; at most half of an `inactivity_timeout` that was asked for."""

NOT_REREAD = "it could not be read from the file again"

TERMINATE = '{"type":"Terminate"}'
KEEP_ALIVE = '{"type":"KeepAlive"}'
FORCE_ENDPOINT = '{"type":"ForceEndpoint"}'


class Sending:
    """Sends each leg what its cursor gives, one frame at a time."""

    def __init__(
        self, timeline: Timeline, parameters: Mapping[str, object], todo: effects.Effects
    ) -> None:
        """`parameters` are those of the stream, as they change."""
        self.stopped = False
        """Whether nothing is sent any more, though legs are open."""
        self._timeline = timeline
        self._parameters = parameters
        self._todo = todo

    def go_on(self, leg: Leg, now: float) -> None:
        """Send what is due."""
        if (ping := leg.ping_due()) is not None and now >= ping:
            leg.pinged(now)
            self._todo.add(effects.Ping(leg.number))
        if not self._is_idle(leg):
            return
        waits = leg.cursor is None or now < leg.pace.due()
        following = Nothing.YET if waits or leg.cursor is None else leg.cursor.next()
        match following:
            case Nothing.YET:
                if now >= leg.last_sent + self._keep_alive_after:
                    self._send(leg, KEEP_ALIVE, now)
            case Missing() as missing:
                leg.busy = True
                self._todo.add(effects.Reread(leg.number, missing.start, missing.end))
            case Nothing.MORE:
                self._terminate(leg, now)
            case bytes() as audio:
                self._send_audio(leg, audio, now)
            case str() as text:
                self._send(leg, text, now)

    def deadlines(self, leg: Leg, now: float) -> Iterator[float]:
        """When there may be something to send, other than what comes in."""
        if self._is_idle(leg):
            yield leg.last_sent + self._keep_alive_after
            if now < leg.pace.due() < math.inf:
                yield leg.pace.due()

    def keep_alive(self, leg: Leg, now: float) -> None:
        """Keep the session alive now, unless something is on its way that does so."""
        if not leg.busy:
            self._send(leg, KEEP_ALIVE, now)

    def reread(self, leg: Leg, audio: bytes | None, now: float) -> None:
        """Audio that was asked for again is there; None: it is not to be had any more."""
        leg.busy = False
        if leg.cursor is None or not leg.is_open:
            return
        if audio is None:
            # Silence in its place keeps the line of time as it is.
            audio = leg.cursor.silence(leg.cursor.position - self._timeline.covered)
            self._timeline.give_up(leg.cursor.position, NOT_REREAD)
        self._send_audio(leg, audio, now)

    def _is_idle(self, leg: Leg) -> bool:
        """Whether something can be sent."""
        return leg.is_open and not (leg.busy or leg.terminate_sent or self.stopped)

    def _terminate(self, leg: Leg, now: float) -> None:
        self._todo.add(effects.Ping(leg.number))
        self._send(leg, TERMINATE, now)
        leg.terminate(now)

    def _send_audio(self, leg: Leg, audio: bytes, now: float) -> None:
        leg.pace.sent(self._timeline.format.seconds(len(audio)), now)
        self._send(leg, audio, now)

    def _send(self, leg: Leg, frame: str | bytes, now: float) -> None:
        leg.busy = True
        leg.last_sent = now
        self._todo.add(effects.Send(leg.number, frame))

    @property
    def _keep_alive_after(self) -> float:
        asked = self._parameters.get("inactivity_timeout")
        if isinstance(asked, int | float):
            return min(KEEP_ALIVE_SECONDS, asked / 2)
        return KEEP_ALIVE_SECONDS
