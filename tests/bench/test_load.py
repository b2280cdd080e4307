"""Sessions on real sockets, against a server in a process of its own and against bad ones."""

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from tests.client.servers import BEGIN, tell
from tests.client.servers import serving as serving_as_told
from tests.support import loud, quiet
from turnwire.bench import BenchError, stress, upkeep
from turnwire.bench.clips import Clip, frames_of
from turnwire.bench.load import play
from turnwire.bench.measuring import ENDPOINTING, judge
from turnwire.bench.player import Take
from turnwire.bench.serving import BenchServer, serving
from turnwire.bench.session_audio import alone
from turnwire.bench.speech import measure_clips
from turnwire.bench.stress import measure_disturbed
from turnwire.bench.upkeep import measure_churn, measure_idle, measure_overhead

SPEECH = Clip(Path("clip"), None, 16_000, frames_of(loud(500) + quiet(1500), 16_000))


async def test_what_is_measured_with_a_server_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WARM_UP_SESSIONS", 5)
    async with serving("echo") as server:
        (take,), effort = await play(server, [alone(SPEECH)], ENDPOINTING)
        heard = judge(take)
        assert heard.heard == ((SPEECH, "one two"),)
        assert (len(heard.times.beyond), heard.missed) == (1, None)
        assert effort.cores > 0

        figures, _ = await measure_clips(server, [SPEECH] * 2, model="echo", at_once=2)
        assert (figures.in_real_time, figures.audio_seconds, figures.speech_seconds) == (2, 4, 4)
        assert figures.holds
        assert figures.cpu_ms_per_audio_second > 0
        assert figures.peak_memory_mb > 10

        overhead = await measure_overhead(server, model="echo", sessions=5, seconds=1)
        assert (overhead.frames, overhead.ended_well) == (100, 5)
        assert overhead.cpu_us_per_frame > 0

        idle = await measure_idle(server, model="echo", sessions=20, seconds=1)
        assert idle.held == 20

        churn = await measure_churn(server, model="echo", sessions=20)
        assert churn.ended_well == 20
        assert churn.memory_after_mb > 10


async def test_a_server_that_stood_still_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stress, "BEFORE_SECONDS", 0.5)
    monkeypatch.setattr(stress, "SETTLED_SECONDS", 0.1)
    async with serving("echo") as server:
        assert server.admits is None
        figures, (judged,) = await measure_disturbed(
            server, [SPEECH], model="echo", sessions=1, seconds=5, without_cpu=1.0, duty=1.0
        )
    assert (figures.ended_badly, figures.without_cpu_seconds) == (0, 1.0)
    assert figures.final_after is not None
    assert figures.final_after.count <= len(judged.endings)


async def test_a_model_that_is_not_there() -> None:
    with pytest.raises(BenchError, match="no-such-folder"):
        async with serving("./no-such-folder"):
            pass


async def against(handler: object) -> Take:
    async with serving_as_told(handler) as url:  # type: ignore[arg-type]
        here, there = multiprocessing.Pipe()
        with here, there:
            (take,), _ = await play(
                BenchServer(url, "key", None, os.getpid(), here), [alone(SPEECH)], {}
            )
            return take


async def test_a_server_that_refuses() -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.close(1013, "No capacity")

    assert judge(await against(refuse)).missed == "did not begin (1013)"


async def test_a_server_that_hangs_up() -> None:
    async def hang_up(socket: ServerConnection) -> None:
        await tell(socket, replace(BEGIN, configuration={"model": "echo", "api_version": "v3"}))
        await socket.recv()
        await socket.close(3005, "Server error")

    assert judge(await against(hang_up)).missed == "ended early (3005)"


async def test_no_server_at_all() -> None:
    async with serving_as_told(None) as url:  # type: ignore[arg-type]
        pass
    here, there = multiprocessing.Pipe()
    with here, there:
        (take,), _ = await play(
            BenchServer(url, "key", None, os.getpid(), here), [alone(SPEECH)], {}
        )
    assert judge(take).missed == "did not begin"
