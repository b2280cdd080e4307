"""Turns: from what is heard to `Turn` messages, and where one turn ends.

A turn is made of utterances. Pauses end utterances: their words are taken, and the engine starts
afresh. A longer pause, or one after which the speaker seems to have finished, ends the turn:

- silence reaches `min_silence` and the words are as complete as `threshold` asks, or
- silence reaches `max_silence`, or
- the turn is as long as a turn may be.

Silence is judged on the audio clock, so a client that stops sending ends no turn, and audio that
arrives in a burst is cut where it would have been cut live.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from turnwire.recognition import (
    ENGLISH,
    Finished,
    Marked,
    Partial,
    Pause,
    SpeechEvent,
    SpeechStarted,
    Word,
)
from turnwire.session.effects import Cut, Effect, Send
from turnwire.session.endpointing import Endpointing
from turnwire.session.style import Draft, Style
from turnwire.wire import messages

UTTERANCE_SILENCE_MS = 500
"""The pause that ends an utterance within a turn. A shorter one is often a breath in the middle
of a clause, and a model that hears clauses in pieces makes more mistakes."""


class TurnAssembler:
    """The turns of one session, one after the other."""

    def __init__(self, endpointing: Endpointing, style: Style, *, partials: bool = True) -> None:
        """Without `partials` only the ends of turns are told."""
        self.endpointing = endpointing
        self.style = style
        self._partials = partials
        self._order = 0
        self._onset: SpeechStarted | None = None
        """Where this turn's voice set in, if one did."""
        self._taken: list[Word] = []
        """The words of this turn's earlier utterances."""
        self._completeness = 0.0
        self._language = ENGLISH
        """Those of the last words heard."""
        self._stable = 0
        """How many words of the current utterance will not change."""
        self._told: tuple[messages.Word, ...] = ()
        """The words of the last message about this turn."""
        self._shown: tuple[Sequence[Word], int, Style] | None = None
        """What the last partial of this utterance was made of."""

    def receive(self, heard: SpeechEvent) -> list[Effect]:
        """What to tell the client about it, and whether the engine is to cut."""
        return self._HANDLERS[type(heard)](self, heard)

    def _speech_started(self, heard: SpeechStarted) -> list[Effect]:
        if self._onset is None:
            self._onset = heard
        return []

    def _hypothesis(self, heard: Partial) -> list[Effect]:
        self._stable = heard.stable
        if self._too_long(heard.words):
            return self._end_turn(heard.words, goes_on_at=heard.words[-1].end)
        return self._partial(heard.words)

    def _pause(self, pause: Pause) -> list[Effect]:
        if pause.words:
            self._completeness, self._language = pause.completeness, pause.language
            self._stable = max(self._stable, pause.stable)
        elif not self._taken:
            self._onset = None  # what set in was no speech
            return []
        silence = pause.until - pause.since
        rules = self.endpointing
        complete = silence >= rules.min_silence and self._completeness >= rules.threshold
        if complete or silence >= rules.max_silence or self._too_long(pause.words):
            return self._end_turn(pause.words)
        if pause.words and silence >= max(rules.min_silence, UTTERANCE_SILENCE_MS):
            return self._end_utterance(pause.words)
        return self._partial(pause.words) if silence >= rules.pause_shown else []

    def _demanded_end(self, heard: Marked | Finished) -> list[Effect]:
        if heard.words:
            self._completeness, self._language = heard.completeness, heard.language
        elif not self._taken:
            return []
        return self._end_turn(heard.words, goes_on_at=heard.at)

    def _too_long(self, words: Sequence[Word]) -> bool:
        if not words:
            return False
        began = (self._taken or words)[0].start
        return words[-1].end - began >= self.endpointing.longest_turn

    def _partial(self, words: Sequence[Word]) -> list[Effect]:
        # A pause repeats itself with every frame; most of the time there is nothing new to write.
        shown = (words, self._stable, self.style)
        if shown == self._shown or not (words or self._taken):
            return []
        self._shown = shown
        return self._tell(self.style.partial(self._draft(words)))

    def _end_utterance(self, words: Sequence[Word]) -> list[Effect]:
        effects = self._tell(self.style.utterance(self._draft(words)))
        self._taken.extend(words)
        self._stable = 0
        self._shown = None
        return [*effects, Cut()]

    def _end_turn(self, words: Sequence[Word], goes_on_at: int | None = None) -> list[Effect]:
        """Deliver the turn; the next begins `goes_on_at`, unless nobody is speaking there."""
        effects = [
            effect for turn in self.style.end(self._draft(words)) for effect in self._tell(turn)
        ]
        self._order += 1
        self._onset = (
            replace(self._onset, at=goes_on_at) if self._onset and goes_on_at is not None else None
        )
        self._taken = []
        self._completeness = 0.0
        self._stable = 0
        self._told = ()
        self._shown = None
        return [*effects, Cut()]

    def _tell(self, turn: messages.Turn) -> list[Effect]:
        if not turn.end_of_turn and (
            not self._partials or (turn.words == self._told and not turn.utterance)
        ):
            return []
        effects: list[Effect] = [Send(turn)]
        if self.style.announces and not self._told:
            effects.insert(0, Send(self._announcement(turn)))
        self._told = turn.words
        return effects

    def _announcement(self, turn: messages.Turn) -> messages.SpeechStarted:
        first = turn.words[0]
        onset = self._onset or SpeechStarted(first.start, first.confidence)
        return messages.SpeechStarted(timestamp=onset.at, confidence=round(onset.probability, 6))

    def _draft(self, words: Sequence[Word]) -> Draft:
        return Draft(
            self._order, self._taken, words, self._stable, self._completeness, self._language
        )

    _HANDLERS: ClassVar[dict[type[SpeechEvent], Callable[["TurnAssembler", Any], list[Effect]]]] = {
        SpeechStarted: _speech_started,
        Partial: _hypothesis,
        Pause: _pause,
        Marked: _demanded_end,
        Finished: _demanded_end,
    }
