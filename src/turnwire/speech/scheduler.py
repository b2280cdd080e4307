"""The worker threads that all streams of an engine share, and who goes first.

Final texts go before partial ones, as a client waits for them; among equals the oldest goes
first. Jobs of one shape that wait are decoded together, which costs far less than one after the
other. So a server under load works in larger batches, and spends less on each. A stream has one
job at a time, so there are never more jobs than streams.

One worker is left to final texts, if there is more than one. So a final text hardly ever waits for
partial ones, and those wait for company.
"""

import threading
import time
from bisect import insort
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass

from turnwire.speech.decoding import Decoder, Job, Kind, Text

_TOGETHER = 8
"""Jobs decoded at once, at most: more save little, and all wait for the last."""


@dataclass(slots=True, eq=False)
class _Entry:
    number: int
    job: Job
    shape: Hashable
    future: Future[Text]
    since: float
    """When it was submitted, on the monotonic clock."""
    begun: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        return self.job.kind, self.number


class Scheduler:
    """Runs jobs on `workers` threads."""

    def __init__(self, decoder: Decoder, workers: int) -> None:
        self._decoder = decoder
        self._number = 0
        self._waiting: list[_Entry] = []  # in the order of their ranks
        self._changed = threading.Condition()
        self._stopping = False
        self._spent_on_finals = 0.0
        self._free_for_partials = max(workers - 1, 1)
        self._threads = [
            threading.Thread(target=self._work, name=f"turnwire-decode-{i}", daemon=True)
            for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def spent_on_finals(self) -> float:
        """Seconds of a worker, so far."""
        return self._spent_on_finals

    @property
    def finals_behind(self) -> float:
        """For how many seconds the next final job has been waiting."""
        with self._changed:
            first = next(iter(self._waiting), None)
        if first is None or first.job.kind is not Kind.FINAL:
            return 0.0
        return time.monotonic() - first.since

    def submit(self, job: Job) -> Future[Text]:
        """The job's text, or the exception that decoding raised; cancelled if still queued."""
        future: Future[Text] = Future()
        shape = self._decoder.shape(job)
        with self._changed:
            self._number += 1
            self._put(_Entry(self._number, job, shape, future, time.monotonic()))
        return future

    def replace(self, future: Future[Text], job: Job) -> bool:
        """Have another job of the same kind done in the place of one; false if that has begun."""
        shape = self._decoder.shape(job)
        with self._changed:
            for entry in self._waiting:
                if entry.future is future and not entry.begun:
                    entry.job, entry.shape = job, shape
                    return True
        return False

    def close(self) -> None:
        """Let the running jobs end, cancel the queued ones, end the threads. Blocks."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for entry in self._waiting:
            if entry.begun:
                entry.future.set_exception(RuntimeError("the engine was closed"))
            else:
                entry.future.cancel()

    def _put(self, entry: _Entry) -> None:
        insort(self._waiting, entry, key=lambda each: each.rank)
        self._changed.notify()

    def _work(self) -> None:
        while (batch := self._next_batch()) is not None:
            began = time.monotonic()
            kind = batch[0].job.kind
            self._decode(batch)
            with self._changed:
                if kind is Kind.FINAL:
                    self._spent_on_finals += time.monotonic() - began
                else:
                    self._free_for_partials += 1
                    self._changed.notify()
            # An idle worker must not keep the last windows alive.
            del batch

    def _next_batch(self) -> list[_Entry] | None:
        """What to decode now; waits for it. None if the scheduler is being closed."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._stopping or self._may_begin())
                if self._stopping:
                    return None
                first = self._waiting[0]
                alike = [
                    entry
                    for entry in self._waiting
                    if entry.job.kind is first.job.kind and entry.shape == first.shape
                ][:_TOGETHER]
                for entry in alike:
                    self._waiting.remove(entry)
                batch = [entry for entry in alike if self._begin(entry)]
                if batch:
                    self._free_for_partials -= first.job.kind is Kind.PARTIAL
                    return batch

    def _may_begin(self) -> bool:
        if not self._waiting:
            return False
        return self._waiting[0].job.kind is Kind.FINAL or self._free_for_partials > 0

    @staticmethod
    def _begin(entry: _Entry) -> bool:
        if not entry.begun:
            entry.begun = entry.future.set_running_or_notify_cancel()
        return entry.begun

    def _decode(self, batch: list[_Entry]) -> None:
        try:
            outcomes = self._decoder.decode([entry.job for entry in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0].future.set_exception(error)
            else:
                # Whichever it was that failed, the others need not.
                for entry in batch:
                    self._decode([entry])
            return
        for entry, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Text):
                entry.future.set_result(outcome)
            else:
                entry.job, entry.shape = outcome, self._decoder.shape(outcome)
                with self._changed:
                    self._put(entry)
