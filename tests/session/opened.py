"""A session that is open, and what it has sent."""

import json

from tests.support import OPTIONS
from turnwire.recognition import Word
from turnwire.session.effects import Admit, Close, Effect, Listen, Send
from turnwire.session.events import Admitted, Connected, TextReceived
from turnwire.session.session import Session
from turnwire.wire.messages import Error, Warning

HOURS_3 = 3 * 60 * 60

FRAME = bytes(1600)
"""50 ms."""

SECOND = bytes(32_000)

WARNED = ("session_warnings", "true")

WORDS = (Word("Hello.", 0, 400, 0.9),)


def opened(*query: tuple[str, str], max_seconds: int = HOURS_3) -> Session:
    """A session that began at 100 s."""
    session = Session("id", "tiny.en", OPTIONS)
    assert session.receive(Connected(query), 100.0) == [Admit()]
    begin, listen = session.receive(Admitted(max_seconds, unix_time=1_800_000_000.9), 100.0)
    assert isinstance(begin, Send)
    assert isinstance(listen, Listen)
    return session


def asked(*query: tuple[str, str]) -> list[Effect]:
    """What follows from asking for a session so."""
    return Session("id", "tiny.en", OPTIONS).receive(Connected(query), 0)


def text(**message: object) -> TextReceived:
    return TextReceived(json.dumps(message))


def sent(effects: list[Effect]) -> list[object]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def closed(effects: list[Effect]) -> tuple[str, int, str]:
    """The closure that ends these effects; an error has its frame right before."""
    last = effects[-1]
    assert isinstance(last, Close)
    errors = [message for message in sent(effects) if isinstance(message, Error)]
    if errors:
        assert effects[-2] == Send(Error.of(last.closure))
    return last.closure.row.name, last.closure.code, last.closure.text


def warnings(effects: list[Effect]) -> list[tuple[int, str]]:
    return [
        (message.warning_code, message.warning)
        for message in sent(effects)
        if isinstance(message, Warning)
    ]
