"""The worker threads that all streams of an engine share. `decode_queue` says who goes first."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from turnwire.speech.decode_queue import DecodeQueue, QueuedJob, account
from turnwire.speech.decoding import Job, JobKind, Recognizer, Text
from turnwire.speech.devices import CPU
from turnwire.speech.panics import contained
from turnwire.speech.quality import Quality

LOOK_AGAIN_SECONDS = 0.25
"""How often a worker that has nothing to do looks at what waits."""


def decoding_cpu() -> float:
    """Seconds of CPU that this process has taken but for its main thread, which serves sessions.

    The model's threads are its own, so what they take is known of all of them only. CPU, not time,
    so that other work on the machine makes no difference.
    """
    spent = time.process_time()
    if hasattr(time, "pthread_getcpuclockid"):
        main = threading.main_thread().ident
        if main is not None:
            spent -= time.clock_gettime(time.pthread_getcpuclockid(main))
    return spent


class Scheduler:
    """Runs jobs on `workers` threads. `clock` gives seconds."""

    def __init__(
        self,
        decoder: Recognizer,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] | None = decoding_cpu,
        together: int = CPU.together,
    ) -> None:
        """`cpu` gives the seconds of CPU that decoding has taken so far, all in all. None: what is
        spent is the time for which threads are occupied, as they have something else compute.

        `together` is how many jobs are decoded at once, at most.
        """
        self._decoder = decoder
        self.clock = clock
        self._queue = DecodeQueue(decoder.shape, workers, together)
        self._changed = threading.Condition()
        self._stopping = False
        self._cpu = cpu
        self._spent = 0.0  # on anything, when it was looked at last
        # By what jobs count as:
        self._spent_on = dict.fromkeys((*JobKind, None), 0.0)
        self._running = dict.fromkeys((*JobKind, None), 0)  # batches
        self._threads = [
            threading.Thread(target=self._work, name=f"turnwire-decode-{i}", daemon=True)
            for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def spent_on(self, kind: JobKind | None) -> float:
        """Seconds of CPU, so far; None: on recordings, whatever the kind."""
        return self._spent_on[kind]

    def waiting(self, kind: JobKind | None) -> int:
        """How many jobs of this kind have not begun; None: those of recordings."""
        with self._changed:
            return self._queue.waiting(kind)

    @property
    def batches(self) -> dict[int, int]:
        """How many batches of each size were begun, so far."""
        with self._changed:
            return dict(self._queue.batches)

    @property
    def finals_behind(self) -> float:
        """For how many seconds the next final job has been waiting."""
        with self._changed:
            return self._queue.behind(self.clock())

    @property
    def quality(self) -> Quality:
        """What is done for a text that is begun now."""
        with self._changed:
            return self._queue.quality(self.clock())

    def submit(self, job: Job, due: float | None = None) -> Future[Text]:
        """The job's text, or the exception that decoding raised; cancelled if still queued.

        `due` is when it is wanted, on the clock; None: whenever there is time.
        """
        with self._changed:
            entry = self._queue.put(job, due, self.clock())
            self._changed.notify()
        return entry.future

    def replace(self, future: Future[Text], job: Job) -> bool:
        """Have another job done in the place of one; false if that has begun."""
        with self._changed:
            return self._queue.replace(future, job)

    def hurry(self, future: Future[Text]) -> None:
        """The text of a job of a recording that has not begun is due now."""
        with self._changed:
            self._queue.hurry(future, self.clock())
            self._changed.notify()

    def close(self) -> None:
        """Let the running jobs end, cancel the queued ones, end the threads. Blocks."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for entry in self._queue.take_all():
            if entry.begun:
                entry.future.set_exception(RuntimeError("the engine was closed"))
            else:
                entry.future.cancel()

    def _work(self) -> None:
        while batch := self._next_batch():
            kind = account(batch[0].job)
            self._decode(batch)
            with self._changed:
                self._queue.done(batch)
                self._account()
                self._running[kind] -= 1
                self._changed.notify()
            # An idle worker must not keep the last windows alive.
            del batch

    def _next_batch(self) -> list[QueuedJob]:
        """What to decode now; waits for it. Empty if the scheduler is being closed."""
        with self._changed:
            while not self._stopping:
                if batch := self._queue.next_batch(self.clock()):
                    self._account()
                    self._running[account(batch[0].job)] += 1
                    return batch
                # What must not begin yet may begin later, though nothing else happens.
                self._changed.wait(LOOK_AGAIN_SECONDS if self._queue else None)
        return []

    def _account(self) -> None:
        """Share what was taken since the last time among what has been running."""
        spent = self.clock() if self._cpu is None else self._cpu()
        taken, self._spent = spent - self._spent, spent
        if running := sum(self._running.values()):
            each = taken if self._cpu is None else taken / running
            for kind, batches in self._running.items():
                self._spent_on[kind] += each * batches

    def _decode(self, batch: list[QueuedJob]) -> None:
        try:
            outcomes = self._decoder.decode([entry.job for entry in batch])
        except BaseException as error:
            if len(batch) == 1:
                batch[0].future.set_exception(contained(error))
            else:
                # Whichever it was that failed, the others need not.
                for entry in batch:
                    self._decode([entry])
            return
        for entry, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Text):
                entry.future.set_result(outcome)
            else:
                with self._changed:
                    self._queue.put_back(entry, outcome)
                    self._changed.notify()
