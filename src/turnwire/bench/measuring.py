"""What a client's record of its session says about the server.

A client knows when it sent each frame and when each message came, and the server tells where on
the audio clock each word stands. Everything here is made of these three:

- *first words*: from when the start of a turn's first word had been sent to when the first
  message with words of that turn came;
- *partial lag*: from when the end of a partial's last word had been sent to when the partial
  came. Only partials count that reach further than all before them;
- *end of speech to final*: from when the end of a turn's last word had been sent to when the end
  of the turn came;
- *beyond the silence*: the same, counted from when the silence had been sent that the client
  asked for: `min_turn_silence` after the last word if the turn seemed complete, which
  `end_of_turn_confidence` tells, else `max_turn_silence`;
- *not final*: for each partial, how much of the audio clock the words at its end take that are
  not final: what a client that shows only final words does not show yet;
- *Terminate to close*. Turns that Terminate ended have no silence to go by, and count here only.

A frame is sent when the last of its audio would have been spoken, as a microphone would.
"""

import bisect
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

import numpy as np

from turnwire.bench.clips import Clip, frame_ms
from turnwire.bench.player import Take
from turnwire.recognition import plain
from turnwire.wire.closures import SESSION_ENDED
from turnwire.wire.messages import Turn, parse_server_message
from turnwire.wire.presets import CONFIDENCE_THRESHOLD, UNIVERSAL_STREAMING

MIN_TURN_SILENCE = UNIVERSAL_STREAMING.min_turn_silence
MAX_TURN_SILENCE = UNIVERSAL_STREAMING.max_turn_silence

ENDPOINTING: dict[str, object] = {
    "format_turns": True,
    "min_turn_silence": MIN_TURN_SILENCE,
    "max_turn_silence": MAX_TURN_SILENCE,
    "end_of_turn_confidence_threshold": CONFIDENCE_THRESHOLD,
}
"""What all sessions ask for: the protocol's own defaults, but said, as figures depend on them."""

LATE_SECONDS = 1.0
"""A session whose turns end later than this, beyond the silence, is not in real time."""

LATE_END_SECONDS = 5.0
"""Nor is one whose end comes later than this after Terminate: clients wait no longer."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How a time is spread, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self | None:
        """None if it was never measured."""
        if not seconds:
            return None
        ms = np.asarray(seconds) * 1000
        p50, p95, p99 = (round(float(each), 1) for each in np.percentile(ms, (50, 95, 99)))
        return cls(len(seconds), p50, p95, p99, round(float(ms.max()), 1))


@dataclass
class Times:
    """What was timed in any number of sessions, in seconds."""

    begin: list[float] = field(default_factory=list)
    first_words: list[float] = field(default_factory=list)
    partial_lag: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    beyond: list[float] = field(default_factory=list)
    close: list[float] = field(default_factory=list)
    not_final: list[float] = field(default_factory=list)

    def extend(self, others: Iterable["Times"]) -> None:
        for other in others:
            for name, values in vars(other).items():
                getattr(self, name).extend(values)


@dataclass(frozen=True, slots=True)
class Judged:
    """One session, judged."""

    times: Times
    missed: str | None
    """Why it was not in real time; None if it was."""
    heard: tuple[tuple[Clip, str], ...]
    """Clips played in full, in their order, and the final words that fall into each."""
    final_words: int
    changed: int
    """How many final words were not the same in the next message about the turn."""
    without_final: int = 0
    """How many partials had no final word."""
    endings: tuple["TurnEnd", ...] = ()


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """A turn that a silence ended; seconds."""

    at: float
    """When its end came, on the clock of the take."""
    after_words: float
    """How long after its last word had been sent, and"""
    beyond_silence: float
    """how long after the silence had been that ends it."""


def judge(take: Take) -> Judged:
    """What this session's record says."""
    turns = [
        (at, message)
        for at, message in ((at, parse_server_message(text)) for at, text in take.messages)
        if isinstance(message, Turn)
    ]
    times = _times(take, turns)
    final_words = changed = 0
    for (_, before), (_, after) in pairwise(turns):
        if before.turn_order == after.turn_order:
            words = [plain(word.text) for word in before.words if word.word_is_final]
            later = [plain(word.text) for word in after.words]
            final_words += len(words)
            changed += sum(
                index >= len(later) or later[index] != word for index, word in enumerate(words)
            )
    endings = tuple(_endings(take, turns))
    times.final.extend(each.after_words for each in endings)
    times.beyond.extend(each.beyond_silence for each in endings)
    spans, without_final = live_text(message for _, message in turns)
    times.not_final.extend(spans)
    return Judged(
        times,
        _missed(take, times),
        _heard(take, turns),
        final_words,
        changed,
        without_final,
        endings,
    )


