"""How long the audio in one binary message may be."""

from turnwire.wire.limits import LONGEST_CHUNK_MS, SHORTEST_CHUNK_MS

TOLERANCE_MS = 1
"""Real clients cut 50 ms at 22,050 Hz into 49.98 ms."""

SHORT_RUN = 3
"""How many short chunks in a row are refused. Real clients send what is left over, once or twice
(LiveKit at a flush and again at the end), and must survive it."""


class ChunkRule:
    """Judges one session's chunks."""

    def __init__(self) -> None:
        self._short = 0
        """How many short chunks came in a row."""

    @property
    def forgave(self) -> bool:
        """Whether the last chunk was too short, yet allowed."""
        return self._short > 0

    def allows(self, ms: float) -> bool:
        """Whether a chunk of this length may come now."""
        if ms > LONGEST_CHUNK_MS + TOLERANCE_MS:
            return False
        self._short = self._short + 1 if ms < SHORTEST_CHUNK_MS - TOLERANCE_MS else 0
        return self._short < SHORT_RUN

    def forgive(self) -> None:
        """A text message came in between: what was short may have been a tail."""
        self._short = 0
