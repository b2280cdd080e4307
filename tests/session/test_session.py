"""The life of a session, with an invented clock."""

import json

import numpy as np
import pytest

from turnwire.hearing import Finished, Hypothesis, Word
from turnwire.session.effects import (
    Close,
    Configure,
    Cut,
    Effect,
    Finish,
    Listen,
    Mark,
    Recognize,
    Send,
)
from turnwire.session.events import (
    AudioReceived,
    Disconnected,
    Ended,
    Opened,
    TextReceived,
    Tick,
    WoundUp,
)
from turnwire.session.session import DRAIN_SECONDS, Session
from turnwire.wire.closures import SERVER_ERROR, UNAUTHORIZED
from turnwire.wire.messages import Begin, Error, Termination, Turn

HOURS_3 = 3 * 60 * 60

FRAME = bytes(1600)
"""50 ms."""

WORDS = (Word("Hello.", 0, 400, 0.9),)


def opened(*query: tuple[str, str]) -> Session:
    """A session that began at 100 s."""
    session = Session("id", "tiny.en")
    effects = session.receive(Opened(query, HOURS_3, unix_time=1_800_000_000.9), 100.0)
    assert isinstance(effects[0], Send)
    return session


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


def test_begin_comes_first_and_says_when_the_session_ends() -> None:
    begin, listen = Session("id", "tiny.en").receive(
        Opened([("sample_rate", "8000"), ("vad_threshold", "0.7")], HOURS_3, 1_800_000_000.9), 0
    )
    assert isinstance(begin, Send)
    assert isinstance(begin.message, Begin)
    assert begin.message.id == "id"
    assert begin.message.expires_at == 1_800_000_000 + HOURS_3
    assert listen == Listen(8000, 0.7)


@pytest.mark.parametrize(
    ("query", "model"),
    [([], "tiny.en"), ([("speech_model", "universal-3-6-pro")], "universal-3-6-pro")],
)
def test_begin_echoes_the_model_that_was_asked_for(
    query: list[tuple[str, str]], model: str
) -> None:
    effects = Session("id", "tiny.en").receive(Opened(query, 60, 0, api_version="x"), 0)
    [begin] = sent(effects)
    assert isinstance(begin, Begin)
    assert begin.configuration is not None
    assert begin.configuration.model == model
    assert begin.configuration.api_version == "x"


def test_a_bad_parameter_ends_the_session_before_it_begins() -> None:
    effects = Session("id", "tiny.en").receive(Opened([("encoding", "mp3")], 60, 0), 0)
    assert closed(effects) == (
        "invalid_parameter",
        3006,
        "User Input Validation Error: Invalid 'encoding': "
        "Value error, 'mp3' is not a valid Encoding",
    )
    assert len(effects) == 2


def test_a_refused_client_gets_the_reason_and_no_begin() -> None:
    refusal = UNAUTHORIZED.because(reason="Invalid API key")
    effects = Session("id", "tiny.en").receive(Ended(refusal), 0)
    assert effects == [Send(Error.of(refusal)), Close(refusal)]


def test_audio_goes_to_the_engine_as_samples() -> None:
    session = opened()
    samples = np.arange(800, dtype="<i2")
    [effect] = session.receive(AudioReceived(samples.tobytes()), 100)
    assert isinstance(effect, Recognize)
    assert effect.samples.tolist() == samples.tolist()
    assert session.audio_seconds == pytest.approx(0.05)


def test_an_empty_binary_message_is_nothing() -> None:
    assert opened().receive(AudioReceived(b""), 100) == []


def test_what_is_heard_becomes_turns() -> None:
    effects = opened().receive(Hypothesis(WORDS, stable=0), 101)
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


def test_an_update_is_not_answered_and_reaches_the_engine_where_it_concerns_it() -> None:
    session = opened()
    assert session.receive(text(type="UpdateConfiguration", min_turn_silence=100), 101) == []
    assert session.receive(text(type="UpdateConfiguration", vad_threshold=0.8), 101) == [
        Configure(0.8)
    ]


