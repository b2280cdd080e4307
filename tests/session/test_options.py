"""What a session is asked for, when it begins and later, and what the engine is told of it."""

from dataclasses import replace

import pytest

from tests.session.opened import HOURS_3, WORDS, asked, closed, opened, sent, text
from tests.support import OPTIONS
from turnwire.recognition import Finished, Partial, Pause, RecognitionOptions, Word
from turnwire.session.effects import Configure, Listen
from turnwire.session.events import Admitted, Connected
from turnwire.session.session import Session
from turnwire.wire.messages import Begin, Turn


def test_an_update_is_not_answered_and_reaches_the_engine_where_it_concerns_it() -> None:
    session = opened()
    assert session.receive(text(type="UpdateConfiguration", max_turn_silence=900), 101) == []
    assert session.receive(text(type="UpdateConfiguration", vad_threshold=0.8), 101) == [
        Configure(RecognitionOptions(vad_threshold=0.8, least_pause=400))
    ]
    assert session.receive(text(type="UpdateConfiguration", min_turn_silence=100), 101) == [
        Configure(RecognitionOptions(vad_threshold=0.8, least_pause=100))
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
