import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import soxr
from websockets.asyncio.server import ServerConnection

from tests.client.dictation import DictationEngine, spoken, talk
from tests.client.relay import Cut, relaying
from tests.client.servers import BEGIN, end, serving, tell, turn, until_terminate
from tests.recordings import TWO_CITIES_TEXT, samples
from tests.support import PATIENCE, RATE, Server, quiet
from tests.support import serving as really_serving
from turnwire.accounts.admission import OpenRegistry
from turnwire.client import AsyncClient, Closure, Reconnect, errors
from turnwire.client.messages import Error, Termination, Turn
from turnwire.client.reconnect import Budget
from turnwire.speech.engine import Engine


def test_attempts_in_a_row_come_ever_later() -> None:
    budget = Budget(Reconnect(attempts=6, first_delay=1, longest_delay=10), lambda: 0.0)
    assert [budget.delay(0) for _ in range(7)] == [1, 2, 4, 8, 10, 10, None]


def test_what_the_closure_asks_for_is_kept_to_and_jitter_comes_on_top() -> None:
    for random, delay in ((0.0, 30), (1.0, 45)):
        assert Budget(Reconnect(), itertools.repeat(random).__next__).delay(30) == delay


def test_a_stable_session_gives_all_attempts_back() -> None:
    budget = Budget(Reconnect(attempts=1, stable_seconds=60), lambda: 0.0)
    assert budget.delay(0) == 0.25
    budget.lasted(59)
    assert budget.delay(0) is None
    budget.lasted(60)
    assert budget.delay(0) == 0.25


def test_what_would_end_the_same_way_is_not_tried_again() -> None:
    assert Budget(Reconnect(), lambda: 0.0).delay(None) is None
    assert Budget(None, lambda: 0.0).delay(0) is None


@asynccontextmanager
async def dictation() -> AsyncIterator[Server]:
    async with really_serving(DictationEngine(), registry=OpenRegistry()) as server:
        yield server


