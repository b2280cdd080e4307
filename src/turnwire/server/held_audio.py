"""Audio that has come and that the engine has not come to, of all sessions together."""

from dataclasses import dataclass

HELD_BYTES = 256 * 1024 * 1024
"""How much there may be: 26 sessions that are each five minutes ahead of time at 16 kHz."""

GUARANTEED_BYTES = 1024 * 1024
"""What a session may have waiting even if others have filled the store: half a minute at 16 kHz."""


@dataclass(slots=True)
class HeldAudio:
    """The store's size; the audio itself waits with each session."""

    limit: int = HELD_BYTES
    held: int = 0

    @property
    def full(self) -> bool:
        return self.held > self.limit
