"""Turns: from what is heard to `Turn` messages, and where one turn ends.

A turn is made of utterances. Pauses end utterances: their words are taken, and the engine starts
afresh. A longer pause, or one after which the speaker seems to have finished, ends the turn:

- silence reaches `min_turn_silence` and the words are at least as complete as
  `end_of_turn_confidence_threshold` asks, or
- silence reaches `max_turn_silence`.

Silence is judged on the audio clock, so a client that stops sending ends no turn, and audio that
arrives in a burst is cut where it would have been cut live.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from turnwire.hearing import (
    Finished,
    Heard,
    Hypothesis,
    Marked,
    Pause,
    SpeechStarted,
    Word,
    plain,
)
from turnwire.session.effects import Cut, Effect, Send
from turnwire.wire import messages
from turnwire.wire.parameters import Family, LiveParameters

UTTERANCE_SILENCE_MS = 500
"""The pause that ends an utterance within a turn. A shorter one is often a breath in the middle
of a clause, and a model that hears clauses in pieces makes more mistakes."""


@dataclass(frozen=True, slots=True)
class Style:
    """How turns are written: which messages are cased and punctuated."""

    partials: bool
    finals: tuple[bool, ...]
    """One end-of-turn message each, in this order."""


_RAW = Style(partials=False, finals=(False,))
_RAW_THEN_FORMATTED = Style(partials=False, finals=(False, True))
_FORMATTED = Style(partials=True, finals=(True,))


@dataclass(frozen=True, slots=True)
class Endpointing:
    """Where turns end, and how they are written."""

    threshold: float
    """Completeness, 0 to 1, that ends a turn at `min_silence`."""
    min_silence: int
    """ms"""
    max_silence: int
    """ms"""
    vad_threshold: float
    """Probability of speech below which audio is silence."""
    styles: tuple[Style, Style]
    """Without and with `format_turns`."""
    format_turns: bool = False

    @property
    def style(self) -> Style:
        return self.styles[self.format_turns]

    def updated(self, changes: LiveParameters) -> "Endpointing":
        """With everything that `changes` names; what is None stays."""
        named: dict[str, Any] = {
            "threshold": changes.end_of_turn_confidence_threshold,
            "min_silence": changes.min_turn_silence,
            "max_silence": changes.max_turn_silence,
            "vad_threshold": changes.vad_threshold,
            "format_turns": changes.format_turns,
        }
        return replace(self, **{name: value for name, value in named.items() if value is not None})


_CLASSIC = Endpointing(
    threshold=0.4,
    min_silence=400,
    max_silence=1280,
    vad_threshold=0.4,
    styles=(_RAW, _RAW_THEN_FORMATTED),
)

DEFAULTS = {
    Family.UNIVERSAL_STREAMING: _CLASSIC,
    Family.WHISPER: _CLASSIC,
    Family.UNIVERSAL_3: replace(_CLASSIC, styles=(_FORMATTED, _FORMATTED)),
}
"""What a session starts from, by the family of the model it asked for."""


class TurnAssembler:
    """The turns of one session, one after the other."""

    def __init__(self, endpointing: Endpointing) -> None:
        self.endpointing = endpointing
        self._order = 0
        self._taken: list[Word] = []
        """The words of this turn's earlier utterances."""
        self._completeness = 0.0
        """That of the last words heard."""
        self._stable = 0
        """How many words of the current utterance will not change."""
        self._told: tuple[messages.Word, ...] = ()
        """The words of the last message about this turn."""
        self._handlers: dict[type[Heard], Callable[[Any], list[Effect]]] = {
            SpeechStarted: lambda _: [],
            Hypothesis: self._hypothesis,
            Pause: self._pause,
            Marked: self._demanded_end,
            Finished: self._demanded_end,
        }

    def receive(self, heard: Heard) -> list[Effect]:
        """What to tell the client about it, and whether the engine is to cut."""
        return self._handlers[type(heard)](heard)

    def _hypothesis(self, heard: Hypothesis) -> list[Effect]:
        self._stable = heard.stable
        return self._partial(heard.words)

    def _pause(self, pause: Pause) -> list[Effect]:
        if pause.words:
            self._completeness = pause.completeness
        elif not self._taken:
            return []
        silence = pause.until - pause.since
        rules = self.endpointing
        complete = silence >= rules.min_silence and self._completeness >= rules.threshold
        if complete or silence >= rules.max_silence:
            return self._end_turn(pause.words)
        if pause.words and silence >= max(rules.min_silence, UTTERANCE_SILENCE_MS):
            return self._end_utterance(pause.words)
        return self._partial(pause.words)

    def _demanded_end(self, heard: Marked | Finished) -> list[Effect]:
        if heard.words:
            self._completeness = heard.completeness
        elif not self._taken:
            return []
        return self._end_turn(heard.words)

    def _partial(self, words: Sequence[Word]) -> list[Effect]:
        final = len(self._taken) + self._stable
        turn = self._turn(words, final=final, formatted=self.endpointing.style.partials)
        if turn.words == self._told:
            return []
        self._told = turn.words
        return [Send(turn)]

    def _end_utterance(self, words: Sequence[Word]) -> list[Effect]:
        turn = self._turn(
            words,
            formatted=self.endpointing.style.partials,
            utterance=_joined(words),
        )
        self._taken.extend(words)
        self._stable = 0
        self._told = turn.words
        return [Send(turn), Cut()]

    def _end_turn(self, words: Sequence[Word]) -> list[Effect]:
        # The first message carries the utterance, unless a pause delivered it before.
        utterance = _joined(words)
        effects: list[Effect] = []
        for formatted in self.endpointing.style.finals:
            turn = self._turn(words, formatted=formatted, utterance=utterance, end_of_turn=True)
            effects.append(Send(turn))
            utterance = ""
        self._order += 1
        self._taken = []
        self._completeness = 0.0
        self._stable = 0
        self._told = ()
        return [*effects, Cut()]

    def _turn(
        self,
        words: Sequence[Word],
        *,
        formatted: bool,
        final: int | None = None,
        utterance: str = "",
        end_of_turn: bool = False,
    ) -> messages.Turn:
        """The turn so far; its first `final` words (None: all) will not change any more."""
        shown = tuple(
            messages.Word(
                start=word.start,
                end=word.end,
                text=word.text if formatted else plain(word.text),
                confidence=round(word.confidence, 6),
                word_is_final=final is None or index < final,
            )
            for index, word in enumerate([*self._taken, *words])
        )
        return messages.Turn(
            turn_order=self._order,
            turn_is_formatted=formatted,
            end_of_turn=end_of_turn,
            transcript=" ".join(word.text for word in shown if word.word_is_final),
            end_of_turn_confidence=round(self._completeness, 6),
            words=shown,
            utterance=utterance,
        )


def _joined(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
