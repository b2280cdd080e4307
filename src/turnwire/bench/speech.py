"""Speech through a server: how fast, how dear, how good."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from turnwire.bench import BenchError
from turnwire.bench.clips import Clip, frame_ms
from turnwire.bench.load import Effort, play
from turnwire.bench.machine import Machine, this_machine
from turnwire.bench.measuring import (
    ENDPOINTING,
    Judged,
    Spread,
    Times,
    judge,
    reasons,
)
from turnwire.bench.player import Take
from turnwire.bench.serving import BenchServer
from turnwire.bench.session_audio import SessionAudio, alone, conversation
from turnwire.bench.words import Words

WARM_UP_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class SpeechFigures:
    """What was measured. Times are in milliseconds; `measuring` says what each of them is."""

    model: str
    sessions: int
    duty: float
    """How much of the audio is speech, 0 to 1."""
    audio_seconds: float
    speech_seconds: float
    cpu_ms_per_audio_second: float
    cpu_ms_per_speech_second: float
    peak_memory_mb: float
    event_loop_lag_ms: float
    """For how long the server's event loop was blocked, at worst."""
    begin: Spread | None
    first_words: Spread | None
    partial_lag: Spread | None
    final: Spread | None
    beyond_silence: Spread | None
    close: Spread | None
    not_final: Spread | None
    partials_without_final: int
    in_real_time: int
    missed: dict[str, int]
    """Why the other sessions were not, and how many each."""
    final_words: int
    final_words_changed: int
    load: Effort
    machine: Machine
    words: Words | None = None

    @property
    def holds(self) -> bool:
        """Whether the server keeps up with so many sessions: every one of them in real time."""
        return self.in_real_time == self.sessions

    def with_words(self, words: Words | None) -> Self:
        return replace(self, words=words)


async def warm_up(server: BenchServer, clips: Sequence[Clip]) -> None:
    """Play a little, so that what is loaded with the first session is loaded.

    Raises `BenchError` if that does not even begin.
    """
    (take,), _ = await play(
        server, [conversation(clips, WARM_UP_SECONDS, 1.0, seed=0)], ENDPOINTING
    )
    if take.begun is None:
        raise BenchError("The server let no session begin.")


async def measure_load(
    server: BenchServer,
    clips: Sequence[Clip],
    *,
    model: str,
    sessions: int,
    seconds: float,
    duty: float,
) -> tuple[SpeechFigures, list[Judged]]:
    """So many sessions at once, each for so long."""
    audios = [conversation(clips, seconds, duty, seed) for seed in range(sessions)]
    return await _measure(server, audios, model=model, sessions=sessions, duty=duty)


async def measure_clips(
    server: BenchServer, clips: Sequence[Clip], *, model: str, at_once: int
) -> tuple[SpeechFigures, list[Judged]]:
    """Each clip once, in a session of its own."""
    audios = [alone(clip) for clip in clips]
    return await _measure(
        server, audios, model=model, sessions=len(audios), duty=1.0, at_once=at_once
    )


async def _measure(
    server: BenchServer,
    audios: Sequence[SessionAudio],
    *,
    model: str,
    sessions: int,
    duty: float,
    at_once: int | None = None,
) -> tuple[SpeechFigures, list[Judged]]:
    machine = this_machine()
    before = await server.usage()
    takes, effort = await play(server, audios, ENDPOINTING, at_once=at_once)
    after = await server.usage()
    lag_ms = await server.loop_lag_ms()
    judged = [judge(take) for take in takes]
    times = Times()
    times.extend(each.times for each in judged)
    audio, speech = (sum(column) for column in zip(*map(_seconds, takes), strict=True))
    cpu_ms = 1000 * (after.cpu_seconds - before.cpu_seconds)
    missed = reasons(judged)
    figures = SpeechFigures(
        model=model,
        sessions=sessions,
        duty=duty,
        audio_seconds=round(audio, 1),
        speech_seconds=round(speech, 1),
        cpu_ms_per_audio_second=round(cpu_ms / audio, 2) if audio else 0.0,
        cpu_ms_per_speech_second=round(cpu_ms / speech, 2) if speech else 0.0,
        peak_memory_mb=round(after.peak_memory_mb, 1),
        event_loop_lag_ms=lag_ms,
        begin=Spread.of(times.begin),
        first_words=Spread.of(times.first_words),
        partial_lag=Spread.of(times.partial_lag),
        final=Spread.of(times.final),
        beyond_silence=Spread.of(times.beyond),
        close=Spread.of(times.close),
        not_final=Spread.of(times.not_final),
        partials_without_final=sum(each.without_final for each in judged),
        in_real_time=sessions - sum(missed.values()),
        missed=missed,
        final_words=sum(each.final_words for each in judged),
        final_words_changed=sum(each.changed for each in judged),
        load=effort,
        machine=machine,
    )
    return figures, judged


def _seconds(take: Take) -> tuple[float, float]:
    """How much audio was sent, and how much of it was of clips."""
    left, speech = len(take.sent), 0
    for passage in take.audio.passages:
        played = min(left, len(passage.frames))
        left -= played
        if passage.clip is not None:
            speech += played
    each = frame_ms(take.audio.sample_rate) / 1000
    return len(take.sent) * each, speech * each
