"""Which decodes are made next, and which of them together. No threads and no clock.

What is due goes before what is not: final texts have a time by which a client waits for them,
partial ones are made when there is time. Of what is due, the earliest goes first, so a stream that
is late catches up first; of the rest, what has waited longest. Jobs of one shape are decoded
together, which costs far less than one after the other: a server under load works in larger
batches, and spends less on each.

One worker is left to what is due, if there is more than one. So that hardly ever waits for partial
texts, and those wait for company.
"""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from turnwire.speech.decoding import Job, Kind, Text
from turnwire.speech.quality import Quality, Standing


@dataclass(slots=True, eq=False)
class Entry:
    """A job that waits or runs."""

    number: int
    job: Job
    shape: Hashable
    due: float | None
    """When its text is due, on the queue's clock; None: whenever there is time."""
    since: float
    """When it was put in."""
    future: Future[Text]
    begun: bool = False

    @property
    def rank(self) -> tuple[bool, float, int]:
        return self.due is None, self.due or 0.0, self.number

    def begin(self) -> bool:
        """False if it was cancelled."""
        if not self.begun:
            self.begun = self.future.set_running_or_notify_cancel()
        return self.begun


class DecodeQueue:
    """The jobs of an engine with so many workers. All times are seconds on any one clock."""

    def __init__(self, shape: Callable[[Job], Hashable], workers: int, together: int) -> None:
        """`together` is how many jobs are decoded at once, at most."""
        self._shape = shape
        self._together = together
        self._standing = Standing()
        self._quality = self._standing.quality(0.0)
        self._numbers = 0
        self._waiting: list[Entry] = []  # in the order of their ranks
        self._free_for_partials = max(workers - 1, 1)
        self.batches: Counter[int] = Counter()
        """How many batches of each size were begun."""

    def put(self, job: Job, due: float | None, now: float) -> Entry:
        self._numbers += 1
        job = replace(job, quality=self._quality)
        entry = Entry(self._numbers, job, self._shape(job), due, now, Future())
        insort(self._waiting, entry, key=lambda each: each.rank)
        return entry

    def put_back(self, entry: Entry, job: Job) -> None:
        """Have another job done for an entry that has begun, in its old place."""
        entry.job, entry.shape = job, self._shape(job)
        insort(self._waiting, entry, key=lambda each: each.rank)

    def replace(self, future: Future[Text], job: Job) -> bool:
        """Have another job done in the place of one; false if that has begun."""
        for entry in self._waiting:
            if entry.future is future and not entry.begun:
                entry.job = replace(job, quality=self._quality)
                entry.shape = self._shape(entry.job)
                return True
        return False

    def can_begin(self) -> bool:
        """Whether there is something for a worker that has nothing to do."""
        return bool(self._waiting) and (
            self._waiting[0].due is not None or self._free_for_partials > 0
        )

    def next_batch(self, now: float) -> list[Entry]:
        """What a worker is to decode now, in one go; empty if there is nothing."""
        self._waiting = [entry for entry in self._waiting if not entry.future.cancelled()]
        while self.can_begin():
            self.quality(now)
            first = self._waiting[0]
            alike = [
                entry
                for entry in self._waiting
                if entry.job.kind is first.job.kind
                and (entry.due is None) is (first.due is None)
                and entry.shape == first.shape
            ][: self._together]
            for entry in alike:
                self._waiting.remove(entry)
            if batch := [entry for entry in alike if entry.begin()]:
                self._free_for_partials -= first.due is None
                self.batches[len(batch)] += 1
                return batch
        return []

    def done(self, batch: list[Entry]) -> None:
        """A worker has decoded a batch."""
        self._free_for_partials += batch[0].due is None

    def take_all(self) -> list[Entry]:
        """Let go of whatever waits."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def quality(self, now: float) -> Quality:
        """What is done for a text that is begun now."""
        first = self._waiting[0] if self._waiting else None
        if first is not None and first.due is not None:
            self._standing.note(now - first.due, now)
        quality = self._standing.quality(now)
        if quality is not self._quality:
            self._quality = quality
            for entry in self._waiting:
                entry.job = replace(entry.job, quality=quality)
                entry.shape = self._shape(entry.job)
        return quality

    def waiting(self, kind: Kind) -> int:
        """How many jobs of this kind have not begun."""
        return sum(
            each.job.kind is kind and not each.begun and not each.future.cancelled()
            for each in self._waiting
        )

    def behind(self, now: float) -> float:
        """For how many seconds the next text that is due has been waiting."""
        first = self._waiting[0] if self._waiting else None
        return 0.0 if first is None or first.due is None else now - first.since
