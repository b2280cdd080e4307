"""Who goes first, who is cancelled, and what a failed decode does."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from turnwire.speech.decoding import NOTHING, Job, Kind, Text
from turnwire.speech.scheduler import Scheduler


def job(name: int, kind: Kind = Kind.FINAL) -> Job:
    return Job(np.zeros(0, np.int16), (name,), kind, voice_end=0)


class Desk:
    """One worker that decodes what it is told to, and notes the order."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.order: list[int] = []

    def decode(self, job: Job) -> Text:
        (name,) = job.prefix
        self.order.append(name)
        self.begun.set()
        assert self.go_on.wait(10)
        if name < 0:
            raise ValueError(name)
        return NOTHING


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def scheduler(desk: Desk) -> Iterator[Scheduler]:
    made = Scheduler(desk.decode, workers=1)
    yield made
    desk.go_on.set()
    made.close()


def busy(scheduler: Scheduler, desk: Desk) -> None:
    scheduler.submit(job(0))
    assert desk.begun.wait(10)


def test_finals_go_first_then_the_oldest(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    futures = [
        scheduler.submit(job(1, Kind.PARTIAL)),
        scheduler.submit(job(2, Kind.PARTIAL)),
        scheduler.submit(job(3)),
        scheduler.submit(job(4)),
    ]
    desk.go_on.set()
    assert [future.result(10) for future in futures] == [NOTHING] * 4
    assert desk.order == [0, 3, 4, 1, 2]


def test_a_queued_job_can_be_cancelled(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    assert scheduler.submit(job(1)).cancel()
    after = scheduler.submit(job(2))
    desk.go_on.set()
    after.result(10)
    assert desk.order == [0, 2]


def test_a_failed_decode_fails_its_job_alone(scheduler: Scheduler, desk: Desk) -> None:
    desk.go_on.set()
    failed, fine = scheduler.submit(job(-1)), scheduler.submit(job(1))
    with pytest.raises(ValueError, match="-1"):
        failed.result(10)
    assert fine.result(10) is NOTHING


def test_close_cancels_what_waits_and_ends_the_threads(desk: Desk) -> None:
    before = threading.active_count()
    scheduler = Scheduler(desk.decode, workers=2)
    desk.go_on.set()
    scheduler.submit(job(1)).result(10)
    scheduler.close()
    assert threading.active_count() == before


def test_close_while_busy(scheduler: Scheduler, desk: Desk) -> None:
    busy(scheduler, desk)
    waiting = scheduler.submit(job(1))
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    desk.go_on.set()
    closing.join(10)
    assert not closing.is_alive()
    assert waiting.cancelled()