def _endings(take: Take, turns: Sequence[tuple[float, Turn]]) -> Iterator[TurnEnd]:
    clock = _AudioClock(take)
    for at, turn in turns:
        if turn.words and turn.end_of_turn and turn.turn_is_formatted:
            end = turn.words[-1].end
            complete = turn.end_of_turn_confidence >= CONFIDENCE_THRESHOLD
            silence_ends = end + (MIN_TURN_SILENCE if complete else MAX_TURN_SILENCE)
            if silence_ends <= clock.ms:
                yield TurnEnd(at, at - clock.sent(end), at - clock.sent(silence_ends))


def live_text(turns: Iterable[Turn]) -> tuple[list[float], int]:
    """How many seconds of words are not final in each partial, and how many have no final word."""
    spans, without_final = [], 0
    for turn in turns:
        if turn.end_of_turn or turn.utterance or not turn.words:
            continue
        open_from = next((word.start for word in turn.words if not word.word_is_final), None)
        spans.append(0.0 if open_from is None else (turn.words[-1].end - open_from) / 1000)
        without_final += not turn.words[0].word_is_final
    return spans, without_final


def _times(take: Take, turns: Sequence[tuple[float, Turn]]) -> Times:
    times = Times(begin=begins([take]), close=closes([take]))
    clock = _AudioClock(take)
    first: dict[int, float] = {}
    reached = 0
    for at, turn in turns:
        if not turn.words:
            continue
        first.setdefault(turn.turn_order, at)
        end = turn.words[-1].end
        if not turn.end_of_turn:
            if end > reached:
                times.partial_lag.append(at - clock.sent(end))
        elif turn.turn_is_formatted:
            # By now it is known where the first word begins.
            start = clock.sent(turn.words[0].start)
            times.first_words.append(first[turn.turn_order] - start)
        reached = max(reached, end)
    return times


def begins(takes: Iterable[Take]) -> list[float]:
    """Seconds from asking for a connection to Begin, of those sessions that began."""
    return [take.begun - take.asked for take in takes if take.begun is not None]


def closes(takes: Iterable[Take]) -> list[float]:
    """Seconds from Terminate to the close, of those sessions that lasted until Terminate."""
    return [
        take.closed - take.terminated
        for take in takes
        if take.terminated is not None and take.closed is not None
    ]


class _AudioClock:
    """When which millisecond of a session's audio was sent."""

    def __init__(self, take: Take) -> None:
        self._sent = take.sent
        self._frame_ms = frame_ms(take.audio.sample_rate)
        self.ms = len(take.sent) * self._frame_ms
        """How much was sent."""

    def sent(self, ms: float) -> float:
        """When all audio before `ms` had been sent."""
        index = math.ceil(ms / self._frame_ms) - 1
        return self._sent[min(max(index, 0), len(self._sent) - 1)]


def _missed(take: Take, times: Times) -> str | None:
    if take.begun is None:
        return "did not begin" if take.code is None else f"did not begin ({take.code})"
    if take.terminated is None:
        return f"ended early ({take.code or 'no close frame'})"
    if take.code != SESSION_ENDED.code:
        return f"did not end well ({take.code or 'no close frame'})"
    if take.stalled:
        return "could not send"
    if max(times.beyond, default=0) > LATE_SECONDS:
        return "a turn ended late"
    if max(times.close, default=0) > LATE_END_SECONDS:
        return "the end came late"
    return None


def _heard(take: Take, turns: Sequence[tuple[float, Turn]]) -> tuple[tuple[Clip, str], ...]:
    """A word belongs to the clip that its middle falls into."""
    ms = frame_ms(take.audio.sample_rate)
    ends, at = [], 0
    for passage in take.audio.passages:
        at += len(passage.frames)
        ends.append(at * ms)
    said: list[list[str]] = [[] for _ in ends]
    for _, turn in turns:
        if turn.end_of_turn and turn.turn_is_formatted:
            for word in turn.words:
                index = bisect.bisect_left(ends, (word.start + word.end) / 2)
                said[_clip_at(take, min(index, len(ends) - 1))].append(word.text)
    sent = len(take.sent) * ms
    return tuple(
        (passage.clip, " ".join(words))
        for passage, end, words in zip(take.audio.passages, ends, said, strict=True)
        if passage.clip is not None and passage.whole and end <= sent
    )


def _clip_at(take: Take, index: int) -> int:
    """The passage, or the clip before it if it is a silence: a last word may reach into that."""
    return index - 1 if take.audio.passages[index].clip is None and index else index


def reasons(judged: Iterable[Judged]) -> dict[str, int]:
    """Why sessions were not in real time, and how many each."""
    return dict(Counter(each.missed for each in judged if each.missed is not None))
