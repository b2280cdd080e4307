"""Turns: from what the engine recognizes to `Turn` messages, and where one turn ends.

A turn is made of utterances. Pauses end utterances: their words are taken, and the engine starts
afresh. A longer pause, or one after which the speaker seems to have finished, ends the turn:

- silence reaches `min_silence` and the words are as complete as `threshold` asks, or
- silence reaches `max_silence`, or
- the turn is as long as a turn may be: then it is divided at the widest gap between words that
  are stable, and what follows the gap begins the next one.

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

MOST_WORDS = 400
"""A turn with more is divided, however short: its messages stay below 64 KiB."""

_LAST_PART = 0.75
"""A turn that is too long is divided in what comes after this part of it."""

_OVERDUE = 1.25
"""A turn that is so much too long is divided where it stands, if no word of it is stable."""

CONFIDENCE_STEP_MS = 200
"""How often a partial is sent for its `end_of_turn_confidence` alone, at most,"""

CONFIDENCE_STEP = 0.1
"""and by how much that has to have changed."""


class TurnAssembler:
    """The turns of one session, one after the other."""

    def __init__(self, endpointing: Endpointing, style: Style, *, partials: bool = True) -> None:
        """Without `partials` only the ends of turns are sent."""
        self.endpointing = endpointing
        self.style = style
        self._partials = partials
        self._order = 0
        self._onset: SpeechStarted | None = None
        """Where this turn's voice set in, if one did."""
        self._taken: list[Word] = []
        """The words of this turn's earlier utterances."""
        self._words: Sequence[Word] = ()
        """Those of the current utterance that belong to this turn."""
        self._delivered = 0
        """How many words of the current utterance belong to a turn before."""
        self._completeness = 0.0
        self._language = ENGLISH
        """Those of the last words before a pause."""
        self._stable = 0
        """How many words of the current utterance will not change."""
        self._sent: tuple[messages.Word, ...] = ()
        """The words of the last message about this turn."""
        self._sent_confidence = (0, 0.0)
        """When the last message was sent about the current pause, on the audio clock, and its
        confidence."""
        self._shown: tuple[Sequence[Word], int, Style, float] | None = None
        """What the last partial of this utterance was made of."""

    def receive(self, event: SpeechEvent) -> list[Effect]:
        """What to send to the client about it, and whether the engine is to cut."""
        return self._HANDLERS[type(event)](self, event)

    def give_up(self) -> list[Effect]:
        """End the turn with the words at hand: the engine has no better ones to give."""
        if not (self._words or self._taken):
            return []
        return [effect for effect in self._end_turn() if isinstance(effect, Send)]

    def _speech_started(self, event: SpeechStarted) -> list[Effect]:
        if self._onset is None:
            self._onset = event
        return []

    def _partial(self, partial: Partial) -> list[Effect]:
        self._words = partial.words[self._delivered :]
        self._stable = max(partial.stable - self._delivered, 0)
        divided = self._divide() if self._too_long() else []
        return [*divided, *self._show(confidence=0.0)]

    def _pause(self, pause: Pause) -> list[Effect]:
        self._words = pause.words[self._delivered :]
        if self._words:
            self._completeness, self._language = pause.completeness, pause.language
            self._stable = max(self._stable, pause.stable - self._delivered)
        elif not self._taken:
            self._onset = None  # what set in was no speech
            return []
        silence = pause.until - pause.since
        rules = self.endpointing
        complete = silence >= rules.min_silence and self._completeness >= rules.threshold
        if complete or silence >= rules.max_silence or self._too_long():
            return self._end_turn()
        confidence = self.style.confidence(self._completeness, silence, rules)
        if self._words and silence >= max(rules.min_silence, UTTERANCE_SILENCE_MS):
            return self._end_utterance(confidence, pause.until)
        if silence < rules.pause_shown and not self._is_news(confidence, pause.until):
            return []
        return self._show(confidence, pause.until)

    def _demanded_end(self, event: Marked | Finished) -> list[Effect]:
        self._words = event.words[self._delivered :]
        if self._words:
            self._completeness, self._language = event.completeness, event.language
        elif not self._taken:
            return []
        return self._end_turn(goes_on_at=event.at)

    def _too_long(self) -> bool:
        words = (*self._taken, *self._words)
        return bool(words) and (
            words[-1].end - words[0].start >= self.endpointing.longest_turn
            or len(words) >= MOST_WORDS
        )

    def _divide(self) -> list[Effect]:
        """End the turn at the widest gap that is late in it, with speech going on."""
        words = (*self._taken, *self._words)
        began, length = words[0].start, words[-1].end - words[0].start
        stable = min(len(self._taken) + self._stable, len(words) - 1)
        gaps = [
            (words[count].start - words[count - 1].end, count)
            for count in range(1, stable + 1)
            if words[count].start - began >= _LAST_PART * length
        ]
        if gaps:
            return self._end_turn_after(max(gaps)[1])
        longest = self.endpointing.longest_turn
        overdue = length >= _OVERDUE * longest or len(words) >= _OVERDUE * MOST_WORDS
        return self._end_turn(goes_on_at=words[-1].end) if overdue else []

    def _end_turn_after(self, count: int) -> list[Effect]:
        """End the turn with its first words; the others, which the engine goes on with, are the
        beginning of the next."""
        taken, words, stable = self._taken, self._words, self._stable
        delivered = self._delivered
        here = max(count - len(taken), 0)
        self._taken, self._words = taken[:count], words[:here]
        rest = (*taken[count:], *words[here:])
        effects = self._end_turn(goes_on_at=rest[0].start)
        self._taken, self._words = taken[count:], words[here:]
        self._stable = max(stable - here, 0)
        self._delivered = delivered + here
        return [effect for effect in effects if not isinstance(effect, Cut)]

    def _show(self, confidence: float, at: int = 0) -> list[Effect]:
        """A partial, with the confidence that the turn ends here, `at` ms if amid a pause."""
        if not (self._words or self._taken):
            return []
        # A pause repeats itself with every frame; most of the time there is nothing new to write.
        shown = (self._words, self._stable, self.style, confidence)
        if shown == self._shown:
            return []
        self._shown = shown
        return self._send(self.style.partial(self._draft(confidence)), at)

    def _end_utterance(self, confidence: float, at: int) -> list[Effect]:
        effects = self._send(self.style.utterance(self._draft(confidence)), at)
        self._taken.extend(self._words)
        return [*effects, self._cut()]

    def _end_turn(self, goes_on_at: int | None = None) -> list[Effect]:
        """Deliver the turn; the next begins `goes_on_at`, unless nobody is speaking there."""
        draft = self._draft(self._completeness)
        effects = [effect for turn in self.style.end(draft) for effect in self._send(turn)]
        self._order += 1
        self._onset = (
            replace(self._onset, at=goes_on_at) if self._onset and goes_on_at is not None else None
        )
        self._taken = []
        self._completeness = 0.0
        self._sent = ()
        self._sent_confidence = (0, 0.0)
        return [*effects, self._cut()]

    def _cut(self) -> Cut:
        self._words = ()
        self._delivered = 0
        self._stable = 0
        self._shown = None
        return Cut()

    def _send(self, turn: messages.Turn, at: int = 0) -> list[Effect]:
        if not turn.end_of_turn and not self._worth_sending(turn, at):
            return []
        effects: list[Effect] = [Send(turn)]
        if self.style.announces and not self._sent:
            effects.insert(0, Send(self._announcement(turn)))
        self._sent = turn.words
        self._sent_confidence = at, turn.end_of_turn_confidence
        return effects

    def _worth_sending(self, turn: messages.Turn, at: int) -> bool:
        if not self._partials:
            return False
        return (
            turn.words != self._sent
            or turn.utterance != ""
            or self._is_news(turn.end_of_turn_confidence, at)
        )

    def _is_news(self, confidence: float, at: int) -> bool:
        """Whether a partial is worth sending for this confidence alone."""
        sent_at, sent = self._sent_confidence
        return (
            self.style.shows_confidence
            and at >= sent_at + CONFIDENCE_STEP_MS
            and abs(confidence - sent) > CONFIDENCE_STEP
        )

    def _announcement(self, turn: messages.Turn) -> messages.SpeechStarted:
        first = turn.words[0]
        onset = self._onset or SpeechStarted(first.start, first.confidence)
        return messages.SpeechStarted(timestamp=onset.at, confidence=round(onset.probability, 6))

    def _draft(self, confidence: float) -> Draft:
        return Draft(
            self._order,
            self._taken,
            self._words,
            self._stable,
            confidence,
            self._language,
            self._sent,
        )

    _HANDLERS: ClassVar[dict[type[SpeechEvent], Callable[["TurnAssembler", Any], list[Effect]]]] = {
        SpeechStarted: _speech_started,
        Partial: _partial,
        Pause: _pause,
        Marked: _demanded_end,
        Finished: _demanded_end,
    }
