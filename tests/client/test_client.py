import threading
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from tests.cli.conftest import serving_in_thread
from tests.client.servers import BEGIN, end, tell, turn, until_terminate
from tests.client.test_files import tone, write_wav
from tests.leftovers import Running
from tests.support import PATIENCE
from turnwire.client import AudioFileError, Client, errors
from turnwire.client.messages import Begin, Turn


async def polite(socket: ServerConnection) -> None:
    await tell(socket, BEGIN)
    frames = await until_terminate(socket)
    await tell(socket, turn(f"{len(frames)} frames."))
    await end(socket)


def test_a_whole_stream_blocks_until_its_end(tmp_path: Path) -> None:
    before = Running.now()
    path = write_wav(tmp_path / "a.wav", tone(0.3, 16_000), 16_000)
    progress: list[tuple[float, float | None]] = []
    threads: set[str] = set()

    def hear(turn: Turn) -> None:
        threads.add(threading.current_thread().name)
        heard.append(turn.transcript)

    heard: list[str] = []
    with (
        serving_in_thread(polite) as url,
        Client(url, on_turn=hear, token=lambda: "t") as client,
    ):
        client.stream([bytes(1600), bytes(1600)])
        client.stream_file(path, progress=lambda *seconds: progress.append(seconds))
        with pytest.raises(AudioFileError, match="no audio track de"):
            client.stream_file(path, track="de")
        client.force_endpoint()
        client.update(min_turn_silence=300)
        client.keep_alive()
    assert heard == ["7 frames."]
    assert progress == [(0.1, 0.3), (0.2, 0.3), (pytest.approx(0.3), 0.3)]
    assert threads == {"turnwire-handlers_0"}
    assert client.closure is not None
    assert client.closure.complete
    assert client.audio_seconds == pytest.approx(0.4)
    assert [record.closure for record in client.sessions] == [client.closure]
    assert not (Running.now() - before).threads


def test_turns_can_be_iterated_after_the_end_too() -> None:
    with serving_in_thread(polite) as url:
        client = Client(url)
        assert client.connect() == BEGIN
        client.terminate()
        assert [turn.transcript for turn in client] == ["0 frames."]
        client.close()
        assert list(client) == []
        with pytest.raises(errors.SessionEnded):
            client.send(b"")


@pytest.mark.parametrize("name", ["on_begin", "on_turn", "on_close"])
def test_a_handler_may_use_the_client(name: str) -> None:
    closed = threading.Event()

    def close(_: object) -> None:
        client.close()
        closed.set()

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("One."))
        await until_terminate(socket)
        await end(socket)

    with serving_in_thread(handler) as url:
        client = Client(url, **{name: close})  # type: ignore[arg-type]
        with client:
            if name == "on_close":
                client.terminate()
            assert closed.wait(PATIENCE)
    assert client.closure is not None
    assert client.closure.complete


def test_a_refusal_leaves_nothing_behind() -> None:
    before = Running.now()

    async def handler(socket: ServerConnection) -> None:
        await socket.close(1013, "try again later")

    with serving_in_thread(handler) as url:
        client = Client(url)
        with pytest.raises(errors.NoCapacity):
            client.connect()
        client.close()
    assert not (Running.now() - before).threads


def test_a_handler_that_fails_is_reported() -> None:
    def fail(begin: Begin) -> None:
        raise ZeroDivisionError

    with serving_in_thread(polite) as url:
        client = Client(url, on_begin=fail)
        client.connect()
        with pytest.raises(errors.HandlerFailed):
            client.close()
    assert client.closure is not None


def test_leaving_by_an_exception_closes_at_once() -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await socket.wait_closed()

    with (
        serving_in_thread(handler) as url,
        pytest.raises(ZeroDivisionError),
        Client(url) as client,
    ):
        raise ZeroDivisionError
    assert client.closure is not None
    assert client.closure.name == "closed_here"


def test_what_is_under_way_when_a_program_gives_up_is_ended() -> None:
    before = Running.now()

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await socket.wait_closed()

    with serving_in_thread(handler) as url:
        client = Client(url)
        client.connect()
        client._stop()  # As when Ctrl-C interrupts `__exit__`.
    assert not (Running.now() - before).threads
