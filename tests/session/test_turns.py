"""Turns as a client sees them."""

from dataclasses import replace
from itertools import pairwise
from typing import Any
from unicodedata import normalize

import pytest

from turnwire.profanity import masked
from turnwire.recognition import (
    Finished,
    Language,
    Marked,
    Partial,
    Pause,
    SpeechEvent,
    SpeechStarted,
    Word,
)
from turnwire.session.effects import Cut, Send
from turnwire.session.endpointing import endpointing
from turnwire.session.style import style
from turnwire.session.turns import TurnAssembler
from turnwire.wire import messages
from turnwire.wire.messages import Turn
from turnwire.wire.models import Family
from turnwire.wire.parameters import ConnectionParameters


def assembler(family: Family = Family.UNIVERSAL_STREAMING, **asked: Any) -> TurnAssembler:
    """Asked for nothing: ends at 400 ms if complete to 0.4, else at 1280 ms."""
    parameters = ConnectionParameters(**asked)
    return TurnAssembler(
        endpointing(family, parameters),
        style(family, parameters, masked),
        partials=parameters.include_partial_turns,
    )


def universal_3(**asked: Any) -> TurnAssembler:
    """Asked for nothing: ends at 128 ms if complete to 0.4, else at 1280 ms."""
    return assembler(Family.UNIVERSAL_3, **asked)


def words(text: str, start: int = 0) -> tuple[Word, ...]:
    """The words of a text, 100 ms each."""
    return tuple(
        Word(word, start + 100 * index, start + 100 * index + 90, 0.5)
        for index, word in enumerate(text.split())
    )


def pause(text: str, silence: int, completeness: float = 0.1) -> Pause:
    return Pause(words(text), since=1000, until=1000 + silence, completeness=completeness)


def sent(turns: TurnAssembler, *heard: SpeechEvent) -> list[Any]:
    """The messages that follow from what is heard."""
    effects = [effect for event in heard for effect in turns.receive(event)]
    return [effect.message for effect in effects if isinstance(effect, Send)]


def told(turns: TurnAssembler, *heard: SpeechEvent) -> list[Turn]:
    """Those of them about turns themselves."""
    return [message for message in sent(turns, *heard) if isinstance(message, Turn)]


def test_a_partial_shows_all_words_and_its_transcript_only_the_final_ones() -> None:
    [turn] = told(assembler(), Partial(words("Lights, off"), stable=1))
    assert [word.text for word in turn.words] == ["lights", "off"]
    assert [word.word_is_final for word in turn.words] == [True, False]
    assert turn.transcript == "lights"
    assert (turn.turn_order, turn.end_of_turn, turn.utterance) == (0, False, "")
    assert (turn.words[1].start, turn.words[1].end) == (100, 190)


JAPANESE = (
    Word("「東", 0, 90, 0.5),
    Word("京」", 100, 190, 0.5, joined=True),
    Word("の", 200, 290, 0.5, joined=True),
    Word("Hotel", 300, 390, 0.5, joined=True),
    Word("California", 400, 490, 0.5),
    Word("です。", 500, 590, 0.5, joined=True),
)


def test_words_stand_in_a_text_as_the_engine_wrote_them() -> None:
    turns = assembler(format_turns=True)
    [partial] = told(turns, Partial(JAPANESE, stable=5))
    assert partial.transcript == "東京のhotel california"
    assert [word.text for word in partial.words][-2:] == ["california", "です"]
    [utterance] = told(turns, Pause(JAPANESE, 1000, 1500, 0.1))
    assert utterance.utterance == "「東京」のHotel Californiaです。"
    goes_on = (replace(JAPANESE[0], joined=True), *JAPANESE[1:3])
    raw, formatted = told(turns, Pause(goes_on, 2000, 3300, 0.1))
    assert raw.transcript == "東京のhotel californiaです東京の"
    assert formatted.transcript == "「東京」のHotel Californiaです。「東京」の"


def test_words_stand_so_in_a_universal_3_turn_too() -> None:
    [turn] = told(universal_3(), Pause(JAPANESE, 1000, 2300, 0.1))
    assert turn.transcript == turn.utterance == "「東京」のHotel Californiaです。"


def test_a_profane_word_is_masked_amid_words_without_spaces() -> None:
    said = (JAPANESE[2], replace(JAPANESE[3], text="shit"), JAPANESE[5])
    [turn] = told(universal_3(filter_profanity=True), Pause(said, 1000, 2300, 0.1))
    assert turn.transcript == "の***です。"


