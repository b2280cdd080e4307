"""The worker threads that all streams of an engine share, and who goes first.

Final texts go before partial ones, as a client waits for them; among equals the oldest goes
first. A stream waits for each of its jobs before it submits another, so there are never more
jobs than streams.
"""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import PriorityQueue

from turnwire.speech.decoding import Job, Text

_STOP = -1  # before any kind of job


class Scheduler:
    """Runs jobs on `workers` threads by calling `decode`, which must be thread-safe."""

    def __init__(self, decode: Callable[[Job], Text], workers: int) -> None:
        self._decode = decode
        self._numbers = itertools.count()
        self._queue: PriorityQueue[tuple[int, int, Job | None, Future[Text]]] = PriorityQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"turnwire-decode-{i}", daemon=True)
            for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> Future[Text]:
        """The job's text, or the exception that decoding raised; cancelled if still queued."""
        future: Future[Text] = Future()
        self._queue.put((job.kind, next(self._numbers), job, future))
        return future

    def close(self) -> None:
        """Let the running jobs end, cancel the queued ones, end the threads. Blocks."""
        for _ in self._threads:
            self._queue.put((_STOP, next(self._numbers), None, Future()))
        for thread in self._threads:
            thread.join()
        while not self._queue.empty():
            self._queue.get()[3].cancel()

    def _work(self) -> None:
        while True:
            _, _, job, future = self._queue.get()
            if job is None:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                text = self._decode(job)
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(text)
            # An idle worker must not keep the last window alive.
            del job, future