def final_turns(turns: list[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.end_of_turn and turn.turn_is_formatted]


async def test_noise_to_the_very_end_is_no_reason_for_another_session() -> None:
    """Nothing comes of it, and the server does not say how much it heard; but it was asked."""

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await until_terminate(socket)
        await tell(socket, Termination())
        await socket.close(1000, "Session Ended")

    async with serving(handler) as url, AsyncClient(url) as client:
        await client.send(spoken([1]) * 20)
    assert client.closure is not None
    assert client.closure.complete
    assert len(client.sessions) == 1


async def transcribed(url: str, audio: bytes) -> tuple[list[Turn], AsyncClient]:
    turns: list[Turn] = []
    async with AsyncClient(
        url, format_turns=True, on_turn=turns.append, random=lambda: 0.0
    ) as client:
        # As a file that is read at once; 100 ms a message, so that cuts fall anywhere.
        for start in range(0, len(audio), 3200):
            await client.send(audio[start : start + 3200])
            await asyncio.sleep(0.0005)
    return turns, client


def words(turns: list[Turn]) -> list[str]:
    return [word.text for turn in final_turns(turns) for word in turn.words]


TWO_MINUTES = talk(200, pause_ms=1400)
"""200 words, four a turn: 120 s."""

CUTS = (None, 3005, 3008)


@pytest.mark.parametrize("frames", [(123, 30, 22), (1, 1, 1), (57, 9, 3), (24, 4, 8)])
async def test_a_stream_that_is_cut_gives_the_undisturbed_transcript(
    frames: tuple[int, ...], hasty: list[float]
) -> None:
    async with dictation() as server:
        undisturbed, _ = await transcribed(server.url, TWO_MINUTES)
        cuts = [Cut(count, code) for count, code in zip(frames, CUTS, strict=True)]
        async with relaying(server.url, cuts) as relay:
            disturbed, client = await transcribed(relay.url, TWO_MINUTES)

    assert words(undisturbed) == [f"w{number}" for number in range(200)]
    assert words(disturbed) == words(undisturbed)
    spans = [(word.start, word.end) for turn in final_turns(disturbed) for word in turn.words]
    assert all(a_end <= b_start for (_, a_end), (b_start, _) in itertools.pairwise(spans))
    expected = [(word.start, word.end) for turn in final_turns(undisturbed) for word in turn.words]
    # The engine hears in blocks of 50 ms from where a session begins.
    apart = [abs(start - at) for (start, _), (at, _) in zip(spans, expected, strict=True)]
    assert max(apart) <= 50
    orders = [turn.turn_order for turn in final_turns(disturbed)]
    assert orders == sorted(set(orders))
    names = [record.closure.name for record in client.sessions if record.closure]
    assert names == ["connection_lost", "server_error", "session_expired", "session_ended"]
    assert client.closure is not None
    assert client.closure.complete


async def test_a_turn_that_was_cut_keeps_its_order_and_is_heard_whole(hasty: list[float]) -> None:
    audio = spoken(range(4)) + quiet(1500) + spoken(range(4, 12)) + quiet(1500)
    async with dictation() as server, relaying(server.url, [Cut(40)]) as relay:
        turns, client = await transcribed(relay.url, audio)
    assert words(turns) == [f"w{number}" for number in range(12)]
    assert [turn.turn_order for turn in final_turns(turns)] == [0, 1]
    assert client.sessions[1].start_ms >= 1000
    # Nothing that the first turn covers is sent again.
    assert len(relay.audio[1]) <= len(audio) - 32_000 + 1600


async def test_what_was_not_answered_before_the_end_is_sent_again(hasty: list[float]) -> None:
    """The connection breaks after Terminate, before the last words are back."""
    connections = itertools.count()

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        frames = await until_terminate(socket)
        if next(connections) == 0:
            socket.transport.abort()
            return
        assert b"".join(frame for frame in frames if isinstance(frame, bytes)) == b"\1" * 3200
        await tell(socket, turn("One."))
        await end(socket)

    turns: list[Turn] = []
    async with serving(handler) as url:
        client = AsyncClient(url, on_turn=turns.append)
        async with client:
            await client.send(b"\1" * 3200)
    assert turns == [turn("One.")]
    assert client.closure is not None
    assert client.closure.complete


async def test_a_server_that_refuses_to_go_on_ends_the_stream(
    caplog: pytest.LogCaptureFixture, hasty: list[float]
) -> None:
    connections = itertools.count()

    async def handler(socket: ServerConnection) -> None:
        if next(connections) == 0:
            await tell(socket, BEGIN)
            socket.transport.abort()
        else:
            text = "Unauthorized Connection: Insufficient balance"
            await tell(socket, Error(error_code=1008, error=text))
            await socket.close(1008, text)

    calls: list[object] = []
    async with (
        serving(handler) as url,
        AsyncClient(
            url,
            on_error=calls.append,
            on_close=calls.append,
        ) as client,
    ):
        pass
    assert [type(call) for call in calls] == [errors.Unauthorized, Closure]
    assert calls[1] is client.closure
    assert next(connections) == 2
    assert [record.closure.name for record in client.sessions if record.closure] == [
        "connection_lost"
    ]
    assert "connecting again in" in caplog.text


async def test_attempts_end(hasty: list[float]) -> None:
    connections = itertools.count()

    async def handler(socket: ServerConnection) -> None:
        next(connections)
        await tell(socket, BEGIN)
        socket.transport.abort()

    async with serving(handler) as url:
        with pytest.raises(errors.ConnectionLost):
            async with AsyncClient(
                url, random=lambda: 0.0, reconnect=Reconnect(attempts=3)
            ) as client:
                async for _ in client:
                    pass
    assert next(connections) == 4
    assert hasty == [0.25, 0.5, 1]
    assert len(client.sessions) == 4


async def test_changes_hold_in_later_sessions_too(hasty: list[float]) -> None:
    paths: list[str] = []
    updated = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        paths.append(socket.request.path)
        await tell(socket, BEGIN)
        if len(paths) == 1:
            await socket.recv()
            updated.set()
            socket.transport.abort()
        await until_terminate(socket)
        await end(socket)

    async with serving(handler) as url, AsyncClient(url) as client:
        await client.update(min_turn_silence=300)
        await updated.wait()
    assert paths == ["/v3/ws", "/v3/ws?min_turn_silence=300"]


async def test_sending_waits_when_too_much_is_unsent(hasty: list[float]) -> None:
    """While a connection is restored, audio is kept, but not without end."""
    back = asyncio.Event()
    connections = itertools.count()

    async def handler(socket: ServerConnection) -> None:
        if next(connections):
            await back.wait()
        await tell(socket, BEGIN)
        if next(connections) == 1:
            socket.transport.abort()
        await until_terminate(socket)
        await end(socket)

    async with serving(handler) as url, AsyncClient(url) as client:
        minute = bytes(32_000 * 60)
        while not (client.sessions and client.sessions[0].closure):
            await asyncio.sleep(0.001)
        await client.send(minute)
        sending = asyncio.create_task(client.send(minute))
        await asyncio.sleep(0.02)
        assert not sending.done()
        back.set()
        await sending
    assert client.closure is not None
    assert client.closure.complete


async def test_giving_up_while_the_next_session_opens(hasty: list[float]) -> None:
    opening = asyncio.Event()
    connections = itertools.count()

    async def handler(socket: ServerConnection) -> None:
        if next(connections) == 0:
            await tell(socket, BEGIN)
            socket.transport.abort()
        else:
            opening.set()
            await socket.wait_closed()

    async with serving(handler) as url:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ZeroDivisionError):
                async with AsyncClient(url) as client:
                    await opening.wait()
                    raise ZeroDivisionError
    assert client.closure is not None
    assert client.closure.name == "connection_lost"


async def test_giving_up_while_a_connection_is_restored() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        socket.transport.abort()

    async with serving(handler) as url:
        with pytest.raises(ZeroDivisionError):
            async with AsyncClient(url, random=lambda: 1.0) as client:
                while not (client.sessions and client.sessions[0].closure):
                    await asyncio.sleep(0.001)
                raise ZeroDivisionError
    assert client.closure is not None
    assert client.closure.name == "connection_lost"


async def test_real_speech_that_is_cut_within_words_is_heard_as_if_it_were_not(
    hasty: list[float], tiny_en: Callable[[], Engine]
) -> None:
    recorded, rate = samples("two_cities.wav")
    audio = soxr.resample(recorded, rate, RATE).astype("<i2").tobytes()
    turns: list[Turn] = []
    async with really_serving(tiny_en(), registry=OpenRegistry()) as server:
        cuts = [Cut(130), Cut(6, 3005), Cut(4, 3008)]
        async with (
            relaying(server.url, cuts) as relay,
            AsyncClient(relay.url, format_turns=True, on_turn=turns.append) as client,
        ):
            for start in range(0, len(audio), 3200):
                await client.send(audio[start : start + 3200])
                await asyncio.sleep(0.02)
    assert len(client.sessions) == 4
    heard = re.findall(r"[a-z]+", " ".join(words(turns)).lower())
    assert heard == re.findall(r"[a-z]+", TWO_CITIES_TEXT.lower())
