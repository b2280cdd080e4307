import json

import pytest

from tests.client.servers import BEGIN, turn
from turnwire.cli.formats import FORMATS, Format
from turnwire.client import ClosedBy, Closure, SessionRecord
from turnwire.client.messages import Turn
from turnwire.client.rows import CONNECTION_LOST
from turnwire.wire.closures import SESSION_ENDED

TURNS = [
    turn("Fish & chips <now>.", start=500),
    turn("", order=1),
    turn("Lights off.", order=2, start=3_661_007),
]
COMPLETE = Closure(
    row=SESSION_ENDED,
    code=1000,
    text="Session Ended",
    by=ClosedBy.SERVER,
    session_seconds=8,
    session_id=BEGIN.id,
)


def written(format: Format, turns: list[Turn], closure: Closure = COMPLETE) -> str:
    writer = FORMATS[format]()
    session = SessionRecord(BEGIN, 0, closure)
    parts = [writer.opening, *map(writer.turn, turns), writer.ending([session], 7)]
    return "".join(parts)


def test_text_is_a_line_for_each_turn() -> None:
    assert written(Format.TEXT, TURNS) == "Fish & chips <now>.\nLights off.\n"


def test_srt() -> None:
    assert written(Format.SRT, TURNS) == (
        "1\n00:00:00,500 --> 00:00:02,000\nFish & chips <now>.\n\n"
        "2\n01:01:01,007 --> 01:01:01,841\nLights off.\n\n"
    )


def test_vtt_is_escaped() -> None:
    assert written(Format.VTT, TURNS) == (
        "WEBVTT\n\n"
        "00:00:00.500 --> 00:00:02.000\nFish &amp; chips &lt;now&gt;.\n\n"
        "01:01:01.007 --> 01:01:01.841\nLights off.\n\n"
    )


def test_captions_are_numbered_through_all_turns() -> None:
    numbers = [
        block.split("\n")[0] for block in written(Format.SRT, [turn("a " * 99)] * 2).split("\n\n")
    ]
    assert numbers == [*map(str, range(1, len(numbers))), ""]
    assert len(numbers) > 8


def test_json_is_one_document() -> None:
    assert json.loads(written(Format.JSON, TURNS)) == {
        "text": "Fish & chips <now>. Lights off.",
        "words": [
            {"text": "Fish", "start": 500, "end": 800, "confidence": 0.9},
            {"text": "&", "start": 900, "end": 1200, "confidence": 0.9},
            {"text": "chips", "start": 1300, "end": 1600, "confidence": 0.9},
            {"text": "<now>.", "start": 1700, "end": 2000, "confidence": 0.9},
            {"text": "Lights", "start": 3_661_007, "end": 3_661_307, "confidence": 0.9},
            {"text": "off.", "start": 3_661_407, "end": 3_661_707, "confidence": 0.9},
        ],
        "turns": [
            {"turn_order": 0, "text": "Fish & chips <now>.", "start": 500, "end": 2000},
            {"turn_order": 2, "text": "Lights off.", "start": 3_661_007, "end": 3_661_707},
        ],
        "gaps": [],
        "audio_duration_seconds": 7,
        "session_duration_seconds": 8,
        "session_id": BEGIN.id,
        "closure": {
            "code": 1000,
            "text": "Session Ended",
            "by": "the server",
            "complete": True,
        },
    }


def test_json_of_a_session_that_was_lost() -> None:
    lost = Closure(
        row=CONNECTION_LOST,
        code=1006,
        text="The connection was lost",
        by=ClosedBy.NEITHER,
    )
    document = json.loads(written(Format.JSON, [], lost))
    assert document["text"] == ""
    assert document["audio_duration_seconds"] == 7
    assert document["closure"] == {
        "code": 1006,
        "text": "The connection was lost",
        "by": "neither side",
        "complete": False,
    }


@pytest.mark.parametrize("format", [Format.TEXT, Format.SRT])
def test_nothing_said_is_nothing_written(format: Format) -> None:
    assert written(format, []) == ""


def test_json_puts_no_spaces_between_japanese_sentences() -> None:
    turns = [turn("もう遅い。"), turn("おやすみ。", order=1)]
    assert json.loads(written(Format.JSON, turns))["text"] == "もう遅い。おやすみ。"
