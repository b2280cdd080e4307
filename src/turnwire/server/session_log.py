"""What the log says of each client: a line when its session begins, and one when all is over."""

import json
import logging
import re

from turnwire.server.observers import WatchedSession
from turnwire.wire.closure import Closure
from turnwire.wire.messages import Begin, ServerMessage, Turn

LONGEST_AGENT = 200

_PLAIN = re.compile(r"[\w.:/+@-]+", re.ASCII)

logger = logging.getLogger(__name__)


class SessionLog:
    """Tells the story of one client; no word of what it said."""

    __slots__ = ("_model", "_session", "_turns")

    def __init__(self, session: WatchedSession) -> None:
        self._session = session
        self._model: str | None = None
        self._turns = 0

    def sent(self, message: ServerMessage) -> None:
        """Take note of a message to the client."""
        if isinstance(message, Turn):
            self._turns = message.turn_order + message.end_of_turn
        elif isinstance(message, Begin):
            self._model = message.configuration.model if message.configuration else ""
            log("session began", **self._who())

    def ended(self, closure: Closure) -> None:
        # The row alone: its text may repeat what the client sent.
        how: dict[str, object] = {"closure": closure.row.name, "code": closure.code}
        if self._model is None:
            log("client refused", **how, **self._who())
            return
        usage = self._session.usage()
        log(
            "session ended",
            **how,
            seconds=round(usage.session_ms / 1000, 1),
            audio_seconds=round(usage.audio_ms / 1000, 1),
            turns=self._turns,
            **self._who(),
        )

    def _who(self) -> dict[str, object]:
        request, grant = self._session.request, self._session.grant
        return {
            "session": self._session.id,
            "account": grant and grant.account,
            "key": grant and grant.key_id,
            "client": request.address,
            "agent": (request.header("user-agent") or "")[:LONGEST_AGENT] or None,
            "model": self._model,
        }


def log(event: str, **details: object) -> None:
    """Log an event with its details, those that are there. A log in JSON has them as members."""
    known = {name: value for name, value in details.items() if value is not None}
    text = " ".join(f"{name}={_shown(value)}" for name, value in known.items())
    logger.info("%s %s", event, text, extra={"event": event, "details": known})


def _shown(value: object) -> str:
    """In quotes, and in ASCII, where it may be anything that a client sent."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
