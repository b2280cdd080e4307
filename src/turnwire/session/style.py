"""How turns are written, by the family of models that a session asked for.

The families of the protocol tell the same things in different ways. A Universal-Streaming turn
shows which of its words are final as they become so, hands over each utterance that a pause ends,
and comes raw, or raw and then once more formatted. A Universal-3 turn is one text, formatted,
that may change as a whole until its one final message.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from turnwire.recognition import Language, Word, plain
from turnwire.session.endpointing import Endpointing, end_probability
from turnwire.wire import messages
from turnwire.wire.models import Family
from turnwire.wire.parameters import ConnectionParameters
from turnwire.writing import text_of


@dataclass(frozen=True, slots=True)
class Draft:
    """A turn as far as it was heard."""

    order: int
    taken: Sequence[Word]
    """The words of its earlier utterances."""
    words: Sequence[Word]
    """Those of the current utterance."""
    stable: int
    """How many of them will not change."""
    confidence: float
    """How sure its end is, 0 to 1."""
    language: Language
    before: Sequence[messages.Word] = ()
    """The words of the last message about it."""

    @property
    def all(self) -> Sequence[Word]:
        """The words of all its utterances."""
        return (*self.taken, *self.words)

    def shown(self, *, formatted: bool, final: int) -> tuple[messages.Word, ...]:
        """All words; the first `final` of them will not change any more."""
        return tuple(
            self._shown(index, word, formatted, index < final)
            for index, word in enumerate(self.all)
        )

    def _shown(self, index: int, word: Word, formatted: bool, final: bool) -> messages.Word:
        text = word.text if formatted else plain(word.text)
        start, end, confidence = word.start, word.end, round(word.confidence, 6)
        if index < len(self.before):
            # Most words are as they were. To make and to compare them takes longest of a message.
            last = self.before[index]
            shown = last.start, last.end, last.text, last.confidence, last.word_is_final
            if shown == (start, end, text, confidence, final):
                return last
        return messages.Word(
            start=start, end=end, text=text, confidence=confidence, word_is_final=final
        )

    @property
    def utterance(self) -> str:
        return text_of((word.text, word.joined) for word in self.words)

    def transcript(self, shown: Sequence[messages.Word]) -> str:
        """The text that its first words make, as they are shown."""
        return text_of(
            (word.text, heard.joined) for word, heard in zip(shown, self.all, strict=False)
        )


class Style(ABC):
    """The messages about one turn."""

    @property
    @abstractmethod
    def announces(self) -> bool:
        """Whether `SpeechStarted` goes ahead of a turn."""

    @property
    @abstractmethod
    def shows_confidence(self) -> bool:
        """Whether a partial is worth sending for its confidence alone."""

    @abstractmethod
    def confidence(self, completeness: float, silence: int, rules: Endpointing) -> float:
        """How sure the turn's end is amid a pause, after so many ms of silence."""

    @abstractmethod
    def partial(self, draft: Draft) -> messages.Turn:
        """The turn while its utterance goes on."""

    @abstractmethod
    def utterance(self, draft: Draft) -> messages.Turn:
        """The turn where a pause ended an utterance, but not the turn."""

    @abstractmethod
    def end(self, draft: Draft) -> list[messages.Turn]:
        """The turn when it is over, one message or more."""


@dataclass(frozen=True, slots=True)
class UniversalStreaming(Style):
    format_turns: bool = False

    announces = False
    shows_confidence = False

    def confidence(self, completeness: float, silence: int, rules: Endpointing) -> float:
        return completeness

    def partial(self, draft: Draft) -> messages.Turn:
        return self._turn(draft, final=len(draft.taken) + draft.stable)

    def utterance(self, draft: Draft) -> messages.Turn:
        return self._turn(draft, utterance=draft.utterance)

    def end(self, draft: Draft) -> list[messages.Turn]:
        # Empty if a pause has delivered it before.
        turns = [self._turn(draft, utterance=draft.utterance, end_of_turn=True)]
        if self.format_turns:
            turns.append(self._turn(draft, formatted=True, end_of_turn=True))
        return turns

    @staticmethod
    def _turn(
        draft: Draft,
        *,
        final: int | None = None,
        formatted: bool = False,
        utterance: str = "",
        end_of_turn: bool = False,
    ) -> messages.Turn:
        if final is None:
            final = len(draft.taken) + len(draft.words)
        words = draft.shown(formatted=formatted, final=final)
        return messages.Turn(
            turn_order=draft.order,
            turn_is_formatted=formatted,
            end_of_turn=end_of_turn,
            transcript=draft.transcript(words[:final]),
            end_of_turn_confidence=round(draft.confidence, 6),
            words=words,
            utterance=utterance,
        )


