"""Many streams on an engine that has too little time: planners and the queue, by a counted clock.

Nothing here takes time: decodes cost what they cost on a core of the machine that `benchmarks` were
made on, and two workers that are counted do them. Each loud quarter of a second is a word.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest

from tests.speech.counting import GUIDANCE, Counter, loud, quiet
from turnwire.recognition import Pause, SpeechEvent
from turnwire.speech.costs import Costs
from turnwire.speech.decode_queue import DecodeQueue, QueuedJob
from turnwire.speech.decoding import RATE, DecodedWord, Job, JobKind, Text
from turnwire.speech.devices import CPU
from turnwire.speech.planner import Planner, Situation, Wait
from turnwire.speech.quality import FULL, LADDER, STEP_BACK_SECONDS, LadderPosition, Quality
from turnwire.speech.voice import FRAME
from turnwire.speech.window import PlannedDecode

WORKERS = 2
TICK = FRAME * 2 / RATE
"""Seconds between two looks at what has come: 64 ms of audio."""


LISTENING = 0.007
"""Seconds of CPU for a second of speech (docs/design.md), and half of that for one of silence."""


def seconds_of(jobs: list[Job]) -> float:
    """What a worker takes: encoding, each token of the text, and its alignment."""
    spent = 0.0
    for job in jobs:
        window = len(job.window) / RATE
        tokens = 3.5 * window + len(job.prefix)
        if job.kind is JobKind.PARTIAL:
            encode, token = 0.005 + 0.003 * max(window, 2), 0.0033
        else:
            encode = 0.005 + 0.004 * max(window, 10)
            token = 0.0033 if job.quality.beam == 1 else 0.0049
            tokens += len(job.context) / 10
        share = {1: 1.0, 2: 0.75, 3: 0.5}.get(len(jobs), 0.35)
        spent += encode + tokens * (token * share + 0.00094)
    return spent


def speech(
    seconds: float, seed: int, *, conversation: bool = False
) -> Iterator[tuple[np.ndarray, list[float]]]:
    """Phrases of some words with short pauses between them, tick by tick, and where voice is.

    In a conversation, they are followed by as long a silence every three to fourteen seconds.
    """
    chance = random.Random(seed)
    pieces, words = [quiet(chance.randrange(0, 3200, 32))], 1
    spoken, listens_after = 0, 0.0 if not conversation else chance.uniform(3, 14) * RATE
    while sum(map(len, pieces)) < seconds * RATE:
        count = chance.randrange(4, 18)
        pieces += [loud(count, first=words), quiet(chance.choice((320, 448, 640)))]
        words += count
        spoken += len(pieces[-2]) + len(pieces[-1])
        if conversation and spoken >= listens_after:
            pieces.append(np.zeros(spoken // FRAME * FRAME, np.int16))
            spoken, listens_after = 0, chance.uniform(3, 14) * RATE
    return ticks(np.concatenate(pieces)[: int(seconds * RATE)])


def ticks(audio: np.ndarray) -> Iterator[tuple[np.ndarray, list[float]]]:
    """Audio tick by tick, and where voice is."""
    for tick in audio[: len(audio) // (2 * FRAME) * 2 * FRAME].reshape(-1, 2 * FRAME):
        yield tick, [float(frame.any()) for frame in tick.reshape(2, FRAME)]


@dataclass
class Session:
    audio: Iterator[tuple[np.ndarray, list[float]]]
    planner: Planner = field(default_factory=lambda: Planner(GUIDANCE))
    inbox: list[tuple[np.ndarray, list[float], float]] = field(default_factory=list)
    running: tuple[PlannedDecode, QueuedJob] | None = None
    told: list[tuple[float, SpeechEvent]] = field(default_factory=list)
    heard: float = 0.0
    """Seconds."""

    def finals(self) -> dict[int, float]:
        """By when their last word was spoken, in ms, when final texts came."""
        came: dict[int, float] = {}
        for at, event in self.told:
            if isinstance(event, Pause) and event.words:
                came.setdefault(event.since, at)
        return came

    @property
    def is_recording(self) -> bool:
        return self.planner.options.recording


@dataclass
class Worker:
    batch: list[QueuedJob] = field(default_factory=list)
    left: float = 0.0


class Engine:
    def __init__(
        self,
        sessions: int,
        seconds: float,
        recordings: int = 0,
        workers: int = WORKERS,
        *,
        conversation: bool = False,
        listening: bool = False,
    ) -> None:
        """With `listening`, that takes of the workers' time, too."""
        self.now = 0.0
        self.decode: Callable[[Job], Text | Job] = Counter().decode
        self.queue = DecodeQueue(
            lambda job: (job.kind, len(job.window) // (2 * RATE), len(job.context)),
            workers,
            CPU.together,
        )
        self.workers = [Worker() for _ in range(workers)]
        self.sessions = [
            Session(speech(seconds, seed, conversation=conversation)) for seed in range(sessions)
        ]
        self.listening = LISTENING if listening else 0.0
        self.recordings = [
            Session(speech(3600, seed), Planner(replace(GUIDANCE, recording=True)))
            for seed in range(recordings)
        ]
        self.seconds = seconds
        self.stood: list[Quality] = []

    def run(self, without_cpu: tuple[float, float] = (0.0, 0.0)) -> None:
        while self.now < self.seconds - 1:
            self.now += TICK
            listened = 0.0
            for session in self.sessions:
                audio, voices = next(session.audio)
                session.inbox.append((audio, voices, self.now))
                listened += self.listening * (TICK if any(voices) else TICK / 2)
            if not without_cpu[0] <= self.now < without_cpu[1]:
                for worker in self.workers:
                    self._work(worker, TICK - listened / len(self.workers))
                for session in (*self.sessions, *self.recordings):
                    self._step(session)
                self.stood.append(self.queue.quality(self.now))

    def _work(self, worker: Worker, left: float) -> None:
        while left > 0:
            if not worker.batch:
                worker.batch = self.queue.next_batch(self.now)
                if not worker.batch:
                    return
                worker.left = seconds_of([entry.job for entry in worker.batch])
            done = min(left, worker.left)
            left -= done
            worker.left -= done
            if worker.left <= 0:
                for entry in worker.batch:
                    outcome = self.decode(entry.job)
                    if isinstance(outcome, Text):
                        entry.future.set_result(outcome)
                    else:
                        self.queue.put_back(entry, outcome)
                self.queue.done(worker.batch)
                worker.batch = []

    def _step(self, session: Session) -> None:
        """What a stream does, as far as it comes without waiting."""
        planner = session.planner
        while True:
            if session.running is not None:
                plan, entry = session.running
                if entry.future.done():
                    session.running = None
                    event = planner.take(plan, entry.future.result())
                    if event is not None:
                        session.told.append((self.now, event))
                    continue
                if plan.final:
                    return
            queued = session.running is not None and not session.running[1].begun
            step = planner.next(
                Situation(
                    self.now, bool(session.inbox), self.queue.quality(self.now), queued=queued
                )
            )
            if session.running is not None and planner.under_way is not session.running[0]:
                session.running[1].future.cancel()
                session.running = None
            if step is Wait.OUTCOME:
                return
            if step is Wait.AUDIO:
                if session.is_recording:
                    session.inbox.append((*next(session.audio), self.now))
                if not session.inbox:
                    return
                session.heard += TICK
                audio, voices, came = session.inbox.pop(0)
                planner.add(audio, voices, 0.5, came, live=True)
            elif isinstance(step, PlannedDecode):
                if session.running is not None:
                    session.running[1].future.cancel()
                session.running = step, self.queue.put(step.job, step.due, self.now)
                if not step.final:
                    planner.begin(step)
            else:
                assert not isinstance(step, Wait)
                session.told.append((self.now, step))
                if isinstance(step, Pause) and step.words and step.until - step.since >= 500:
                    planner.cut()

    def lateness(self) -> list[tuple[float, float]]:
        """For each final text, when its last word was spoken, and how long after that it came."""
        return [
            (since / 1000, at - since / 1000)
            for session in self.sessions
            for since, at in session.finals().items()
        ]


def test_an_engine_without_cpu_for_a_while_catches_up() -> None:
    engine = Engine(sessions=26, seconds=45)
    engine.run(without_cpu=(10, 22))
    late = [after for spoken, after in engine.lateness() if spoken + after > 32]
    assert len(late) > 50
    assert max(late) <= 4
    assert engine.stood[-1] != LADDER[-1]


def admitted(workers: int) -> int:
    """How many sessions a server takes whose engine has measured what is counted here."""
    encode, tokens = 0.005 + 0.004 * 10, 24
    processors = Costs(encode + tokens * 0.0049, LISTENING).processors(workers, 0.0)
    return int(processors.usable * workers / processors.expected)


@pytest.mark.parametrize("workers", [1, 2])
def test_as_many_conversations_as_a_server_takes_are_all_in_real_time(workers: int) -> None:
    engine = Engine(admitted(workers), 60, workers=workers, conversation=True, listening=True)
    engine.run()
    beyond = [late - 0.4 for _, late in engine.lateness()]
    assert len(beyond) > 50
    assert np.percentile(beyond, 95) <= 0.5
    assert max(beyond) <= 1


def test_an_engine_that_has_too_much_to_do_stays_on_time() -> None:
    engine = Engine(2 * admitted(WORKERS), 40, listening=True)
    for session in engine.sessions:
        session.planner.options = replace(GUIDANCE, least_pause=400)
    engine.run()
    assert engine.stood.count(FULL) < len(engine.stood) / 2
    for part in (10, 25):
        late = [after for spoken, after in engine.lateness() if part <= spoken < part + 15]
        assert np.percentile(late, 95) <= 3


def test_pauses_that_are_of_no_use_to_their_session_give_way_to_those_that_are() -> None:
    p95 = []
    for least_pause in (0, 400):
        engine = Engine(sessions=64, seconds=30)
        for session in engine.sessions:
            session.planner.options = replace(GUIDANCE, least_pause=least_pause)
        engine.run()
        p95.append(np.percentile([late for spoken, late in engine.lateness() if spoken > 10], 95))
    heard_at_all, passed_over = p95
    assert passed_over < 0.9 * heard_at_all


def test_a_recording_takes_what_is_idle_and_delays_nobody() -> None:
    alone, beside = Engine(sessions=16, seconds=40), Engine(sessions=16, seconds=40, recordings=2)
    alone.run()
    beside.run()
    before, after = ([late for _, late in each.lateness()] for each in (alone, beside))
    assert min(len(before), len(after)) > 100
    # At most one decode is under way that cannot be interrupted.
    assert np.percentile(after, 95) <= np.percentile(before, 95) + TICK
    assert max(after) <= max(before) + 0.2
    assert set(beside.stood) == {FULL}
    assert all(recording.heard > beside.now for recording in beside.recordings)


def test_a_recording_delays_nobody_by_more_than_one_window_where_one_worker_does_all() -> None:
    alone = Engine(sessions=4, seconds=30, workers=1)
    beside = Engine(sessions=4, seconds=30, workers=1, recordings=8)
    alone.run()
    beside.run()
    before, after = ([late for _, late in each.lateness()] for each in (alone, beside))
    assert min(len(before), len(after)) > 30
    assert max(after) <= max(before) + 0.2


def test_a_recording_alone_is_heard_many_times_as_fast_as_it_was_spoken() -> None:
    engine = Engine(sessions=0, seconds=30, recordings=1)
    engine.run()
    assert engine.recordings[0].heard > 8 * engine.now


def test_a_recording_that_is_not_due_waits_while_final_texts_are_late() -> None:
    def job(recording: bool) -> Job:
        options = replace(GUIDANCE, recording=recording)
        return Job(quiet(1000), (), JobKind.FINAL, 0, options=options)

    queue = DecodeQueue(lambda job: 0, WORKERS, CPU.together)
    queue.put(job(recording=True), 100.0, 0.0)
    queue.put(job(recording=False), 0.3, 0.0)
    assert queue.quality(1.0) is not FULL
    assert [entry.job.is_patient for entry in queue.next_batch(1.0)] == [False]
    assert queue.next_batch(1.1) == []
    assert [entry.job.is_patient for entry in queue.next_batch(60.0)] == [True]


def test_a_recording_gets_on_while_partial_texts_take_what_time_there_is() -> None:
    engine = Engine(sessions=40, seconds=40, recordings=1)
    engine.run()
    assert engine.recordings[0].heard > engine.now / 2


def in_doubt(job: Job) -> Text | Job:
    """Hears a short word, whatever there is, and only when it is asked again."""
    if job.kind is JobKind.FINAL and not job.thorough:
        return replace(job, thorough=True)
    return Text((DecodedWord("you", 0, 240, 0.9, (1,)),), 0.7)


def test_what_is_decoded_again_or_is_left_to_decode_is_no_sign_of_too_much_to_do() -> None:
    engine = Engine(sessions=1, seconds=50)
    music = np.concatenate([loud(52), quiet(1024)] * 4)
    engine.sessions[0].audio = ticks(music)
    engine.decode = in_doubt
    engine.run()
    assert len(engine.sessions[0].finals()) == 3
    assert set(engine.stood) == {FULL}


def test_a_text_that_is_decoded_again_hides_no_other_that_is_late() -> None:
    queue = DecodeQueue(lambda job: 0, WORKERS, together=1)
    job = Job(quiet(1000), (), JobKind.FINAL, 0)
    queue.put(job, 0.3, 0.0)
    (begun,) = queue.next_batch(0.3)
    queue.put_back(begun, replace(job, thorough=True))
    assert (queue.quality(2.0), queue.behind(2.0)) == (FULL, 0.0)
    queue.put(job, 1.0, 0.7)
    assert queue.quality(2.0) is not FULL
    assert queue.behind(2.0) == pytest.approx(1.3)


def test_quality_gives_way_in_order_and_comes_back() -> None:
    standing = LadderPosition()
    seen = []
    for late in (0.0, 0.3, 0.8, 1.2, 1.4, 2.0, 9.0):
        standing.note(late, 0.0)
        seen.append(standing.quality(0.0))
    assert seen == list(LADDER)
    standing.note(0.3, 1.0)
    back = [standing.quality(STEP_BACK_SECONDS * rung) for rung in range(len(LADDER))]
    assert back == list(reversed(LADDER))


def test_each_rung_leaves_out_more() -> None:
    for above, below in pairwise(LADDER):
        assert above.late_seconds < below.late_seconds
        assert (above.partial_ms or 10**9) <= (below.partial_ms or 10**9)
        assert above.second_attempts >= below.second_attempts
        assert above.short_pauses >= below.short_pauses
        assert above.beam >= below.beam
        assert above.context_tokens >= below.context_tokens
