"""Who goes first, who goes together, who is cancelled, and what a failed decode does."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from tests.support import PATIENCE
from turnwire.recognition import RecognitionOptions
from turnwire.speech.decoding import NOTHING, Job, JobKind, Text
from turnwire.speech.quality import FULL, LADDER, Quality
from turnwire.speech.scheduler import Scheduler


def job(name: int, kind: JobKind = JobKind.FINAL) -> Job:
    return Job(np.zeros(0, np.int16), (name,), kind, voice_end=0)


def submit(scheduler: Scheduler, each: Job) -> Future[Text]:
    """Final texts are due, partial ones are not."""
    return scheduler.submit(each, due=0.0 if each.kind is JobKind.FINAL else None)


class PanicError(BaseException):
    """As that of libraries in Rust, which is no `Exception`."""


class Desk:
    """One worker that decodes what it is told to, and notes the order. Negative jobs fail, -2 in a
    panic; those from 100 on can be decoded together, and those from 200 on have to be done twice.
    """

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.batches: list[list[int]] = []
        self.qualities: list[Quality] = []
        self.now = 0.0
        self.cpu = 7.0

    @property
    def order(self) -> list[int]:
        return [name for batch in self.batches for name in batch]

    def shape(self, job: Job) -> int:
        (name,) = job.prefix
        return min(name, 100)

    def decode(self, jobs: Sequence[Job]) -> list[Text | Job]:
        names = [job.prefix[0] for job in jobs]
        self.batches.append(names)
        self.qualities += [job.quality for job in jobs]
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        if -1 in names or 199 in names:
            raise ValueError(names)
        if -2 in names:
            raise PanicError(names)
        return [
            replace(job, thorough=True) if job.prefix[0] >= 200 and not job.thorough else NOTHING
            for job in jobs
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def scheduler(desk: Desk) -> Iterator[Scheduler]:
    made = Scheduler(desk, 1, clock=lambda: desk.now, cpu=lambda: desk.cpu)
    yield made
    desk.go_on.set()
    made.close()


def busy(scheduler: Scheduler, desk: Desk) -> None:
    submit(scheduler, job(0))
    assert desk.begun.wait(PATIENCE)


def test_finals_go_first_then_the_oldest(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    futures = [
        submit(scheduler, job(1, JobKind.PARTIAL)),
        submit(scheduler, job(2, JobKind.PARTIAL)),
        submit(scheduler, job(3)),
        submit(scheduler, job(4)),
    ]
    desk.go_on.set()
    assert [future.result(10) for future in futures] == [NOTHING] * 4
    assert desk.order == [0, 3, 4, 1, 2]


def test_a_queued_job_can_be_cancelled(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    assert submit(scheduler, job(1)).cancel()
    after = submit(scheduler, job(2))
    desk.go_on.set()
    after.result(10)
    assert desk.order == [0, 2]


def test_a_failed_decode_fails_its_job_alone(scheduler: Scheduler, desk: Desk) -> None:
    desk.go_on.set()
    failed, fine = submit(scheduler, job(-1)), submit(scheduler, job(1))
    with pytest.raises(ValueError, match="-1"):
        failed.result(10)
    assert fine.result(10) is NOTHING


def test_a_decode_that_panics_fails_its_job_and_no_thread(scheduler: Scheduler, desk: Desk) -> None:
    desk.go_on.set()
    failed, fine = submit(scheduler, job(-2)), submit(scheduler, job(1))
    with pytest.raises(RuntimeError, match="PanicError"):
        failed.result(10)
    assert fine.result(10) is NOTHING


def test_what_waits_is_decoded_together_if_it_can_be(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    futures = [
        submit(scheduler, job(name, kind))
        for kind in (JobKind.PARTIAL, JobKind.FINAL)
        for name in (101, 1, *range(102, 111))
    ]
    desk.go_on.set()
    assert [future.result(10) for future in futures] == [NOTHING] * 22
    assert desk.batches[1:] == 2 * [[101, *range(102, 109)], [1], [109, 110]]


def test_one_of_those_decoded_together_fails(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    futures = [submit(scheduler, job(name)) for name in (101, 199, 102)]
    desk.go_on.set()
    assert futures[0].result(10) is NOTHING
    assert isinstance(futures[1].exception(10), ValueError)
    assert futures[2].result(10) is NOTHING


def test_a_job_that_has_to_be_done_again_goes_first(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    futures = [submit(scheduler, job(name)) for name in (200, 1)]
    desk.go_on.set()
    assert [future.result(10) for future in futures] == [NOTHING] * 2
    assert desk.order == [0, 200, 200, 1]


def test_a_job_that_waits_can_be_replaced_and_keeps_its_place(
    scheduler: Scheduler, desk: Desk
) -> None:
    running = submit(scheduler, job(0))
    assert desk.begun.wait(PATIENCE)
    first, second = submit(scheduler, job(1)), submit(scheduler, job(2))
    assert not scheduler.replace(running, job(3))
    assert scheduler.replace(first, job(4))
    desk.go_on.set()
    assert second.result(10) is NOTHING
    assert desk.order == [0, 4, 2]


def test_one_worker_is_left_to_finals(desk: Desk) -> None:
    scheduler = Scheduler(desk, workers=2)
    partials = [submit(scheduler, job(1, JobKind.PARTIAL))]
    assert desk.begun.wait(PATIENCE)
    partials.append(submit(scheduler, job(2, JobKind.PARTIAL)))
    final = submit(scheduler, job(3))
    while len(desk.batches) < 2:
        time.sleep(0)
    assert desk.order == [1, 3]
    desk.go_on.set()
    assert [each.result(10) for each in (final, *partials)] == [NOTHING] * 3
    assert desk.order == [1, 3, 2]
    scheduler.close()


def test_how_long_a_final_has_been_waiting(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    partial = submit(scheduler, job(1, JobKind.PARTIAL))
    assert (scheduler.finals_behind, scheduler.spent_on(JobKind.FINAL)) == (0.0, 0.0)
    final = submit(scheduler, job(2))
    desk.now = 1.5
    assert scheduler.finals_behind == 1.5
    assert [scheduler.waiting(kind) for kind in JobKind] == [1, 1]
    desk.go_on.set()
    assert [each.result(10) for each in (final, partial)] == [NOTHING] * 2
    assert scheduler.finals_behind == 0.0
    assert [scheduler.waiting(kind) for kind in JobKind] == [0, 0]
    assert scheduler.batches == {1: 3}


def recorded(name: int) -> Job:
    options = RecognitionOptions(vad_threshold=0.5, recording=True)
    return replace(job(name), options=options)


def test_a_recording_goes_last_until_it_is_due(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    futures = [
        scheduler.submit(recorded(1), due=8.0),
        scheduler.submit(recorded(2), due=3.0),
        submit(scheduler, job(3, JobKind.PARTIAL)),
        scheduler.submit(job(4), due=4.5),
    ]
    assert [scheduler.waiting(kind) for kind in (*JobKind, None)] == [1, 1, 2]
    desk.now = 4.0
    desk.go_on.set()
    assert [future.result(10) for future in futures] == [NOTHING] * 4
    assert desk.order == [0, 4, 2, 3, 1]


def test_a_recording_that_is_late_is_not_done_worse_and_nothing_else_is(
    scheduler: Scheduler, desk: Desk
) -> None:
    busy(scheduler, desk)
    desk.now = 10.0
    late = scheduler.submit(recorded(1), due=0.0)
    desk.now = 20.0
    assert (scheduler.quality, scheduler.finals_behind) == (FULL, 0.0)
    scheduler.submit(job(2), due=10.0)
    assert scheduler.quality is LADDER[-1]
    desk.go_on.set()
    assert late.result(10) is NOTHING
    assert desk.qualities == [FULL, LADDER[-1], FULL]


def test_what_is_live_is_not_decoded_together_with_a_recording(
    scheduler: Scheduler, desk: Desk
) -> None:
    busy(scheduler, desk)
    futures = [
        scheduler.submit(recorded(101), due=3.0),
        submit(scheduler, job(102)),
        submit(scheduler, job(103)),
        scheduler.submit(recorded(104), due=3.0),
    ]
    desk.go_on.set()
    assert [future.result(10) for future in futures] == [NOTHING] * 4
    assert desk.batches[1:] == [[102, 103], [101], [104]]


def test_what_is_live_waits_for_one_window_of_a_recording_on_one_worker(
    scheduler: Scheduler, desk: Desk
) -> None:
    recordings = [scheduler.submit(recorded(name), due=0.0) for name in (101, 102, 103)]
    assert desk.begun.wait(PATIENCE)
    final = submit(scheduler, job(104))
    desk.go_on.set()
    assert [each.result(10) for each in (final, *recordings)] == [NOTHING] * 4
    assert desk.batches == [[101], [104], [102], [103]]


def test_recordings_are_decoded_together_by_more_than_one_worker(desk: Desk) -> None:
    scheduler = Scheduler(desk, workers=2, clock=lambda: desk.now, cpu=lambda: desk.cpu)
    recordings = [scheduler.submit(recorded(name), due=9.0) for name in (1, 101, 102)]
    assert desk.begun.wait(PATIENCE)
    desk.go_on.set()
    assert [each.result(10) for each in recordings] == [NOTHING] * 3
    assert desk.batches == [[1], [101, 102]]
    scheduler.close()


def test_one_worker_is_left_to_what_is_live(desk: Desk) -> None:
    scheduler = Scheduler(desk, workers=2, cpu=lambda: desk.cpu)
    recordings = [scheduler.submit(recorded(name), due=0.0) for name in (1, 2)]
    assert desk.begun.wait(PATIENCE)
    final = submit(scheduler, job(3))
    while len(desk.batches) < 2:
        time.sleep(0)
    assert desk.order == [1, 3]
    desk.cpu += 4.0
    desk.go_on.set()
    assert [each.result(10) for each in (final, *recordings)] == [NOTHING] * 3
    scheduler.close()
    assert scheduler.spent_on(None) == scheduler.spent_on(JobKind.FINAL) == 2.0


def test_close_cancels_what_waits_and_ends_the_threads(desk: Desk) -> None:
    before = threading.active_count()
    scheduler = Scheduler(desk, workers=2)
    desk.go_on.set()
    submit(scheduler, job(1)).result(10)
    scheduler.close()
    assert threading.active_count() == before


def test_close_while_busy(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    waiting = submit(scheduler, job(1))
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    desk.go_on.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert waiting.cancelled()


def test_what_is_due_first_goes_first(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    futures = [
        scheduler.submit(job(1), due=3.0),
        scheduler.submit(job(2, JobKind.PARTIAL), due=2.0),
        scheduler.submit(job(3, JobKind.PARTIAL)),
        scheduler.submit(job(4), due=1.0),
    ]
    desk.go_on.set()
    assert [future.result(10) for future in futures] == [NOTHING] * 4
    assert desk.order == [0, 4, 2, 1, 3]


def test_where_something_else_computes_what_is_spent_is_the_time_of_each_thread(
    desk: Desk,
) -> None:
    scheduler = Scheduler(desk, 2, clock=lambda: desk.now, cpu=None)
    both = [submit(scheduler, job(1)), submit(scheduler, job(2, JobKind.PARTIAL))]
    while len(desk.batches) < 2:
        time.sleep(0)
    desk.now += 4.0
    desk.go_on.set()
    assert [each.result(10) for each in both] == [NOTHING] * 2
    scheduler.close()
    assert [scheduler.spent_on(kind) for kind in JobKind] == [4.0, 4.0]


def test_what_final_texts_spend_is_the_cpu_of_the_time_they_run(desk: Desk) -> None:
    scheduler = Scheduler(desk, 2, cpu=lambda: desk.cpu)
    both = [submit(scheduler, job(1)), submit(scheduler, job(2, JobKind.PARTIAL))]
    while len(desk.batches) < 2:
        time.sleep(0)
    desk.cpu += 4.0
    desk.go_on.set()
    assert [each.result(10) for each in both] == [NOTHING] * 2
    scheduler.close()
    assert [scheduler.spent_on(kind) for kind in JobKind] == [2.0, 2.0]
    desk.cpu += 100.0
    assert [scheduler.spent_on(kind) for kind in JobKind] == [2.0, 2.0]
