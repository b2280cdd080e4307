"""Which decodes are made next, and which of them together. No threads and no clock.

What is due goes before what is not: final texts have a time by which a client waits for them,
partial ones are made when there is time. Of what is due, the earliest goes first, so a stream that
is late catches up first; of the rest, what has waited longest. Jobs of one shape are decoded
together, which costs far less than one after the other: a server under load works in larger
batches, and spends less on each.

What is of a recording goes last, and not while final texts are late, until it is due; then it still
goes after the final texts of live audio. It is never done worse for being late, and makes nothing
else be done worse.

One worker is left to the final texts of live audio, if there is more than one. So those hardly ever
wait for anything else, and partial texts wait for company. Where there is but one, what is
live waits for what that is at: one window of one recording at most, not a batch of long ones.
"""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import IntEnum

from turnwire.speech.decoding import Job, JobKind, Text
from turnwire.speech.quality import FULL, LadderPosition, Quality


class Rank(IntEnum):
    """Who goes first."""

    DUE = 0
    """Live audio whose text is due at some time."""
    OVERDUE = 1
    """A recording whose text was due."""
    WELCOME = 2
    """Live audio whose text is made when there is time."""
    IDLE = 3
    """A recording whose text is not due yet."""


@dataclass(slots=True, eq=False)
class QueuedJob:
    """A job that waits or runs."""

    number: int
    job: Job
    shape: Hashable
    due: float | None
    """When its text is due, on the queue's clock; None: whenever there is time."""
    since: float
    """When it was put in."""
    future: Future[Text]
    rank: Rank
    begun: bool = False

    @property
    def place(self) -> tuple[Rank, float, int]:
        return self.rank, self.due or 0.0, self.number

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
        self._recordings_together = together if workers > 1 else 1
        self._standing = LadderPosition()
        self._quality = self._standing.quality(0.0)
        self._numbers = 0
        self._waiting: list[QueuedJob] = []  # in the order of their places
        self._free_for_others = max(workers - 1, 1)  # than those of the first rank
        self.batches: Counter[int] = Counter()
        """How many batches of each size were begun."""

    def put(self, job: Job, due: float | None, now: float) -> QueuedJob:
        self._numbers += 1
        rank = Rank.WELCOME if due is None else Rank.DUE
        if job.is_patient:
            rank = Rank.IDLE
        job = replace(job, quality=FULL if job.is_patient else self._quality)
        entry = QueuedJob(self._numbers, job, self._shape(job), due, now, Future(), rank)
        self._insert(entry)
        return entry

    def _insert(self, entry: QueuedJob) -> None:
        insort(self._waiting, entry, key=lambda each: each.place)

    def put_back(self, entry: QueuedJob, job: Job) -> None:
        """Have another job done for an entry that has begun, in its old place."""
        entry.job, entry.shape = job, self._shape(job)
        self._insert(entry)

    def replace(self, future: Future[Text], job: Job) -> bool:
        """Have another job done in the place of one; false if that has begun."""
        for entry in self._waiting:
            if entry.future is future and not entry.begun:
                entry.job = replace(job, quality=self._quality)
                entry.shape = self._shape(entry.job)
                return True
        return False

    def hurry(self, future: Future[Text], now: float) -> None:
        """The text of a job of a recording that has not begun is due now."""
        for entry in self._waiting:
            if entry.future is future and entry.rank is Rank.IDLE:
                # Where an entry stands depends on when it is due.
                self._waiting.remove(entry)
                entry.due = now
                self._insert(entry)
                return

    def can_begin(self) -> bool:
        """Whether there is something for a worker that has nothing to do."""
        return bool(self._waiting) and (
            self._waiting[0].rank is Rank.DUE or self._free_for_others > 0
        )

    def next_batch(self, now: float) -> list[QueuedJob]:
        """What a worker is to decode now, in one go; empty if there is nothing."""
        self._waiting = [entry for entry in self._waiting if not entry.future.cancelled()]
        self._hurry(now)
        while self.can_begin():
            on_time = self.quality(now) is FULL
            first = self._waiting[0]
            if first.rank is Rank.IDLE and not on_time:
                break
            most = self._recordings_together if first.job.is_patient else self._together
            alike = [
                entry
                for entry in self._waiting
                if entry.job.kind is first.job.kind
                and entry.rank is first.rank
                and entry.shape == first.shape
            ][:most]
            for entry in alike:
                self._waiting.remove(entry)
            batch = [entry for entry in alike if entry.begin()]
            if batch:
                self._free_for_others -= first.rank is not Rank.DUE
                self.batches[len(batch)] += 1
                return batch
        return []

    def done(self, batch: list[QueuedJob]) -> None:
        """A worker has decoded a batch."""
        self._free_for_others += batch[0].rank is not Rank.DUE

    def _hurry(self, now: float) -> None:
        """Move on what is of recordings and has become due."""
        overdue = [
            entry
            for entry in self._waiting
            if entry.rank is Rank.IDLE and entry.due is not None and entry.due <= now
        ]
        for entry in overdue:
            entry.rank = Rank.OVERDUE
            self._waiting.remove(entry)
            self._insert(entry)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def take_all(self) -> list[QueuedJob]:
        """Let go of whatever waits."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def quality(self, now: float) -> Quality:
        """What is done for a text that is begun now."""
        first = self._first_due()
        if first is not None and first.due is not None:
            self._standing.note(now - first.due, now)
        quality = self._standing.quality(now)
        if quality is not self._quality:
            self._quality = quality
            for entry in self._waiting:
                if not entry.job.is_patient:
                    entry.job = replace(entry.job, quality=quality)
                    entry.shape = self._shape(entry.job)
        return quality

    def waiting(self, kind: JobKind | None) -> int:
        """How many jobs of this kind have not begun; None: those of recordings."""
        return sum(
            account(each.job) is kind and not each.begun and not each.future.cancelled()
            for each in self._waiting
        )

    def behind(self, now: float) -> float:
        """For how many seconds the next text that is due has been waiting."""
        first = self._first_due()
        return 0.0 if first is None else now - first.since

    def _first_due(self) -> QueuedJob | None:
        """The first that is due of what has not begun. What is to be done once more has: it is no
        sign of too much to do."""
        first = next((entry for entry in self._waiting if not entry.begun), None)
        return first if first is not None and first.rank is Rank.DUE else None


def account(job: Job) -> JobKind | None:
    """What a job counts as; None: as one of a recording."""
    return None if job.is_patient else job.kind