@pytest.mark.parametrize("word", ["ḥass", normalize("NFD", "rapé")])
def test_no_profane_word_is_found_between_accents(word: str) -> None:
    [turn] = told(universal_3(filter_profanity=True), Pause(words(word), 1000, 2300, 0.1))
    assert turn.transcript == word


def test_nothing_new_is_not_told_again() -> None:
    same = Partial(words("one two"), stable=1)
    assert len(told(assembler(), same, same)) == 1


def test_the_same_words_in_the_next_utterance_or_turn_are_new() -> None:
    same = Partial(words("one two"), stable=0)
    turns = assembler()
    goes_on = told(turns, same, pause("one two", 500), same)
    assert [len(turn.words) for turn in goes_on] == [2, 2, 4]
    *_, anew = told(turns, pause("one two", 1280), same)
    assert (anew.turn_order, len(anew.words)) == (1, 2)


def test_the_same_words_told_in_another_style_are_new() -> None:
    same = Partial(words("oh shit"), stable=0)
    turns = assembler()
    told(turns, same)
    asked = ConnectionParameters(filter_profanity=True)
    turns.style = style(Family.UNIVERSAL_STREAMING, asked, masked)
    [turn] = told(turns, same)
    assert turn.words[1].text == "***"


def test_nothing_heard_is_nothing_told() -> None:
    silence: list[SpeechEvent] = [
        SpeechStarted(0, 1.0),
        Partial((), 0),
        pause("", 5000),
        Marked((), 9000, 0),
    ]
    assert told(assembler(), *silence, Finished((), 9000, 0)) == []


def test_a_complete_turn_ends_at_the_shorter_silence() -> None:
    turns = assembler()
    assert not any(turn.end_of_turn for turn in told(turns, pause("Yes.", 399, 0.9)))
    message, cut = turns.receive(pause("Yes.", 400, 0.9))
    assert isinstance(message, Send)
    turn = message.message
    assert isinstance(turn, Turn)
    assert turn.end_of_turn
    assert turn.transcript == "yes"
    assert turn.utterance == "Yes."
    assert turn.end_of_turn_confidence == 0.9
    assert all(word.word_is_final for word in turn.words)
    assert cut == Cut()


def test_an_incomplete_turn_ends_at_the_longer_silence() -> None:
    turns = assembler()
    turns.receive(pause("and then", 500))
    assert told(turns, pause("", 1279)) == []
    [turn] = told(turns, pause("", 1280))
    assert turn.end_of_turn
    assert turn.transcript == "and then"


@pytest.mark.parametrize(("threshold", "silence"), [(0.0, 400), (1.0, 1280)])
def test_the_threshold_reaches_from_at_once_to_never(threshold: float, silence: int) -> None:
    turns = assembler(end_of_turn_confidence_threshold=threshold)
    completeness = 0.0 if threshold == 0 else 0.99
    for now in range(0, silence, 16):
        assert not any(turn.end_of_turn for turn in told(turns, pause("well", now, completeness)))
    assert told(turns, pause("well", silence, completeness))[-1].end_of_turn


def test_a_pause_within_a_turn_ends_an_utterance_once() -> None:
    turns = assembler()
    told(turns, Partial(words("I am a"), stable=2))
    message, cut = turns.receive(pause("I am a voice", 500))
    assert isinstance(message, Send)
    utterance = message.message
    assert isinstance(utterance, Turn)
    assert utterance.utterance == "I am a voice"
    assert not utterance.end_of_turn
    assert all(word.word_is_final for word in utterance.words)
    assert cut == Cut()

    # The engine starts afresh; the turn does not.
    [partial] = told(turns, pause("", 516), Partial(words("agent", 2000), stable=0))
    assert [word.text for word in partial.words] == ["i", "am", "a", "voice", "agent"]
    assert partial.transcript == "i am a voice"
    assert partial.utterance == ""

    [end] = told(turns, pause("Agent.", 400, 0.9))
    assert end.turn_order == 0
    assert end.transcript == "i am a voice agent"
    assert end.utterance == "Agent."


def test_the_end_repeats_no_utterance_that_a_pause_delivered() -> None:
    turns = assembler(format_turns=True)
    told(turns, pause("and then", 500))
    assert [turn.utterance for turn in told(turns, pause("", 1280))] == ["", ""]


def test_the_client_asks_for_formatted_turns_and_gets_each_twice() -> None:
    raw, formatted = told(assembler(format_turns=True), pause("Hi, it's me.", 400, 0.9))
    assert (raw.turn_is_formatted, raw.transcript, raw.utterance) == (
        False,
        "hi it's me",
        "Hi, it's me.",
    )
    assert (formatted.turn_is_formatted, formatted.transcript, formatted.utterance) == (
        True,
        "Hi, it's me.",
        "",
    )
    assert formatted.end_of_turn
    assert formatted.turn_order == raw.turn_order == 0
    assert [word.text for word in formatted.words] == ["Hi,", "it's", "me."]
    assert [word.start for word in formatted.words] == [word.start for word in raw.words]