def test_formatting_can_be_asked_for_later() -> None:
    session = opened()
    session.receive(text(type="UpdateConfiguration", format_turns=True), 101)
    session.receive(text(type="Terminate"), 102)
    raw, formatted, _ = sent(session.receive(Finished(WORDS, 400, 0.9), 102))
    assert isinstance(raw, Turn)
    assert isinstance(formatted, Turn)
    assert (raw.transcript, formatted.transcript) == ("hello", "Hello.")


@pytest.mark.parametrize(
    ("event", "closure"),
    [
        (TextReceived("{"), ("invalid_json", 3006, "Invalid JSON: {")),
        (TextReceived("[]"), ("invalid_message", 3006, "Invalid Message: []")),
        (text(type="Bogus"), ("invalid_message_type", 3006, "Invalid Message Type: Bogus")),
        (
            AudioReceived(bytes(38_400)),
            (
                "input_duration",
                3007,
                "Input duration violation: 1200.0 ms. Expected between 50 and 1000 ms",
            ),
        ),
    ],
)
def test_a_broken_rule_ends_the_session_in_the_words_of_the_page(
    event: TextReceived | AudioReceived, closure: tuple[str, int, str]
) -> None:
    session = opened()
    effects = session.receive(event, 101)
    assert closed(effects) == closure
    assert session.receive(event, 101) == []
    assert session.deadline() is None


def test_a_wrong_sample_rate_shows_as_short_chunks_and_a_tail_is_forgiven() -> None:
    half = bytes(800)  # 50 ms at 8 kHz, declared as 16 kHz
    session = opened()
    session.receive(AudioReceived(half), 101)
    session.receive(AudioReceived(half), 101)
    assert closed(session.receive(AudioReceived(half), 101))[2] == (
        "Input duration violation: 25.0 ms. Expected between 50 and 1000 ms"
    )
    session = opened()
    session.receive(AudioReceived(half), 101)
    session.receive(AudioReceived(half), 101)
    session.receive(text(type="ForceEndpoint"), 101)
    assert session.receive(AudioReceived(half), 101) != []


def test_a_session_expires_after_three_hours_with_its_last_words_delivered() -> None:
    session = opened()
    assert session.deadline() == 100 + HOURS_3
    assert session.receive(Tick(), 100 + HOURS_3 - 0.01) == []
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
    assert session.deadline() == 105
    session.receive(AudioReceived(FRAME), 103)
    session.receive(text(type="KeepAlive"), 104)
    assert session.deadline() == 109
    assert session.receive(Tick(), 105) == []
    assert session.receive(Tick(), 109) == [Finish()]
    assert closed(session.receive(Finished((), 50, 0), 109)) == (
        "inactive",
        3006,
        "Session terminated due to inactivity: No messages received for 5 seconds",
    )


def test_without_a_timeout_a_session_may_be_silent() -> None:
    assert opened().deadline() == 100 + HOURS_3


def test_a_server_that_stops_delivers_the_last_words_first() -> None:
    session = opened()
    assert session.receive(WoundUp(SERVER_ERROR.because()), 101) == [Finish()]
    effects = session.receive(Finished(WORDS, 400, 0.9), 101)
    assert isinstance(sent(effects)[0], Turn)
    assert closed(effects) == ("server_error", 3005, "Session Cancelled: An error occurred")


def test_a_server_that_stops_before_the_session_began_has_nothing_to_deliver() -> None:
    effects = Session("id", "m").receive(WoundUp(SERVER_ERROR.because()), 0)
    assert closed(effects)[0] == "server_error"


def test_a_failing_engine_ends_the_session_at_once() -> None:
    assert closed(opened().receive(Ended(SERVER_ERROR.because()), 101))[1] == 3005


def test_last_words_that_never_come_are_not_waited_for_forever() -> None:
    session = opened()
    session.receive(text(type="Terminate"), 101)
    assert session.deadline() == 101 + DRAIN_SECONDS
    assert session.receive(Tick(), 101 + DRAIN_SECONDS - 1) == []
    assert closed(session.receive(Tick(), 101 + DRAIN_SECONDS))[0] == "server_error"


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
