"""Sessions whose audio is a recording: as fast as it is heard, and no faster."""

import pytest

from tests.support import OPTIONS
from turnwire.recognition import Finished
from turnwire.server.held_audio import GUARANTEED_BYTES
from turnwire.session.effects import Admit, Close, Effect, Listen, Send
from turnwire.session.events import Admitted, AudioReceived, Connected, Heard, TextReceived, Tick
from turnwire.session.options import SessionOptions
from turnwire.session.progress import WINDOW_SAMPLES
from turnwire.session.session import Session
from turnwire.session.states import STALLED_DRAIN_SECONDS
from turnwire.wire.messages import Begin, Error, Progress

SECOND = AudioReceived(bytes(32_000))
TERMINATE = TextReceived('{"type":"Terminate"}')


def opened(*query: tuple[str, str], options: SessionOptions = OPTIONS) -> tuple[Session, Begin]:
    """A session that began at 100 s, and its Begin."""
    session = Session("id", "tiny.en", options)
    [admit] = session.receive(Connected([("recording", "true"), *query]), 100.0)
    assert admit == Admit(recording=True)
    begin, listen = session.receive(Admitted(3600, unix_time=0), 100.0)
    assert isinstance(listen, Listen)
    assert listen.options.recording
    assert isinstance(begin, Send)
    assert isinstance(begin.message, Begin)
    return session, begin.message


def sent(effects: list[Effect]) -> list[object]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def test_its_client_may_be_as_fast_as_it_is_heard() -> None:
    session, _ = opened()
    told: list[object] = []
    for _ in range(2000):
        assert sent(session.receive(SECOND, 100.0)) == []
        told += sent(session.receive(Heard(1.0), 100.0))
    assert told == [Progress(audio_heard_ms=ms) for ms in range(5000, 2_000_001, 5000)]


@pytest.mark.parametrize("seconds_apart", [0.0, 1.0])
def test_what_counts_is_what_waits(seconds_apart: float) -> None:
    session, _ = opened()
    session.receive(Heard(0.0), 100.0)
    for number in range(100):
        session.receive(SECOND, 100.0)
        session.receive(Heard(1.0), 100.0 + number)
    effects: list[Effect] = []
    for number in range(301):
        assert not sent(effects)
        effects = session.receive(SECOND, 200.0 + seconds_apart * number)
    [error] = sent(effects)
    assert isinstance(error, Error)
    assert error.error_code == 3007
    assert error.error.startswith("Audio Transmission Rate Exceeded: Received 401.0 sec. audio in ")


@pytest.mark.parametrize(
    ("query", "ahead_seconds", "window_ms"),
    [
        ([], 300.0, 30_000),
        ([("sample_rate", "8000")], 300.0, 30_000),
        ([("sample_rate", "48000")], 300.0, 9667),
        ([("encoding", "opus"), ("sample_rate", "48000")], 300.0, 30_000),
        ([], 20.0, 9000),
        ([], 3.0, None),
    ],
)
def test_begin_says_how_far_ahead_its_client_should_be(
    query: list[tuple[str, str]], ahead_seconds: float, window_ms: int | None
) -> None:
    _, begin = opened(*query, options=SessionOptions(lambda text: text, ahead_seconds))
    assert begin.recording_window_ms == window_ms


def test_without_a_window_a_recording_at_the_pace_of_speech_may_wait_for_the_engine() -> None:
    session, _ = opened(options=SessionOptions(lambda text: text, 3.0))
    for number in range(60):
        assert sent(session.receive(SECOND, 100.0 + number)) == []
    session.receive(TERMINATE, 160.0)
    assert session.deadline() == 160.0 + STALLED_DRAIN_SECONDS
    assert sent(session.receive(Heard(1.0), 170.0)) == []
    assert session.deadline() == 170.0 + STALLED_DRAIN_SECONDS


def test_without_a_window_a_recording_is_no_faster_than_speech() -> None:
    session, _ = opened(options=SessionOptions(lambda text: text, 3.0))
    messages: list[object] = []
    for _ in range(4):
        assert not messages
        messages = sent(session.receive(SECOND, 100.0))
        session.receive(Heard(1.0), 100.0)
    [error] = messages
    assert isinstance(error, Error)
    assert error.error_code == 3007


def test_a_window_fills_what_each_session_may_have_waiting_and_no_more() -> None:
    assert 0.95 * GUARANTEED_BYTES < 2 * WINDOW_SAMPLES <= GUARANTEED_BYTES


def test_a_live_session_knows_nothing_of_it() -> None:
    session = Session("id", "tiny.en", OPTIONS)
    assert session.receive(Connected(), 0.0) == [Admit()]
    begin, _ = session.receive(Admitted(3600, unix_time=0), 0.0)
    assert isinstance(begin, Send)
    assert "recording" not in begin.message.to_json()
    session.receive(SECOND, 0.0)
    assert session.receive(Heard(10.0), 0.0) == []


def test_a_pace_that_would_be_that_of_another_rate_is_no_surprise() -> None:
    session, _ = opened(("session_warnings", "true"))
    now = 100.0
    for _ in range(200):
        now += 0.5
        assert sent(session.receive(SECOND, now)) == []
        session.receive(Heard(1.0), now)


def test_the_last_words_may_take_as_long_as_it_gets_on() -> None:
    session, _ = opened()
    for _ in range(30):
        session.receive(SECOND, 100.0)
    session.receive(TERMINATE, 100.0)
    assert session.deadline() == 130.0 + STALLED_DRAIN_SECONDS
    now = 100.0
    for _ in range(30):
        now += 25
        session.receive(Tick(), now)
        session.receive(Heard(1.0), now)
    assert session.deadline() == now + STALLED_DRAIN_SECONDS
    last = session.receive(Finished((), 30_000, 0.0), now)[-1]
    assert isinstance(last, Close)
    assert last.closure.code == 1000