@dataclass(frozen=True, slots=True)
class Universal3(Style):
    announces = True
    shows_confidence = True

    def confidence(self, completeness: float, silence: int, rules: Endpointing) -> float:
        return end_probability(completeness, silence, rules)

    def partial(self, draft: Draft) -> messages.Turn:
        return self._turn(draft, draft.shown(formatted=True, final=0))

    def utterance(self, draft: Draft) -> messages.Turn:
        return self.partial(draft)

    def end(self, draft: Draft) -> list[messages.Turn]:
        words = draft.shown(formatted=True, final=len(draft.taken) + len(draft.words))
        return [self._turn(draft, words, utterance=draft.transcript(words), end_of_turn=True)]

    @staticmethod
    def _turn(
        draft: Draft,
        words: tuple[messages.Word, ...],
        utterance: str = "",
        end_of_turn: bool = False,
    ) -> messages.Turn:
        return messages.Turn(
            turn_order=draft.order,
            turn_is_formatted=True,
            end_of_turn=end_of_turn,
            transcript=draft.transcript(words),
            end_of_turn_confidence=1.0 if end_of_turn else round(draft.confidence, 6),
            words=words,
            utterance=utterance,
        )


@dataclass(frozen=True, slots=True)
class Edited(Style):
    """Another style, whose messages are gone over."""

    style: Style
    edit: Callable[[messages.Turn, Draft], messages.Turn]

    @property
    def announces(self) -> bool:
        return self.style.announces

    @property
    def shows_confidence(self) -> bool:
        return self.style.shows_confidence

    def confidence(self, completeness: float, silence: int, rules: Endpointing) -> float:
        return self.style.confidence(completeness, silence, rules)

    def partial(self, draft: Draft) -> messages.Turn:
        return self.edit(self.style.partial(draft), draft)

    def utterance(self, draft: Draft) -> messages.Turn:
        return self.edit(self.style.utterance(draft), draft)

    def end(self, draft: Draft) -> list[messages.Turn]:
        return [self.edit(turn, draft) for turn in self.style.end(draft)]


def _masking(mask: Callable[[str], str]) -> Callable[[messages.Turn, Draft], messages.Turn]:
    def masked(turn: messages.Turn, _: Draft) -> messages.Turn:
        words = tuple(word.model_copy(update={"text": mask(word.text)}) for word in turn.words)
        return turn.model_copy(
            update={
                "words": words,
                "transcript": mask(turn.transcript),
                "utterance": mask(turn.utterance),
            }
        )

    return masked


def _with_language(turn: messages.Turn, draft: Draft) -> messages.Turn:
    if not turn.utterance and not turn.end_of_turn:
        return turn
    language = draft.language
    return turn.model_copy(
        update={
            "language_code": language.code,
            "language_confidence": round(language.confidence, 6),
        }
    )


def style(
    family: Family, asked: ConnectionParameters, mask_profanity: Callable[[str], str]
) -> Style:
    chosen: Style = (
        Universal3()
        if family is Family.UNIVERSAL_3
        else UniversalStreaming(format_turns=bool(asked.format_turns))
    )
    if asked.filter_profanity:
        chosen = Edited(chosen, _masking(mask_profanity))
    if asked.language_detection or asked.language_code or asked.language_codes:
        chosen = Edited(chosen, _with_language)
    return chosen
