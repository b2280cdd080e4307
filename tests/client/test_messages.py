"""What newer and other servers send, and what of it reaches the program."""

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from turnwire import client
from turnwire.client import messages
from turnwire.client.messages import (
    UNKNOWN_ORDER,
    Begin,
    Error,
    Heartbeat,
    LLMGatewayResponse,
    Revision,
    ServerMessage,
    Silence,
    SpeakerRevision,
    SpeechStarted,
    Termination,
    Turn,
    Warning,
    Word,
    parse,
)
from turnwire.wire import messages as wire

WORD = {"text": "one", "start": 0, "end": 300, "confidence": 0.9, "word_is_final": True}
HEARD = Word(text="one", start=0, end=300, confidence=0.9, word_is_final=True)
TURN: dict[str, Any] = {
    "type": "Turn",
    "turn_order": 2,
    "turn_is_formatted": True,
    "end_of_turn": True,
    "transcript": "One.",
    "end_of_turn_confidence": 0.5,
    "words": [WORD],
    "utterance": "One.",
}
PLAIN = Turn(
    turn_order=2,
    turn_is_formatted=True,
    end_of_turn=True,
    transcript="One.",
    end_of_turn_confidence=0.5,
    words=(HEARD,),
    utterance="One.",
)


def turn(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (TURN | changes).items() if value is not ...}


def word(**changes: Any) -> dict[str, Any]:
    return turn(words=[{n: v for n, v in (WORD | changes).items() if v is not ...}])


def but(**changes: Any) -> Turn:
    return replace(PLAIN, **changes)


def but_word(**changes: Any) -> Turn:
    return but(words=(replace(HEARD, **changes),))


@pytest.mark.parametrize(
    ("sent", "reaches"),
    [
        (TURN, PLAIN),
        (turn(applause=11), PLAIN),
        (turn(utterance=None), but(utterance="")),
        (turn(utterance=...), but(utterance="")),
        (turn(end_of_turn_confidence=None), but(end_of_turn_confidence=0.0)),
        (turn(end_of_turn_confidence="0.5"), PLAIN),
        (turn(end_of_turn_confidence=float("nan")), but(end_of_turn_confidence=0.0)),
        (turn(transcript=...), but(transcript="one")),
        (turn(transcript=None), but(transcript="one")),
        (turn(turn_order=2.0), PLAIN),
        (turn(turn_order="2"), PLAIN),
        (turn(turn_order=...), but(turn_order=UNKNOWN_ORDER)),
        (turn(turn_is_formatted=...), but(turn_is_formatted=False)),
        (turn(language_code=None, language_confidence=None), PLAIN),
        (
            turn(language_code="en", language_confidence=1),
            but(language_code="en", language_confidence=1),
        ),
        (turn(speaker_label="A"), but(speaker_label="A")),
        (turn(words=...), but(words=())),
        (turn(words=None), but(words=())),
        (turn(words=[WORD, 7, None, {"start": 1}]), PLAIN),
        (word(end=99.5), but_word(end=100)),
        (word(end=None), but_word(end=0)),
        (word(start=-1e300), but_word(start=0)),
        (word(start="0", end="300"), PLAIN),
        (word(end=float("inf")), but_word(end=0)),
        (word(confidence=...), but_word(confidence=0.0)),
        (word(confidence=None), but_word(confidence=0.0)),
        (word(word_is_final=...), PLAIN),
        (word(word_is_final=None), PLAIN),
        (word(speaker="A", speaker_confidence=0.5), but_word(speaker="A", speaker_confidence=0.5)),
        (word(speaker=None), PLAIN),
        (
            {"type": "Begin", "id": "s", "expires_at": 1.5, "configuration": {"model": "m"}},
            Begin(id="s", expires_at=2, configuration={"model": "m"}),
        ),
        ({"type": "Begin", "id": None, "expires_at": None}, Begin()),
        ({"type": "Begin", "configuration": None}, Begin()),
        (
            {"type": "Termination", "audio_duration_seconds": 45.2, "session_duration_seconds": 46},
            Termination(audio_duration_seconds=45.2, session_duration_seconds=46),
        ),
        ({"type": "Termination", "audio_duration_seconds": None}, Termination()),
        ({"type": "Termination"}, Termination()),
        ({"type": "Error", "error_code": 3005, "error": "x"}, Error(error_code=3005, error="x")),
        ({"type": "Error", "error": "x"}, Error(error="x")),
        ({"type": "Error", "error_code": "3005"}, Error(error_code=3005)),
        ({"error": "x"}, Error(error="x")),
        ({"type": "Warning", "warning": "x"}, Warning(warning="x")),
        ({"type": "SpeechStarted", "timestamp": 4.6}, SpeechStarted(timestamp=5)),
        ({"type": "Heartbeat", "total_duration_ms": 5.4}, Heartbeat(total_duration_ms=5)),
        ({"type": "Silence", "start_ms": 5, "end_ms": None}, Silence(start_ms=5, end_ms=5)),
        (
            # As published by the vendor: words without `word_is_final`.
            {
                "type": "SpeakerRevision",
                "revisions": [
                    {
                        "turn_order": 0,
                        "speaker_label": "B",
                        "words": word(word_is_final=...)["words"],
                    },
                    {"speaker_label": "C"},
                ],
            },
            SpeakerRevision(revisions=(Revision(turn_order=0, speaker_label="B", words=(HEARD,)),)),
        ),
        (
            {"type": "LLMGatewayResponse", "turn_order": 1, "transcript": None, "data": [1]},
            LLMGatewayResponse(turn_order=1),
        ),
        ({"type": "Applause", "loudness": 11}, None),
        ({"type": 7}, None),
        ({"loudness": 11}, None),
        ([TURN], None),
        ("Turn", None),
    ],
)
def test_only_what_cannot_be_read_is_lost(sent: object, reaches: ServerMessage | None) -> None:
    assert parse(json.dumps(sent)) == reaches


@pytest.mark.parametrize("frame", ["no JSON", "", "[" * 100_000, b"\0\1", b"{}"])
def test_what_is_no_message_is_none(frame: str | bytes) -> None:
    assert parse(frame) is None


def spoken(*texts: str) -> list[dict[str, Any]]:
    return [WORD | {"text": text} for text in texts]


@pytest.mark.parametrize(
    ("transcript", "joined"),
    [
        ("天地 紅荒", [False, True, False, True]),
        # Of words that are not final a transcript has nothing; their letters tell.
        ("天地", [False, True, True, True]),
        (None, [False, True, True, True]),
    ],
)
def test_which_words_have_no_space_before_them(transcript: str | None, joined: list[bool]) -> None:
    words = spoken("天", "地", "紅", "荒")
    read = parse(json.dumps(turn(transcript=transcript, words=words)))
    assert isinstance(read, Turn)
    assert [word.joined for word in read.words] == joined


def test_a_transcript_that_is_missing_is_made_of_words() -> None:
    words = spoken("新しい", "iPhone", "を")
    read = parse(json.dumps(turn(transcript=..., words=words)))
    assert isinstance(read, Turn)
    assert read.transcript == "新しいiPhoneを"


def test_the_client_knows_every_message_of_the_protocol() -> None:
    assert {each.__name__ for each in get_args(messages.ServerMessage)} == {
        each.__name__ for each in get_args(wire.ServerMessage)
    }
    for kind in get_args(messages.ServerMessage):
        assert isinstance(messages.parse(json.dumps({"type": kind.type})), kind)
        assert kind.__name__ in client.__all__