@pytest.mark.parametrize(
    "end", [Marked(words("Stop"), 700, 0.2), Finished(words("Stop"), 700, 0.2)]
)
def test_a_turn_ends_on_demand_whatever_the_silence(end: SpeechEvent) -> None:
    raw, formatted = told(assembler(format_turns=True), end)
    assert raw.end_of_turn
    assert formatted.end_of_turn
    assert formatted.transcript == "Stop"


def test_turns_are_counted() -> None:
    turns = assembler()
    ends = told(turns, pause("One.", 400, 0.9), pause("", 800), pause("Two.", 400, 0.9))
    assert [turn.turn_order for turn in ends] == [0, 1]
    assert ends[1].transcript == "two"


def test_words_that_a_pause_makes_stable_are_final_while_it_lasts_and_after_it() -> None:
    turns = assembler()
    told(turns, Partial(words("one two"), stable=0))
    [short] = told(turns, replace(pause("one two", 192), stable=2))
    assert short.transcript == "one two"
    [on] = told(turns, Partial(words("one two three"), stable=2))
    assert on.transcript == "one two"


def test_formatting_that_is_asked_for_amid_a_turn_counts_from_its_end() -> None:
    turns = assembler()
    told(turns, Partial(words("Hi"), stable=1))
    turns.style = style(Family.UNIVERSAL_STREAMING, ConnectionParameters(format_turns=True), masked)
    raw, formatted = told(turns, pause("Hi.", 400, 0.9))
    assert (raw.transcript, formatted.transcript) == ("hi", "Hi.")


@pytest.mark.parametrize("family", Family)
def test_profane_words_are_masked_wherever_they_are_written(family: Family) -> None:
    turns = assembler(family, filter_profanity=True, format_turns=True)
    said = "Oh shit, bull-shitting assholes in Scunthorpe assess butter!"
    messages = told(turns, Partial(words(said), stable=3), pause(said, 1280, 0.9))
    assert messages[-1].transcript == "Oh ***, bull-*** *** in Scunthorpe assess butter!"
    for turn in messages:
        texts = [word.text for word in turn.words]
        assert {texts[1].strip(","), texts[3]} == {"***"}
        assert not any("shit" in text for text in (turn.transcript, turn.utterance))


@pytest.mark.parametrize(
    "asked", [{"language_detection": True}, {"language_code": ["es"]}, {"language_codes": ["es"]}]
)
def test_the_language_is_told_where_an_utterance_or_a_turn_ends(asked: dict[str, Any]) -> None:
    turns = assembler(format_turns=True, **asked)
    spanish = Language("es", 0.81234567)
    said: list[SpeechEvent] = [
        Partial(words("hola"), stable=0),
        replace(pause("Hola, soy", 500), language=spanish),
        replace(pause("Ana.", 400, 0.9), language=spanish),
    ]
    partial, *ends = told(turns, *said)
    assert (partial.language_code, partial.language_confidence) == (None, None)
    assert len(ends) == 3
    assert {(turn.language_code, turn.language_confidence) for turn in ends} == {("es", 0.812346)}


def test_no_language_is_told_to_who_did_not_ask() -> None:
    [end] = told(assembler(), pause("Yes.", 400, 0.9))
    assert "language_code" not in end.to_json()


def test_who_wants_no_partial_turns_gets_ends_alone() -> None:
    turns = assembler(include_partial_turns=False)
    [end] = told(
        turns,
        Partial(words("I am"), stable=1),
        pause("I am a", 500),
        Partial(words("voice", 2000), stable=0),
        pause("Voice.", 400, 0.9),
    )
    assert end.end_of_turn
    assert end.transcript == "i am a voice"


def test_a_universal_3_turn_is_one_text_that_may_change_until_its_one_end() -> None:
    turns = universal_3()
    started, partial, final = sent(
        turns,
        SpeechStarted(30, 0.7),
        Partial(words("Hi there"), stable=1),
        pause("Hi, there.", 128, 0.9),
    )
    assert started == messages.SpeechStarted(timestamp=30, confidence=0.7)
    assert (partial.transcript, partial.utterance) == ("Hi there", "")
    assert (partial.end_of_turn_confidence, partial.turn_is_formatted) == (0.0, True)
    assert not any(word.word_is_final for word in partial.words)
    assert (final.end_of_turn, final.turn_is_formatted) == (True, True)
    assert final.transcript == final.utterance == "Hi, there."
    assert final.end_of_turn_confidence == 1.0
    assert all(word.word_is_final for word in final.words)


