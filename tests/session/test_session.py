"""The life of a session, with an invented clock."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support import OPTIONS
from turnwire.recognition import Finished, Marked, Partial, Pause, RecognitionOptions, Word
from turnwire.session.effects import (
    Admit,
    Close,
    Configure,
    Cut,
    Decode,
    Effect,
    Finish,
    Listen,
    Log,
    Mark,
    MeasureVoice,
    Recognize,
    Send,
)
from turnwire.session.events import (
    Abort,
    Admitted,
    AudioReceived,
    Connected,
    Decoded,
    Disconnected,
    DrainRequested,
    NoRoom,
    TextReceived,
    Tick,
    Undecodable,
    VoiceMeasured,
)
from turnwire.session.session import Session
from turnwire.session.states import LONGEST_DRAIN_SECONDS, STALLED_DRAIN_SECONDS
from turnwire.wire.closures import SERVER_ERROR, UNAUTHORIZED
from turnwire.wire.encodings import Encoding
from turnwire.wire.messages import (
    Begin,
    Error,
    Heartbeat,
    Silence,
    Termination,
    Turn,
    Warning,
)

HOURS_3 = 3 * 60 * 60

FRAME = bytes(1600)
"""50 ms."""

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


def test_begin_comes_first_and_says_when_the_session_ends() -> None:
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected([("sample_rate", "8000"), ("vad_threshold", "0.7")]), 0)
    begin, listen = session.receive(Admitted(HOURS_3, 1_800_000_000.9), 0)
    assert isinstance(begin, Send)
    assert isinstance(begin.message, Begin)
    assert begin.message.id == "id"
    assert begin.message.expires_at == 1_800_000_000 + HOURS_3
    assert listen == Listen(8000, RecognitionOptions(vad_threshold=0.7))


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


def test_audio_goes_to_the_engine_as_samples() -> None:
    session = opened()
    samples = np.arange(800, dtype="<i2")
    [effect] = session.receive(AudioReceived(samples.tobytes()), 100)
    assert isinstance(effect, Recognize)
    assert effect.samples.tolist() == samples.tolist()
    assert session.audio_ms == 50


def test_an_empty_binary_message_is_nothing() -> None:
    assert opened().receive(AudioReceived(b""), 100) == []


def test_compressed_audio_is_decoded_first_and_counts_by_what_becomes_of_it() -> None:
    session = opened(("encoding", "opus"), ("sample_rate", "48000"))
    # 20 ms, three times and more: for uncompressed audio that would be too short.
    for packet in (b"a", b"b", b"c", b"d"):
        assert session.receive(AudioReceived(packet), 100) == [Decode(Encoding.OPUS, packet)]
        assert session.receive(AudioReceived(b""), 100) == []
        samples = np.arange(320, dtype=np.int16)
        [effect] = session.receive(Decoded(samples), 100)
        assert isinstance(effect, Recognize)
        assert effect.samples is samples
    assert session.audio_ms == 80


def test_the_engine_hears_compressed_audio_at_one_rate_whatever_was_declared() -> None:
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected([("encoding", "aac"), ("sample_rate", "48000")]), 0)
    _, listen = session.receive(Admitted(60, unix_time=0), 0)
    assert isinstance(listen, Listen)
    assert listen.sample_rate == 16_000


@pytest.mark.parametrize(
    ("encoding", "what"),
    [("opus", "Opus packet"), ("ogg_opus", "Ogg Opus stream"), ("aac", "AAC stream")],
)
def test_what_cannot_be_decoded_ends_the_session(encoding: str, what: str) -> None:
    session = opened(("encoding", encoding))
    session.receive(AudioReceived(b"x"), 100)
    error, close = session.receive(Undecodable("it is none"), 100)
    assert isinstance(close, Close)
    assert close.closure.code == 3006
    assert close.closure.text == (
        f"User Input Validation Error: Failed to decode {what}: it is none"
    )
    assert error == Send(Error.of(close.closure))


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


def test_an_update_is_not_answered_and_reaches_the_engine_where_it_concerns_it() -> None:
    session = opened()
    assert session.receive(text(type="UpdateConfiguration", min_turn_silence=100), 101) == []
    assert session.receive(text(type="UpdateConfiguration", vad_threshold=0.8), 101) == [
        Configure(RecognitionOptions(vad_threshold=0.8))
    ]


def recognition_options(*query: tuple[str, str]) -> RecognitionOptions:
    """How the engine is told to listen in a session asked for so."""
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected(query), 0)
    listen = session.receive(Admitted(60, 0), 0)[1]
    assert isinstance(listen, Listen)
    return listen.options


@pytest.mark.parametrize(
    ("query", "first", "following"),
    [
        ([], 756, 0),
        ([("mode", "min_latency")], 256, 0),
        ([("mode", "min_latency"), ("interruption_delay", "300")], 556, 0),
        ([("continuous_partials", "False")], 756, 3000),
    ],
)
def test_universal_3_says_when_it_wants_partials(
    query: list[tuple[str, str]], first: int, following: int
) -> None:
    told = recognition_options(("speech_model", "u3-rt-pro"), *query)
    assert (told.first_partial, told.next_partial) == (first, following)


def test_an_engine_need_not_make_partials_that_nobody_wants() -> None:
    assert recognition_options(("include_partial_turns", "false")).first_partial == 1000 * HOURS_3


def test_what_is_known_of_the_audio_goes_to_the_engine_and_may_change() -> None:
    query = ("keyterms_prompt", '["Ogg", "Vorbis"]'), ("agent_context", "Which file?")
    told = recognition_options(*query)
    assert (told.keyterms, told.agent_context) == (("Ogg", "Vorbis"), "Which file?")
    session = opened(*query)
    clear = text(type="UpdateConfiguration", keyterms_prompt=[], agent_context="Oh.")
    assert session.receive(clear, 101) == [
        Configure(replace(told, keyterms=(), agent_context="Oh."))
    ]


@pytest.mark.parametrize(
    ("query", "languages"),
    [
        ([], ()),
        ([("speech_model", "universal-streaming-english")], ("en",)),
        ([("language_code", "es")], ("es",)),
        ([("language_code", "es"), ("language_codes", '["de", "fr"]')], ("de", "fr")),
        ([("language_code", "multi")], ()),
    ],
)
def test_the_engine_is_told_which_languages_may_be_spoken(
    query: list[tuple[str, str]], languages: tuple[str, ...]
) -> None:
    assert recognition_options(*query).languages == languages


@pytest.mark.parametrize(
    ("query", "multilingual"),
    [
        ([], False),
        ([("speech_model", "universal-streaming-english")], False),
        ([("speech_model", "universal-streaming-multilingual")], True),
        ([("speech_model", "u3-rt-pro")], False),
        ([("language_code", "fr")], True),
        ([("language_codes", '["en"]')], False),
        ([("language_codes", '["en", "es"]')], True),
        ([("language_code", "multi")], True),
        ([("language_detection", "true")], True),
    ],
)
def test_the_engine_is_told_whether_other_languages_than_english_were_asked_for(
    query: list[tuple[str, str]], multilingual: bool
) -> None:
    assert recognition_options(*query).multilingual is multilingual


def test_a_mode_may_change_and_leaves_what_was_asked_for_by_name() -> None:
    session = opened(("speech_model", "u3-rt-pro"), ("max_turn_silence", "900"))
    [configure] = session.receive(text(type="UpdateConfiguration", mode="min_latency"), 101)
    assert isinstance(configure, Configure)
    assert configure.options.first_partial == 256
    assert not any(
        isinstance(message, Turn) and message.end_of_turn
        for message in sent(session.receive(Pause(WORDS, 0, 899, 0.1), 101))
    )
    assert sent(session.receive(Pause((), 0, 900, 0.1), 101)) != []


@pytest.mark.parametrize("name", ["mode", "prompt"])
@pytest.mark.parametrize("live", [False, True])
def test_what_only_universal_3_has_is_refused_elsewhere(name: str, live: bool) -> None:
    model = "universal-streaming-english"
    if live:
        session = opened(("speech_model", model))
        effects = session.receive(text(type="UpdateConfiguration", **{name: "balanced"}), 101)
    else:
        effects = asked(("speech_model", model), (name, "balanced"))
    assert closed(effects)[1:] == (
        3006,
        f"User Input Validation Error: Invalid '{name}': Value error, {name} is only supported "
        f"with the 'u3-rt-pro' speech_model. Current speech_model: '{model}'",
    )


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ([("speech_model", "universal-3-6-pro")], "balanced"),
        ([("speech_model", "u3-rt-pro"), ("mode", "max_accuracy")], "max_accuracy"),
        ([], None),
    ],
)
def test_begin_echoes_the_mode(query: list[tuple[str, str]], mode: str | None) -> None:
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected(query), 0)
    [begin] = sent(session.receive(Admitted(60, 0), 0))
    assert isinstance(begin, Begin)
    assert begin.configuration is not None
    assert begin.configuration.mode == mode


def test_begin_echoes_whether_profanity_is_filtered() -> None:
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected([("filter_profanity", "True")]), 0)
    [begin] = sent(session.receive(Admitted(60, 0), 0))
    assert isinstance(begin, Begin)
    assert begin.configuration is not None
    assert begin.configuration.filter_profanity


def test_filtering_can_be_asked_for_later() -> None:
    session = opened()
    session.receive(text(type="UpdateConfiguration", filter_profanity=True), 101)
    [turn] = sent(session.receive(Partial((Word("Shit.", 0, 400, 0.9),), stable=1), 101))
    assert isinstance(turn, Turn)
    assert turn.transcript == "***"


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
    for _ in range(39):
        session.receive(AudioReceived(half), 101)
    effects = session.receive(AudioReceived(half), 101)
    assert effects[0] == Log("declared: sample_rate 16000, pcm_s16le, one channel")
    assert closed(effects)[2] == (
        "Input duration violation: 25.0 ms. Expected between 50 and 1000 ms"
    )
    session = opened()
    for _ in range(39):
        session.receive(AudioReceived(half), 101)
    session.receive(text(type="ForceEndpoint"), 101)
    assert session.receive(AudioReceived(half), 101) != []


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


def warnings(effects: list[Effect]) -> list[tuple[int, str]]:
    return [
        (message.warning_code, message.warning)
        for message in sent(effects)
        if isinstance(message, Warning)
    ]


WARNED = ("session_warnings", "true")


def test_expiry_is_announced_a_minute_ahead() -> None:
    session = opened(WARNED)
    assert session.deadline() == 100 + HOURS_3 - 60
    effects = session.receive(Tick(), 100 + HOURS_3 - 60)
    assert warnings(effects) == [(3008, "The session expires in 60 seconds")]
    assert session.receive(Tick(), 100 + HOURS_3) == [Finish()]


def test_a_session_shorter_than_the_notice_is_told_at_once() -> None:
    session = opened(WARNED, max_seconds=60)
    effects = session.receive(Tick(), 100)
    assert warnings(effects) == [(3008, "The session expires in 60 seconds")]


def test_inactivity_is_announced_at_half_time_each_time_anew() -> None:
    session = opened(WARNED, ("inactivity_timeout", "10"))
    text_of_warning = "No messages received for 5 seconds; the session ends after 10"
    assert warnings(session.receive(Tick(), 105)) == [(3006, text_of_warning)]
    session.receive(text(type="KeepAlive"), 106)
    assert warnings(session.receive(Tick(), 111)) == [(3006, text_of_warning)]
    assert session.receive(Tick(), 116) == [Finish()]


def test_a_short_chunk_that_is_let_pass_is_told() -> None:
    effects = opened(WARNED).receive(AudioReceived(FRAME[:640]), 101)
    assert warnings(effects) == [
        (3007, "Input duration of 20.0 ms was let pass. Expected between 50 and 1000 ms")
    ]


def test_who_did_not_ask_is_not_warned() -> None:
    session = opened(("inactivity_timeout", "10"))
    assert session.receive(Tick(), 105) == []
    assert sent(session.receive(AudioReceived(FRAME[:640]), 106)) == []


SECOND = bytes(32_000)


HEARTBEAT = ("session_heartbeat", "true")


def beat(session: Session, now: float, probability: float = 0.5) -> Heartbeat:
    assert session.receive(Tick(), now) == [MeasureVoice()]
    [message] = sent(session.receive(VoiceMeasured(probability), now))
    assert isinstance(message, Heartbeat)
    return message


def test_a_heartbeat_comes_every_five_seconds_and_tells_the_last_five() -> None:
    session = opened(HEARTBEAT)
    assert session.deadline() == 105
    for _ in range(98):
        session.receive(AudioReceived(FRAME), 101)
    assert beat(session, 105, 0.1234567) == Heartbeat(
        total_audio_received_ms=4900,
        total_duration_ms=5000,
        realtime_factor=0.98,
        max_speech_probability=0.123457,
    )
    assert session.deadline() == 110
    for _ in range(200):
        session.receive(AudioReceived(FRAME), 106)
    late = beat(session, 112.5)
    assert (late.total_audio_received_ms, late.total_duration_ms) == (14_900, 12_500)
    assert late.realtime_factor == 1.3333


def test_heartbeats_begin_and_end_on_demand() -> None:
    session = opened()
    assert session.receive(text(type="UpdateConfiguration", session_heartbeat=True), 200) == []
    session.receive(text(type="UpdateConfiguration", session_heartbeat=True), 203)
    session.receive(AudioReceived(FRAME), 204)
    assert beat(session, 205).realtime_factor == 0.01
    session.receive(text(type="UpdateConfiguration", session_heartbeat=False), 206)
    assert session.receive(Tick(), 210) == []


def test_silence_is_told_about_once_a_second_to_who_asked() -> None:
    session = opened(("acknowledge_silence", "true"))

    def silences(since: int, until: int) -> list[object]:
        return sent(session.receive(Pause((), since, until, 0.0), 101))

    assert silences(0, 999) == []
    assert silences(0, 1024) == [Silence(start_ms=0, end_ms=1024)]
    assert silences(0, 2000) == []
    assert silences(0, 2048) == [Silence(start_ms=1024, end_ms=2048)]
    assert silences(5000, 6000) == [Silence(start_ms=5000, end_ms=6000)]
    session.receive(text(type="UpdateConfiguration", acknowledge_silence=False), 101)
    assert silences(5000, 9000) == []


def test_audio_far_ahead_of_time_is_warned_of_then_refused() -> None:
    session = opened(WARNED)
    for _ in range(150):
        [effect] = session.receive(AudioReceived(SECOND), 101)
        assert isinstance(effect, Recognize)
    effects = session.receive(AudioReceived(SECOND), 101)
    assert warnings(effects) == [
        (3007, "Audio is ahead of time: Received 151.0 sec. audio in 0.000000 sec")
    ]
    for _ in range(149):
        effects = session.receive(AudioReceived(SECOND), 101)
        assert warnings(effects) == []
    effects = session.receive(AudioReceived(SECOND), 102.5)
    assert closed(session.receive(AudioReceived(SECOND), 102.5)) == (
        "transmission_rate",
        3007,
        "Audio Transmission Rate Exceeded: Received 302.0 sec. audio in 1.500000 sec",
    )


def test_audio_in_time_is_never_warned_of_however_long_it_goes_on() -> None:
    session = opened(WARNED)
    for second in range(HOURS_3 - 200):
        assert len(session.receive(AudioReceived(SECOND), 101 + second)) == 1


def test_a_pause_gives_no_credit_for_later() -> None:
    session = opened(WARNED)
    session.receive(AudioReceived(SECOND), 101)
    for _ in range(150):
        assert len(session.receive(AudioReceived(SECOND), 1000)) == 1
    assert len(warnings(session.receive(AudioReceived(SECOND), 1000))) == 1


def test_audio_ahead_of_time_is_refused_where_there_is_no_room_for_it() -> None:
    session = opened()
    session.receive(AudioReceived(SECOND), 101)
    assert session.receive(NoRoom(), 102.5) == []
    session.receive(AudioReceived(SECOND), 103)
    session.receive(AudioReceived(SECOND), 103)
    assert closed(session.receive(NoRoom(), 103.5)) == (
        "transmission_rate",
        3007,
        "Audio Transmission Rate Exceeded: Received 2.0 sec. audio in 0.000000 sec",
    )


def test_the_last_words_of_audio_ahead_of_time_may_take_as_long_as_it_lasts() -> None:
    session = opened()
    for _ in range(100):
        session.receive(AudioReceived(SECOND), 101)
    session.receive(text(type="Terminate"), 101)
    assert session.deadline() == 101 + 30 + 100


@pytest.mark.parametrize("event", [AudioReceived(bytes(131_073)), TextReceived("é" * 65_536 + "x")])
def test_a_message_over_128_kib_is_too_large(event: AudioReceived | TextReceived) -> None:
    assert closed(opened().receive(event, 101)) == (
        "message_too_large",
        1009,
        "Message too large: 131073 bytes. Expected at most 131072 bytes",
    )


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


def test_a_forced_endpoint_without_speech_is_answered_by_the_silence_before_it() -> None:
    session = opened(("acknowledge_silence", "true"))

    def silences(*events: Pause | Marked) -> list[object]:
        effects = [effect for event in events for effect in session.receive(event, 101)]
        return [message for message in sent(effects) if isinstance(message, Silence)]

    assert silences(Marked((), 400, 0.0)) == [Silence(start_ms=0, end_ms=400)]
    assert silences(Marked((), 400, 0.0)) == [Silence(start_ms=400, end_ms=400)]
    assert silences(Pause((), 0, 1500, 0.0)) == [Silence(start_ms=400, end_ms=1500)]
    assert silences(Marked((), 1600, 0.0)) == [Silence(start_ms=1500, end_ms=1600)]
    assert silences(Marked(WORDS, 2500, 0.0)) == []
    assert silences(Marked((), 2700, 0.0)) == [Silence(start_ms=2500, end_ms=2700)]
    session.receive(text(type="UpdateConfiguration", acknowledge_silence=False), 101)
    assert silences(Marked((), 3000, 0.0)) == []


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
