"""How long the audio in one binary message may be."""

from turnwire.wire.limits import LONGEST_CHUNK_MS, SHORTEST_CHUNK_MS

TOLERANCE_MS = 1
"""Real clients cut 50 ms at 22,050 Hz into 49.98 ms."""

SHORT_RUN_MS = 1000
"""How much audio may come in short chunks in a row. Real clients send what is left over, once or
twice (LiveKit at a flush and again at the end), or their microphone's buffers as they are until
they have found their pace."""


class ChunkRule:
    """Judges one session's chunks."""

    def __init__(self) -> None:
        self._short_ms = 0.0
        """How much audio came in short chunks in a row."""
        self.began_short_run = False
        """Whether the last chunk was too short, and the first such one in a row."""

    def allows(self, ms: float) -> bool:
        """Whether a chunk of this length may come now."""
        if ms > LONGEST_CHUNK_MS + TOLERANCE_MS:
            return False
        short = ms < SHORTEST_CHUNK_MS - TOLERANCE_MS
        self.began_short_run = short and self._short_ms == 0
        self._short_ms = self._short_ms + ms if short else 0.0
        return self._short_ms < SHORT_RUN_MS

    def forgive(self) -> None:
        """A text message came in between: what was short may have been a tail."""
        self._short_ms = 0.0
