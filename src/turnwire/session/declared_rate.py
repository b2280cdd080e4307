"""Whether live audio is what was declared, by how fast it comes.

A microphone delivers a second of audio in a second. If it is declared with another sample rate, or
has two channels, that second counts as half a one or as three, and keeps doing so: chunk after
chunk arrives at a steady pace that is the ratio of two sample rates. Files, bursts and gaps are
not steady, and no clock drifts that far.
"""

COMMON_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)

TOLERANCE = 0.03
"""How far from a ratio a pace may be; the closest two ratios are 8 % apart."""

WINDOW_SECONDS = 5.0
"""How long a pace has to stay."""

WATCHED_SECONDS = 60.0
"""How long a session is watched for one."""

LIVE_PACE = 8.0
"""What comes faster is a file."""

_STEADY_SHARE = 0.8
"""How many of the chunks have to come about when the pace says,"""

_STEADY = 0.3
"""and how far off that time, as a part of it, they may be."""

_MIDDLE = 0.04
"""How far off it the one in the middle may be. Where chunks are lost, the others still come at the
pace of what was declared."""

_MOST_CHUNKS = 600


class RateWatch:
    """Watches the first audio of one session that declared `rate`."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._chunks: list[tuple[float, float]] | None = []
        """Of the window: how long each chunk after its first lasts, and how long it let wait, in
        seconds; None once no more is to be learned."""
        self._waited = 0.0  # in the window, seconds
        self._first: float | None = None
        self._last = 0.0

    def receive(self, seconds: float, now: float) -> tuple[float, int] | None:
        """Count a chunk. The pace and the likely sample rate, once, if that is another one."""
        if self._chunks is None:
            return None
        if self._first is None:
            self._first = self._last = now
            return None
        self._chunks.append((seconds, now - self._last))
        self._waited += now - self._last
        self._last = now
        if self._waited < WINDOW_SECONDS and len(self._chunks) < _MOST_CHUNKS:
            return None
        waited, self._waited = self._waited, 0.0
        return self._judge(waited, now - self._first)

    def stop(self) -> None:
        """What comes from here on does not come at the client's own pace."""
        self._chunks = None

    def _judge(self, waited: float, watched: float) -> tuple[float, int] | None:
        chunks = self._chunks or []
        pace = sum(seconds for seconds, _ in chunks) / max(waited, 0.001)
        self._chunks = []
        if pace > LIVE_PACE or watched >= WATCHED_SECONDS:
            self.stop()
            return None
        if waited < WINDOW_SECONDS or not _steady(chunks, pace):
            return None
        if abs(pace - 1) <= TOLERANCE:
            self.stop()
            return None
        likely = min(COMMON_RATES, key=lambda rate: abs(rate / self._rate - pace))
        if abs(likely / self._rate / pace - 1) > TOLERANCE:
            return None
        self.stop()
        return pace, likely


def _steady(chunks: list[tuple[float, float]], pace: float) -> bool:
    off = sorted(wait * pace / seconds - 1 for seconds, wait in chunks)
    near = sum(abs(each) <= _STEADY for each in off)
    return near >= _STEADY_SHARE * len(off) and abs(off[len(off) // 2]) <= _MIDDLE