def test_universal_3_formats_whether_asked_or_not() -> None:
    assert len(told(universal_3(format_turns=True), pause("Yes.", 128, 0.9))) == 1


def test_an_incomplete_universal_3_turn_shows_one_partial_in_a_pause_and_goes_on() -> None:
    turns = universal_3()
    assert told(turns, pause("and then", 127)) == []
    [partial] = told(turns, pause("and then", 128), pause("and then", 499), pause("and then", 500))
    assert (partial.transcript, partial.end_of_turn) == ("and then", False)
    more, end = told(
        turns, pause("", 600), Partial(words("we left", 2000), stable=0), pause("we left", 1280)
    )
    assert more.transcript == end.transcript == end.utterance == "and then we left"
    assert (more.turn_order, end.turn_order) == (0, 0)


@pytest.mark.parametrize(
    ("mode", "complete", "longest"),
    [("min_latency", 128, 640), ("balanced", 128, 1280), ("max_accuracy", 512, 2560)],
)
def test_a_mode_says_which_silence_ends_a_turn(mode: str, complete: int, longest: int) -> None:
    turns = universal_3(mode=mode)
    assert not any(turn.end_of_turn for turn in told(turns, pause("Yes.", complete - 1, 0.9)))
    assert told(turns, pause("Yes.", complete, 0.9))[-1].end_of_turn
    told(turns, pause("and", longest - 1, 0.1))
    assert told(turns, pause("", longest, 0.1))[-1].end_of_turn


def test_what_is_asked_for_goes_before_the_mode() -> None:
    turns = universal_3(mode="max_accuracy", min_turn_silence=100, max_turn_silence=100)
    assert told(turns, pause("and", 100))[-1].end_of_turn


def test_universal_3_does_not_heed_a_threshold() -> None:
    turns = universal_3(end_of_turn_confidence_threshold=1.0)
    assert told(turns, pause("Yes.", 128, 0.9))[-1].end_of_turn


def speech(count: int, gap_before: int) -> tuple[Word, ...]:
    """Five words a second without a pause, but for half a second before one of them."""
    return words_every_200_ms(gap_before) + tuple(
        replace(word, start=word.start + 500, end=word.end + 500)
        for word in words_every_200_ms(count)[gap_before:]
    )


def words_every_200_ms(count: int) -> tuple[Word, ...]:
    return tuple(Word(f"w{n}", 200 * n, 200 * n + 180, 0.9) for n in range(count))


@pytest.mark.parametrize("family", [Family.UNIVERSAL_STREAMING, Family.UNIVERSAL_3])
def test_a_turn_of_a_minute_is_divided_at_the_widest_gap_late_in_it(family: Family) -> None:
    turns = assembler(family)
    all_words = speech(310, gap_before=260)
    ended: list[Turn] = []
    for count in range(5, 310, 5):
        effects = turns.receive(Partial(all_words[:count], stable=count - 3))
        assert Cut() not in effects  # the engine goes on with what it has heard
        ended += [
            effect.message
            for effect in effects
            if isinstance(effect, Send)
            and isinstance(effect.message, Turn)
            and effect.message.end_of_turn
        ]
    [turn] = ended
    assert [word.text for word in turn.words] == [f"w{n}" for n in range(260)]
    assert all(word.word_is_final for word in turn.words)
    [rest] = told(turns, Pause(all_words, 62_500, 63_900, 0.1))
    assert rest.turn_order == 1
    assert [word.text for word in rest.words] == [f"w{n}" for n in range(260, 310)]
    # What is heard after the cut begins anew.
    [after] = told(turns, Partial(words("more", 64_000), stable=1))
    assert (after.turn_order, after.words[0].text.lower()) == (2, "more")


def test_a_turn_is_divided_between_utterances_if_that_gap_is_the_widest() -> None:
    turns = assembler(max_turn_duration=5000)
    first = words("a b c", start=0)
    told(turns, Pause(first, 4200, 4710, 0.1))  # ends an utterance
    later = tuple(replace(word, start=word.start + 4800, end=word.end + 4800) for word in first)
    ended, rest = told(turns, Partial(later, stable=0))
    assert (ended.end_of_turn, ended.transcript) == (True, "a b c")
    assert (rest.turn_order, [word.text for word in rest.words]) == (1, ["a", "b", "c"])


