"""Turns as a client sees them."""

from dataclasses import replace

import pytest

from turnwire.hearing import Finished, Heard, Hypothesis, Marked, Pause, SpeechStarted, Word
from turnwire.session.effects import Cut, Effect, Send
from turnwire.session.turns import DEFAULTS, Endpointing, TurnAssembler
from turnwire.wire.messages import Turn
from turnwire.wire.parameters import ConnectionParameters, Family, LiveParameters

CLASSIC = DEFAULTS[Family.UNIVERSAL_STREAMING]
"""End at 400 ms if complete to 0.4, else at 1280 ms; utterances end at 500 ms."""


def words(text: str, start: int = 0) -> tuple[Word, ...]:
    """The words of a text, 100 ms each."""
    return tuple(
        Word(word, start + 100 * index, start + 100 * index + 90, 0.5)
        for index, word in enumerate(text.split())
    )


def pause(text: str, silence: int, completeness: float = 0.1) -> Pause:
    return Pause(words(text), since=1000, until=1000 + silence, completeness=completeness)


def turns(effects: list[Effect]) -> list[Turn]:
    messages = [effect.message for effect in effects if isinstance(effect, Send)]
    assert all(isinstance(message, Turn) for message in messages)
    return [message for message in messages if isinstance(message, Turn)]


def told(assembler: TurnAssembler, *heard: Heard) -> list[Turn]:
    return [turn for event in heard for turn in turns(assembler.receive(event))]


def with_formatting(endpointing: Endpointing = CLASSIC) -> Endpointing:
    return endpointing.updated(ConnectionParameters(format_turns=True))


def test_a_partial_shows_all_words_and_its_transcript_only_the_final_ones() -> None:
    [turn] = told(TurnAssembler(CLASSIC), Hypothesis(words("Lights, off"), stable=1))
    assert [word.text for word in turn.words] == ["lights", "off"]
    assert [word.word_is_final for word in turn.words] == [True, False]
    assert turn.transcript == "lights"
    assert (turn.turn_order, turn.end_of_turn, turn.utterance) == (0, False, "")
    assert (turn.words[1].start, turn.words[1].end) == (100, 190)


def test_nothing_new_is_not_told_again() -> None:
    same = Hypothesis(words("one two"), stable=1)
    assert len(told(TurnAssembler(CLASSIC), same, same)) == 1


def test_nothing_heard_is_nothing_told() -> None:
    silence: list[Heard] = [
        SpeechStarted(0),
        Hypothesis((), 0),
        pause("", 5000),
        Marked((), 9000, 0),
    ]
    assert told(TurnAssembler(CLASSIC), *silence, Finished((), 9000, 0)) == []


def test_a_complete_turn_ends_at_the_shorter_silence() -> None:
    assembler = TurnAssembler(CLASSIC)
    assert not any(turn.end_of_turn for turn in told(assembler, pause("Yes.", 399, 0.9)))
    effects = assembler.receive(pause("Yes.", 400, 0.9))
    [turn] = turns(effects)
    assert turn.end_of_turn
    assert turn.transcript == "yes"
    assert turn.utterance == "Yes."
    assert turn.end_of_turn_confidence == 0.9
    assert all(word.word_is_final for word in turn.words)
    assert effects[-1] == Cut()


def test_an_incomplete_turn_ends_at_the_longer_silence() -> None:
    assembler = TurnAssembler(CLASSIC)
    assembler.receive(pause("and then", 500))
    assert told(assembler, pause("", 1279)) == []
    [turn] = told(assembler, pause("", 1280))
    assert turn.end_of_turn
    assert turn.transcript == "and then"


@pytest.mark.parametrize(("threshold", "silence"), [(0.0, 400), (1.0, 1280)])
def test_the_threshold_reaches_from_at_once_to_never(threshold: float, silence: int) -> None:
    assembler = TurnAssembler(replace(CLASSIC, threshold=threshold))
    completeness = 0.0 if threshold == 0 else 0.99
    for now in range(0, silence, 16):
        assert not any(
            turn.end_of_turn for turn in told(assembler, pause("well", now, completeness))
        )
    assert told(assembler, pause("well", silence, completeness))[-1].end_of_turn


def test_a_pause_within_a_turn_ends_an_utterance_once() -> None:
    assembler = TurnAssembler(CLASSIC)
    told(assembler, Hypothesis(words("I am a"), stable=2))
    effects = assembler.receive(pause("I am a voice", 500))
    [utterance] = turns(effects)
    assert utterance.utterance == "I am a voice"
    assert not utterance.end_of_turn
    assert all(word.word_is_final for word in utterance.words)
    assert effects[-1] == Cut()

    # The engine starts afresh; the turn does not.
    [partial] = told(assembler, pause("", 516), Hypothesis(words("agent", 2000), stable=0))
    assert [word.text for word in partial.words] == ["i", "am", "a", "voice", "agent"]
    assert partial.transcript == "i am a voice"
    assert partial.utterance == ""

    [end] = told(assembler, pause("Agent.", 400, 0.9))
    assert end.turn_order == 0
    assert end.transcript == "i am a voice agent"
    assert end.utterance == "Agent."


def test_the_end_repeats_no_utterance_that_a_pause_delivered() -> None:
    assembler = TurnAssembler(with_formatting())
    told(assembler, pause("and then", 500))
    assert [turn.utterance for turn in told(assembler, pause("", 1280))] == ["", ""]


def test_the_client_asks_for_formatted_turns_and_gets_each_twice() -> None:
    raw, formatted = told(TurnAssembler(with_formatting()), pause("Hi, it's me.", 400, 0.9))
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


def test_a_universal_3_session_gets_each_turn_once_and_formatted() -> None:
    assembler = TurnAssembler(DEFAULTS[Family.UNIVERSAL_3].updated(LiveParameters()))
    partial, final = told(
        assembler, Hypothesis(words("Hi there"), stable=0), pause("Hi there.", 400, 0.9)
    )
    assert [word.text for word in partial.words] == ["Hi", "there"]
    assert final.turn_is_formatted
    assert final.transcript == "Hi there."


@pytest.mark.parametrize(
    "end", [Marked(words("Stop"), 700, 0.2), Finished(words("Stop"), 700, 0.2)]
)
def test_a_turn_ends_on_demand_whatever_the_silence(end: Heard) -> None:
    raw, formatted = told(TurnAssembler(with_formatting()), end)
    assert raw.end_of_turn
    assert formatted.end_of_turn
    assert formatted.transcript == "Stop"


def test_turns_are_counted() -> None:
    assembler = TurnAssembler(CLASSIC)
    ends = told(assembler, pause("One.", 400, 0.9), pause("", 800), pause("Two.", 400, 0.9))
    assert [turn.turn_order for turn in ends] == [0, 1]
    assert ends[1].transcript == "two"


def test_an_update_counts_from_the_next_event() -> None:
    assembler = TurnAssembler(CLASSIC)
    told(assembler, pause("well", 300))
    assembler.endpointing = assembler.endpointing.updated(LiveParameters(max_turn_silence=320))
    assert told(assembler, pause("well", 320))[-1].end_of_turn


def test_an_update_leaves_what_it_does_not_name() -> None:
    assert CLASSIC.updated(LiveParameters()) == CLASSIC
