"""The life of a session, with an invented clock."""

import pytest

from tests.session.opened import FRAME, HOURS_3, SECOND, WORDS, asked, closed, opened, sent, text
from tests.support import OPTIONS
from turnwire.recognition import Finished, Partial, Pause, RecognitionOptions
from turnwire.session.effects import Admit, Close, Cut, Finish, Listen, Log, Mark, Send
from turnwire.session.events import (
    Abort,
    Admitted,
    AudioReceived,
    Connected,
    Disconnected,
    DrainRequested,
    TextReceived,
    Tick,
)
from turnwire.session.session import Session
from turnwire.session.states import LONGEST_DRAIN_SECONDS, STALLED_DRAIN_SECONDS
from turnwire.wire.closures import SERVER_ERROR, UNAUTHORIZED
from turnwire.wire.messages import Begin, Error, Termination, Turn


def test_begin_comes_first_and_says_when_the_session_ends() -> None:
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected([("sample_rate", "8000"), ("vad_threshold", "0.7")]), 0)
    begin, listen = session.receive(Admitted(HOURS_3, 1_800_000_000.9), 0)
    assert isinstance(begin, Send)
    assert isinstance(begin.message, Begin)
    assert begin.message.id == "id"
    assert begin.message.expires_at == 1_800_000_000 + HOURS_3
    assert listen == Listen(8000, RecognitionOptions(vad_threshold=0.7, least_pause=400))


@pytest.mark.parametrize(
    ("query", "model"),
    [
        ([], "universal-streaming-english"),
        ([("speech_model", "tiny.en")], "tiny.en"),
        ([("speech_model", "universal-3-6-pro")], "universal-3-6-pro"),
    ],
)
def test_begin_echoes_the_model_that_was_asked_for(
    query: list[tuple[str, str]], model: str
) -> None:
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected(query, api_version="x"), 0)
    [begin] = sent(session.receive(Admitted(60, 0), 0))
    assert isinstance(begin, Begin)
    assert begin.configuration is not None
    assert begin.configuration.model == model
    assert begin.configuration.api_version == "x"


def test_a_bad_parameter_ends_the_session_before_anybody_is_admitted() -> None:
    effects = asked(("encoding", "mp3"))
    assert closed(effects) == (
        "invalid_parameter",
        3006,
        "User Input Validation Error: Invalid 'encoding': "
        "Value error, 'mp3' is not a valid Encoding",
    )
    assert len(effects) == 2


def test_a_refused_client_gets_the_reason_and_no_begin() -> None:
    refusal = UNAUTHORIZED.fill(reason="Invalid API key")
    session = Session("id", "tiny.en", OPTIONS)
    assert session.receive(Connected(), 0) == [Admit()]
    assert session.receive(Abort(refusal), 0) == [Send(Error.of(refusal)), Close(refusal)]


def test_what_is_heard_becomes_turns() -> None:
    effects = opened().receive(Partial(WORDS, stable=0), 101)
    assert [type(message) for message in sent(effects)] == [Turn]


def test_terminate_delivers_the_last_turn_then_the_figures_then_1000() -> None:
    session = opened()
    for _ in range(146):
        session.receive(AudioReceived(FRAME), 101)
    assert session.receive(text(type="Terminate"), 107.6) == [Finish()]
    effects = session.receive(Finished(WORDS, 7300, 0.9), 108.4)
    turn, figures = sent(effects)
    assert isinstance(turn, Turn)
    assert turn.end_of_turn
    assert figures == Termination(audio_duration_seconds=7, session_duration_seconds=8)
    assert closed(effects) == ("session_ended", 1000, "Session Ended")


def test_after_terminate_the_client_is_not_listened_to() -> None:
    session = opened()
    session.receive(text(type="Terminate"), 101)
    assert session.receive(AudioReceived(FRAME), 101) == []
    assert session.receive(text(type="Terminate"), 101) == []
    assert session.receive(TextReceived("{not json"), 101) == []


def test_force_endpoint_is_a_mark_in_the_audio() -> None:
    assert opened().receive(text(type="ForceEndpoint"), 101) == [Mark()]


def test_keep_alive_is_not_answered() -> None:
    assert opened().receive(text(type="KeepAlive"), 101) == []


def test_a_session_expires_after_three_hours_with_its_last_words_delivered() -> None:
    session = opened()
    assert session.deadline() == 100 + HOURS_3 - 60
    assert session.receive(Tick(), 100 + HOURS_3 - 0.01) == []
    assert session.deadline() == 100 + HOURS_3
    assert session.receive(Tick(), 100 + HOURS_3) == [Finish()]
    effects = session.receive(Finished(WORDS, 400, 0.9), 100 + HOURS_3 + 1)
    turn, error = sent(effects)
    assert isinstance(turn, Turn)
    assert turn.end_of_turn
    assert error == Error(
        error_code=3008, error="Session Expired: Maximum session duration exceeded"
    )
    assert closed(effects)[0] == "session_expired"


