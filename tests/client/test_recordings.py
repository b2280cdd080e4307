"""Recordings: as fast as they are heard where the server says so, and else as they were spoken."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from tests.client.servers import BEGIN, end, tell, turn, until_terminate
from tests.client.servers import serving as foreign
from tests.client.test_files import write_wav
from tests.client.test_pacing import InventedClock
from tests.client.test_stream import LOUD, Talk
from tests.support import serving
from turnwire.client import AsyncClient, Progress, ServerMessage, Turn, effects
from turnwire.client import events as happened
from turnwire.client.pace import BURST_SECONDS, RecordingPace
from turnwire.client.reconnect import DEFAULT
from turnwire.client.sending import KEEP_ALIVE, TERMINATE
from turnwire.clock import Timer

RATE = 8000
WINDOWED = json.dumps({"type": "Begin", "id": "s", "expires_at": 0, "recording_window_ms": 5000})


def progress(seconds: float) -> str:
    return json.dumps({"type": "Progress", "audio_heard_ms": round(1000 * seconds)})


@pytest.fixture
def talk() -> Talk:
    """A session of a recording that may be five seconds ahead."""
    return Talk(begin=WINDOWED, recording=True)


def test_a_window_is_open_until_as_much_waits() -> None:
    window = RecordingPace(5.0)
    for second in range(5):
        assert window.due() < 0
        window.sent(1.0, second)
    assert (window.due(), window.ahead(1e9)) == (float("inf"), 5.0)
    window.heard(2.5, 5.0)
    window.heard(1.0, 5.0)  # what comes late
    assert window.due() < 0
    assert window.ahead(0.0) == 2.5


def test_no_more_is_sent_than_the_server_allows_and_all_that_it_does(talk: Talk) -> None:
    for second in range(8):
        talk.do(happened.AudioGiven(LOUD), second / 1000)
    assert talk.seconds() == 5
    talk.do(happened.Received(1, progress(2.0)), 0.1)
    assert talk.seconds() == 7
    talk.do(happened.Received(1, progress(1.0)), 0.1)
    assert talk.seconds() == 7
    talk.do(happened.Received(1, progress(5.0)), 0.2)
    talk.do(happened.Finished(), 0.3)
    assert talk.seconds() == 8
    assert talk.sent[-1] == TERMINATE


def test_a_session_that_waits_for_the_server_is_kept_alive(talk: Talk) -> None:
    for _ in range(8):
        talk.do(happened.AudioGiven(LOUD), 0.0)
    due = talk.stream.deadline()
    while due is not None and due < 16 and KEEP_ALIVE not in talk.sent:
        talk.do(happened.Ponged(1), due)
        talk.do(happened.Tick(), due)
        due = talk.stream.deadline()
    assert talk.sent[-1] == KEEP_ALIVE
    assert talk.seconds() == 5


def test_whoever_reads_a_recording_waits_until_it_was_sent(talk: Talk) -> None:
    given = 0
    while not talk.stream.is_full:
        talk.do(happened.AudioGiven(LOUD), 0.0)
        given += 1
    assert given == 7


def test_the_last_words_may_take_as_long_as_what_waits_and_longer_as_it_gets_on(
    talk: Talk,
) -> None:
    for _ in range(5):
        talk.do(happened.AudioGiven(LOUD), 0.0)
    talk.do(happened.Finished(), 0.0)
    talk.do(happened.Ponged(1), 0.0)
    for now, heard in ((34, 2.0), (66, 4.0), (96, 5.0)):
        talk.do(happened.Ponged(1), now)
        talk.do(happened.Tick(), now)
        talk.do(happened.Received(1, progress(heard)), now)
    talk.end(1, 120, audio_duration_seconds=5)
    assert talk.stream.closure is not None
    assert talk.stream.closure.complete


@pytest.mark.parametrize("window", [None, 0, -5, "soon", {}])
def test_a_server_that_names_no_window_gets_what_servers_take(window: object) -> None:
    talk = Talk(begin=json.dumps(json.loads(WINDOWED) | {"recording_window_ms": window}))
    for _ in range(100):
        talk.do(happened.AudioGiven(LOUD), 0.0)
    talk.do(happened.Received(1, progress(100.0)), 0.0)
    assert talk.seconds() == BURST_SECONDS + 1


def pass_time(talk: Talk, until: float, leg: int = 1) -> None:
    """Let it pass, with a server that answers pings."""
    while (due := talk.stream.deadline()) is not None and due < until:
        talk.do(happened.Ponged(leg), due)
        talk.do(happened.Tick(), due)


def test_a_server_that_does_not_get_on_is_given_up(talk: Talk) -> None:
    for _ in range(8):
        talk.do(happened.AudioGiven(LOUD), 0.0)
    pass_time(talk, 100)
    talk.do(happened.Received(1, progress(0.5)), 100)
    talk.do(happened.Received(1, progress(0.5)), 200)
    pass_time(talk, 219)
    assert talk.stream.records[0].closure is None
    pass_time(talk, 221)
    closure = talk.stream.records[0].closure
    assert closure is not None
    assert (closure.name, closure.story[-1]) == ("connection_lost", "received no Progress")
    assert closure.retryable


def test_a_window_that_is_open_is_no_reason_to_give_up(talk: Talk) -> None:
    for _ in range(4):
        talk.do(happened.AudioGiven(LOUD), 0.0)
    pass_time(talk, 1000)
    assert talk.stream.records[0].closure is None


def test_a_server_that_never_gets_on_is_tried_no_more_often_than_one_that_is_lost() -> None:
    talk = Talk(begin=WINDOWED, recording=True)
    for _ in range(8):
        talk.do(happened.AudioGiven(LOUD), 0.0)
    leg = 1
    while (due := talk.stream.deadline()) is not None and due < 3600:
        talk.do(happened.Ponged(leg), due)
        talk.do(happened.Tick(), due)
        opened = max(each.leg for each in talk.effects if isinstance(each, effects.Open))
        if opened > leg:
            leg = opened
            talk.begin(leg, due)
    assert talk.stream.closure is not None
    assert len(talk.stream.records) == 1 + DEFAULT.attempts


def test_a_window_that_was_not_asked_for_counts_for_nothing() -> None:
    talk = Talk(begin=WINDOWED)
    for _ in range(100):
        talk.do(happened.AudioGiven(LOUD), 0.0)
    assert talk.seconds() == BURST_SECONDS + 1
    assert not talk.stream.takes_recordings


async def test_a_file_that_is_longer_than_the_allowance_is_heard_whole_at_once(
    tmp_path: Path,
) -> None:
    phrase = np.concatenate([np.full(RATE, 8000), np.zeros(2 * RATE)])
    path = write_wav(tmp_path / "a.wav", np.tile(phrase, 40).astype("<i2"), RATE)
    turns: list[Turn] = []
    heard: list[int] = []

    def note(message: ServerMessage) -> None:
        if isinstance(message, Progress):
            heard.append(message.audio_heard_ms)

    async with serving(ahead_seconds=20) as server:
        client = AsyncClient(
            server.url,
            api_key=server.key,
            sample_rate=RATE,
            recording=True,
            on_turn=turns.append,
            on_event=note,
        )
        async with client:
            assert client.takes_recordings
            await client.stream_file(path)
    assert client.closure is not None
    assert client.closure.complete
    ended = [turn for turn in turns if turn.end_of_turn]
    assert len(ended) == 40
    assert [turn.words[0].start for turn in ended] == [3000 * number for number in range(40)]
    assert heard == sorted(heard)
    assert heard[-1] > 110_000


async def test_other_servers_get_a_file_as_fast_as_it_was_spoken(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.zeros(3 * RATE, "<i2"), RATE)

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await until_terminate(socket)
        await tell(socket, turn("Yes."))
        await end(socket)

    class Impatient(InventedClock):
        """Does not wait for a next chunk; for all else it does."""

        def call_at(self, when: float, call: Callable[[], None]) -> Timer:
            if when - self.time < 1:
                return super().call_at(when, call)
            return asyncio.get_running_loop().call_later(when - self.time, call)

    clock = Impatient()
    async with foreign(handler) as url:
        client = AsyncClient(url, sample_rate=RATE, recording=True, clock=clock)
        async with client:
            assert not client.takes_recordings
            began = clock.time
            await client.stream_file(path)
            assert clock.time - began >= 3
