import asyncio
import itertools
import re
from collections.abc import Callable

import soxr

from tests.client.dictation import DictationEngine, talk
from tests.recordings import TWO_CITIES_TEXT, samples
from tests.support import RATE, ManualClock, serving
from turnwire.accounts.admission import Grant, OpenRegistry, allow
from turnwire.client import AsyncClient
from turnwire.client.messages import Turn
from turnwire.clock import Timer
from turnwire.speech.engine import Engine

SESSION_SECONDS = 20


class ShortLived(OpenRegistry):
    """Lets anybody in, for 20 seconds."""

    async def begin(
        self, session: str, credential: str | None, *, check: Callable[[], None] = allow
    ) -> Grant:
        return Grant(max_seconds=SESSION_SECONDS)


class SharedTime:
    """The server's clock, as a client's; goes on when the audio does."""

    def __init__(self) -> None:
        self.server = ManualClock()

    def now(self) -> float:
        return self.server.now()

    def unix_time(self) -> float:
        return self.server.unix_time()

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        return self.server.call_at(when, call)

    async def pass_time(self, seconds: float) -> None:
        self.server.advance(seconds)
        # For what has to go through sockets meanwhile.
        await asyncio.sleep(0.004)


async def streamed(engine: Engine, audio: bytes) -> tuple[list[Turn], AsyncClient]:
    """The audio at the pace of a clock that stands still while a session has its last words."""
    time = SharedTime()
    turns: list[Turn] = []
    async with serving(engine, clock=time.server, registry=ShortLived()) as server:
        client = AsyncClient(server.url, format_turns=True, on_turn=turns.append, clock=time)
        async with client:
            for start in range(0, len(audio), RATE // 5):
                await client.send(audio[start : start + RATE // 5])
                await time.pass_time(0.1)
                while len(client._stream.legs.in_order) > 1:
                    await asyncio.sleep(0.001)
    return [turn for turn in turns if turn.end_of_turn and turn.turn_is_formatted], client


def check(turns: list[Turn], client: AsyncClient, *, sessions: int) -> None:
    closures = [record.closure.name for record in client.sessions if record.closure]
    assert closures == ["session_ended"] * sessions
    assert [turn.turn_order for turn in turns] == list(range(len(turns)))
    words = [word for turn in turns for word in turn.words]
    assert all(one.end <= two.start for one, two in itertools.pairwise(words))


async def test_words_and_times_are_those_of_one_session() -> None:
    turns, client = await streamed(DictationEngine(), talk(120, pause_ms=900))
    check(turns, client, sessions=4)
    words = [word for turn in turns for word in turn.words]
    assert [word.text for word in words] == [f"w{number}" for number in range(120)]
    # Four words a second, then 900 ms of silence.
    due = [number * 250 + number // 4 * 900 for number in range(120)]
    assert max(abs(word.start - at) for word, at in zip(words, due, strict=True)) <= 50


async def test_if_nobody_pauses_the_session_expires_and_nothing_is_lost() -> None:
    turns, client = await streamed(DictationEngine(), talk(160, turn=160))
    closures = [record.closure.name for record in client.sessions if record.closure]
    assert closures == ["session_expired", "session_expired", "session_ended"]
    words = [word.text for turn in turns for word in turn.words]
    assert words == [f"w{number}" for number in range(160)]


async def test_a_passage_of_dickens_loses_no_word(tiny_en: Callable[[], Engine]) -> None:
    recorded, rate = samples("two_cities.wav")
    audio = soxr.resample(recorded, rate, RATE).astype("<i2").tobytes()
    turns, client = await streamed(tiny_en(), audio)
    check(turns, client, sessions=3)
    heard = re.findall(r"[a-z]+", " ".join(turn.transcript for turn in turns).lower())
    assert heard == re.findall(r"[a-z]+", TWO_CITIES_TEXT.lower())