def test_an_inactive_session_ends_and_any_message_puts_that_off() -> None:
    session = opened(("inactivity_timeout", "5"))
    session.receive(AudioReceived(FRAME), 103)
    session.receive(text(type="KeepAlive"), 104)
    assert session.receive(Tick(), 105) == []
    assert session.receive(Tick(), 108.9) == []
    assert session.deadline() == 109
    assert session.receive(Tick(), 109) == [Finish()]
    assert closed(session.receive(Finished((), 50, 0), 109)) == (
        "inactive",
        3006,
        "Session terminated due to inactivity: No messages received for 5 seconds",
    )


def test_without_a_timeout_a_session_may_be_silent() -> None:
    session = opened()
    assert session.receive(Tick(), 100 + HOURS_3 - 1) == []


def test_the_last_words_of_audio_ahead_of_time_may_take_as_long_as_it_lasts() -> None:
    session = opened()
    for _ in range(100):
        session.receive(AudioReceived(SECOND), 101)
    session.receive(text(type="Terminate"), 101)
    assert session.deadline() == 101 + 30 + 100


def test_a_server_that_stops_delivers_the_last_words_first() -> None:
    session = opened()
    assert session.receive(DrainRequested(SERVER_ERROR.fill()), 101) == [Finish()]
    effects = session.receive(Finished(WORDS, 400, 0.9), 101)
    assert isinstance(sent(effects)[0], Turn)
    assert closed(effects) == ("server_error", 3005, "Session Cancelled: An error occurred")


def test_a_server_that_stops_before_the_session_began_has_nothing_to_deliver() -> None:
    effects = Session("id", "m", OPTIONS).receive(DrainRequested(SERVER_ERROR.fill()), 0)
    assert closed(effects)[0] == "server_error"


def test_a_failing_engine_ends_the_session_at_once() -> None:
    assert closed(opened().receive(Abort(SERVER_ERROR.fill()), 101))[1] == 3005


def test_last_words_that_never_come_are_not_waited_for_forever() -> None:
    session = opened()
    session.receive(text(type="Terminate"), 101)
    assert session.deadline() == 101 + STALLED_DRAIN_SECONDS
    assert session.receive(Tick(), 101 + STALLED_DRAIN_SECONDS - 1) == []
    assert closed(session.receive(Tick(), 101 + STALLED_DRAIN_SECONDS))[0] == "server_error"


def test_last_words_are_waited_for_while_the_engine_gets_on_but_not_forever() -> None:
    session = opened()
    session.receive(text(type="Terminate"), 101)
    now = 101.0
    while now < 101 + LONGEST_DRAIN_SECONDS - STALLED_DRAIN_SECONDS:
        now += STALLED_DRAIN_SECONDS - 1
        assert session.receive(Pause((), 0, 1, 0.0), now) == []
        assert session.receive(Tick(), now) == []
    assert session.deadline() == 101 + LONGEST_DRAIN_SECONDS
    assert closed(session.receive(Tick(), 101 + LONGEST_DRAIN_SECONDS))[0] == "server_error"


@pytest.mark.parametrize("end", [Tick(), Abort(SERVER_ERROR.fill())])
def test_if_the_last_words_never_come_those_at_hand_are_the_last_turn(end: Tick | Abort) -> None:
    session = opened()
    session.receive(Partial(WORDS, stable=0), 101)
    session.receive(text(type="Terminate"), 102)
    log, *effects = session.receive(end, 102 + STALLED_DRAIN_SECONDS)
    assert isinstance(log, Log)
    assert log.text.endswith("the words at hand were delivered")
    turn, _ = sent(effects)
    assert isinstance(turn, Turn)
    assert (turn.end_of_turn, turn.transcript) == (True, "hello")
    assert closed(effects)[0] == "server_error"


def test_nothing_is_sent_to_a_client_that_is_gone() -> None:
    session = opened()
    effects = session.receive(Disconnected(), 101)
    assert sent(effects) == []
    assert closed(effects)[0] == "client_gone"


def test_a_cut_goes_to_the_engine() -> None:
    session = opened()
    session.receive(text(type="ForceEndpoint"), 101)
    session.receive(text(type="Terminate"), 102)
    assert Cut() in session.receive(Finished(WORDS, 400, 0.9), 102)