def test_a_turn_without_a_stable_word_is_divided_when_it_is_overdue() -> None:
    turns = assembler()
    many = words_every_200_ms(400)
    assert not told(turns, Partial(many[:310], 0))[-1].end_of_turn
    effects = turns.receive(Partial(many[:376], 0))
    assert effects[-1] == Cut()


@pytest.mark.parametrize("family", [Family.UNIVERSAL_STREAMING, Family.UNIVERSAL_3])
def test_messages_stay_below_64_kib_however_fast_someone_speaks(family: Family) -> None:
    turns = assembler(family, format_turns=True, max_turn_duration=120_000)
    fast = tuple(Word("considerable,", 90 * n, 90 * n + 80, 0.123456) for n in range(1300))
    sizes = [
        len(message.to_json())
        for count in range(5, 1300, 5)
        for message in sent(turns, Partial(fast[:count], stable=count - 3))
    ]
    assert max(sizes) < 64 * 1024


def test_a_partial_amid_speech_does_not_carry_the_confidence_of_the_last_pause() -> None:
    turns = assembler(max_turn_silence=5000, end_of_turn_confidence_threshold=1.0)
    first, second, third = told(
        turns,
        Pause(words("one two"), 1000, 1500, 0.748),
        Partial(words("three", 2000), stable=0),
        Pause(words("three four", 2000), 3000, 3100, 0.2),
    )
    assert [turn.end_of_turn_confidence for turn in (first, second, third)] == [0.748, 0.0, 0.2]


def test_universal_3_is_the_surer_of_an_end_the_longer_a_pause_lasts() -> None:
    turns = universal_3()
    told(turns, Partial(words("I think"), stable=0))
    # The engine is told to cut after half a second.
    pauses = (pause("I think" if ms <= 500 else "", ms) for ms in range(0, 1300, 20))
    said = told(turns, *pauses)
    confidences = [turn.end_of_turn_confidence for turn in said]
    assert confidences == sorted(confidences)
    assert confidences[-1] == 1.0
    assert [turn.end_of_turn for turn in said] == [False] * (len(said) - 1) + [True]
    # At most one each 200 ms, and not one that says what the one before said.
    assert 3 <= len(said) <= 5
    assert any(0.3 < confidence < 0.9 for confidence in confidences)
    assert all(after - before > 0.1 for before, after in pairwise(confidences[1:]))


def test_universal_3_is_not_sure_amid_speech() -> None:
    turns = universal_3(mode="max_accuracy")
    first, waiting, going_on = told(
        turns,
        Partial(words("one two"), stable=0),
        pause("one two.", 300, 0.9),
        Partial(words("one two three"), stable=0),
    )
    assert first.end_of_turn_confidence == 0.0
    assert 0.1 < waiting.end_of_turn_confidence < 0.7
    assert going_on.end_of_turn_confidence == 0.0


def test_universal_streaming_sends_nothing_for_confidence_alone() -> None:
    turns = assembler(max_turn_silence=5000)
    said = told(turns, *(pause("one two", silence, silence / 2000) for silence in (100, 300, 450)))
    assert len(said) == 1


def test_words_at_hand_are_the_last_turn_if_no_better_ones_come() -> None:
    turns = assembler(format_turns=True)
    told(turns, Pause(words("one two"), 1000, 1500, 0.1), Partial(words("three", 2000), stable=0))
    effects = turns.give_up()
    ended = [effect.message for effect in effects if isinstance(effect, Send)]
    assert [(m.transcript, m.end_of_turn) for m in ended if isinstance(m, Turn)] == [
        ("one two three", True)
    ] * 2
    assert assembler().give_up() == []


def test_speech_that_is_cut_goes_on_as_the_next_universal_3_turn() -> None:
    turns = universal_3()
    told(turns, SpeechStarted(0, 0.8), Marked(words("one"), 150, 0.1))
    started, _ = sent(turns, Partial(words("two", 200), 0))
    assert started.timestamp == 150


def test_noise_starts_no_universal_3_turn() -> None:
    turns = universal_3()
    assert sent(turns, SpeechStarted(0, 0.6), pause("", 300)) == []
    started, _ = sent(turns, SpeechStarted(5000, 0.9), Partial(words("yes", 5000), 0))
    assert started == messages.SpeechStarted(timestamp=5000, confidence=0.9)
    assert sent(turns, SpeechStarted(5200, 0.9), pause("Yes.", 128, 0.9))[0].end_of_turn


def test_speech_started_comes_with_the_end_if_nothing_else_does() -> None:
    turns = universal_3(include_partial_turns=False)
    started, end = sent(turns, SpeechStarted(7, 1.0), pause("Yes.", 128, 0.9))
    assert started.timestamp == 7
    assert end.end_of_turn
