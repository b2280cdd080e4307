"""Where a session stands on a client's line of time, and its messages moved there."""

from dataclasses import dataclass, replace

from turnwire.client.messages import (
    UNKNOWN_ORDER,
    LLMGatewayResponse,
    Progress,
    Revision,
    ServerMessage,
    Silence,
    SpeakerRevision,
    SpeechStarted,
    Turn,
    Word,
)


@dataclass(frozen=True, slots=True)
class LegPlace:
    """Where a session stands."""

    ms: int
    """Where its audio begins."""
    order: int
    """The order of its first turn."""

    def order_of(self, turn: Turn) -> int | None:
        """Which turn of the line this is; None if it does not say."""
        return None if turn.turn_order == UNKNOWN_ORDER else turn.turn_order + self.order

    def moved_turn(self, turn: Turn, *, order: int, floor: int) -> Turn:
        """The turn as the one of this order, and no word of it before `floor` ms."""
        words: list[Word] = []
        for word in turn.words:
            words.append(self._word(word, floor))
            floor = words[-1].end
        return replace(turn, turn_order=order, words=tuple(words))

    def moved(self, message: ServerMessage) -> ServerMessage:
        """Any other message with times and orders as they are on the one line."""
        match message:
            case SpeechStarted():
                return replace(message, timestamp=message.timestamp + self.ms)
            case Progress():
                return replace(message, audio_heard_ms=message.audio_heard_ms + self.ms)
            case Silence():
                start, end = message.start_ms + self.ms, message.end_ms + self.ms
                return replace(message, start_ms=start, end_ms=end)
            case SpeakerRevision():
                return replace(message, revisions=tuple(map(self._revision, message.revisions)))
            case LLMGatewayResponse():
                return replace(message, turn_order=message.turn_order + self.order)
            case _:
                return message

    def _revision(self, revision: Revision) -> Revision:
        return replace(
            revision,
            turn_order=revision.turn_order + self.order,
            words=tuple(self._word(word, 0) for word in revision.words),
        )

    def _word(self, word: Word, earliest: int) -> Word:
        start = max(word.start + self.ms, earliest)
        return replace(word, start=start, end=max(word.end + self.ms, start))
