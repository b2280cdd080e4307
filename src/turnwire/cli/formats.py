"""How a transcript is written: as text, as JSON, or as captions.

Each format turns what comes, in the order it comes, into what is to be printed; none of them
prints. Turns are finished ones, cased and punctuated.
"""

import json
from collections.abc import Sequence
from enum import StrEnum

from turnwire.cli.captions import Caption, Captions
from turnwire.client import Gap, SessionRecord, Turn
from turnwire.writing import text_of_sentences

MISSING = "[missing]"
"""The caption of a stretch whose words are lost."""


class Text:
    """A line for each turn."""

    opening = ""

    def turn(self, turn: Turn) -> str:
        return f"{turn.transcript}\n" if turn.transcript else ""

    def gap(self, gap: Gap) -> str:
        """What stands for a stretch that is missing."""
        return f"{_missing(gap)}\n"

    def ending(self, sessions: Sequence[SessionRecord], audio_seconds: float) -> str:
        return ""


class Subtitles(Text):
    """Captions. The last cue of a turn is written with the next turn, or at the end."""

    def __init__(self) -> None:
        self._captions = Captions()

    def turn(self, turn: Turn) -> str:
        return "".join(map(self._written, self._captions.add(turn)))

    def gap(self, gap: Gap) -> str:
        cues = [*self._captions.finish(), Caption(gap.start, gap.end, MISSING)]
        return "".join(map(self._written, cues))

    def ending(self, sessions: Sequence[SessionRecord], audio_seconds: float) -> str:
        return "".join(map(self._written, self._captions.finish()))

    def _written(self, cue: Caption) -> str:
        raise NotImplementedError


class Srt(Subtitles):
    """SubRip captions."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0

    def _written(self, cue: Caption) -> str:
        self._number += 1
        times = f"{_clock(cue.start)} --> {_clock(cue.end)}".replace(".", ",")
        return f"{self._number}\n{times}\n{cue.text}\n\n"


class Vtt(Subtitles):
    """WebVTT captions."""

    opening = "WEBVTT\n\n"

    def _written(self, cue: Caption) -> str:
        return f"{_clock(cue.start)} --> {_clock(cue.end)}\n{_escaped(cue.text)}\n\n"


class Json(Text):
    """One document at the end, with all that is known."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._gaps: list[Gap] = []

    def turn(self, turn: Turn) -> str:
        self._turns.append(turn)
        return ""

    def gap(self, gap: Gap) -> str:
        self._gaps.append(gap)
        return ""

    def ending(self, sessions: Sequence[SessionRecord], audio_seconds: float) -> str:
        closures = [session.closure for session in sessions if session.closure is not None]
        closure = closures[-1]
        document = {
            "text": text_of_sentences(turn.transcript for turn in self._turns if turn.transcript),
            "words": [
                {
                    "text": word.text,
                    "start": word.start,
                    "end": word.end,
                    "confidence": word.confidence,
                }
                for turn in self._turns
                for word in turn.words
            ],
            "turns": [
                {
                    "turn_order": turn.turn_order,
                    "text": turn.transcript,
                    "start": turn.words[0].start,
                    "end": turn.words[-1].end,
                }
                for turn in self._turns
                if turn.words
            ],
            "gaps": [
                {"start": gap.start, "end": gap.end, "reason": gap.reason} for gap in self._gaps
            ],
            "audio_duration_seconds": round(audio_seconds),
            "session_duration_seconds": round(sum(each.session_seconds for each in closures)),
            "session_id": closure.session_id,
            "closure": {
                "code": closure.code,
                "text": closure.text,
                "by": closure.by,
                "complete": closure.complete and not self._gaps,
            },
        }
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


class Format(StrEnum):
    """The formats by name."""

    TEXT = "text"
    JSON = "json"
    SRT = "srt"
    VTT = "vtt"


FORMATS: dict[Format, type[Text]] = {
    Format.TEXT: Text,
    Format.JSON: Json,
    Format.SRT: Srt,
    Format.VTT: Vtt,
}


def _missing(gap: Gap) -> str:
    return f"[missing: {_clock(gap.start)} to {_clock(gap.end)}, {gap.reason}]"


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
