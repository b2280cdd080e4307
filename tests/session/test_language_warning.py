"""A Warning, for those who asked for Warnings, that the session writes another language than is
spoken."""

from dataclasses import replace

from tests.session.opened import opened
from turnwire.recognition import Language, Pause, SpeechEvent, Word
from turnwire.session.effects import Send
from turnwire.session.session import Session
from turnwire.wire.messages import Warning

SAID = Pause((Word("Bone", 0, 400, 0.9),), 400, 600, 0.1)
FRENCH = replace(SAID, spoken=Language("fr", 0.95))


def warnings(session: Session, *heard: SpeechEvent) -> list[Warning]:
    effects = [effect for event in heard for effect in session.receive(event, 101)]
    messages = [effect.message for effect in effects if isinstance(effect, Send)]
    return [message for message in messages if isinstance(message, Warning)]


def test_it_comes_once() -> None:
    session = opened(("session_warnings", "true"))
    [warning] = warnings(session, SAID, FRENCH, replace(FRENCH, until=700), SAID, FRENCH)
    assert warning.warning_code == 3006
    assert "'fr'" in warning.warning
    assert "'en'" in warning.warning


def test_nobody_else_gets_it() -> None:
    assert warnings(opened(), FRENCH) == []
