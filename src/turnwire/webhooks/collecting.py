"""What a session leaves to post: its finished turns, each as it was sent last."""

from collections.abc import Callable, Sequence

from turnwire.server.observers import WatchedSession
from turnwire.session import effects, events
from turnwire.webhooks.deliveries import Parcel
from turnwire.wire.messages import Turn
from turnwire.wire.parameters import ConnectionParameters
from turnwire.wire.queries import parse_query


class Collector:
    """An observer of one session, for which its client gave a `webhook_url`."""

    def __init__(self, session: WatchedSession, left: Callable[[Parcel], None]) -> None:
        """`left` is given what is to be posted, once the session has ended."""
        self._session = session
        self._left = left
        self._asked: ConnectionParameters | None = None
        """None before the session has begun."""
        self._turns: dict[int, str] = {}
        """In the order of the turns; a turn that is sent again, formatted, is that one turn."""

    def observe(self, event: events.Event, decided: Sequence[effects.Effect], now: float) -> None:
        if isinstance(event, events.Admitted):
            self._asked = parse_query(self._session.request.query)
        for effect in decided:
            if isinstance(effect, effects.Send):
                self._sent(effect.message)
            elif isinstance(effect, effects.Close):
                self._closed()

    def _sent(self, message: object) -> None:
        if isinstance(message, Turn) and message.end_of_turn:
            self._turns[message.turn_order] = message.to_json()

    def _closed(self) -> None:
        asked, grant = self._asked, self._session.grant
        if asked is None or asked.webhook_url is None or grant is None or grant.account is None:
            return
        name = asked.webhook_auth_header_name
        header = None if name is None else (name, asked.webhook_auth_header_value or "")
        id, turns = self._session.id, ",".join(self._turns.values())
        body = f'{{"session_id":"{id}","messages":[{turns}]}}'
        self._left(Parcel(id, grant.account, asked.webhook_url, header, body))
