"""What processes tell each other, and the connections that one hands to another."""

import asyncio
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.workers.clockwork import played, put_forward, until
from turnwire.transport.arrivals import RETRY_SECONDS
from turnwire.transport.notices import Notices
from turnwire.workers import channel
from turnwire.workers.channel import Channel, Message, hear, say
from turnwire.workers.handing import Handed, hand


async def test_what_is_too_long_ends_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel, "LONGEST_BYTES", 100_000)
    one, other = socket.socketpair()
    taken: list[Message] = []
    telling = await Channel.over(one, taken.append)
    taking = await Channel.over(other, taken.append)
    telling.tell("answer", text="x" * 200_000)
    telling.tell("answer", text="short")
    await until(lambda: taken)
    assert taken == [{"kind": "answer", "text": "short"}]
    assert "'answer' is too long: 200" in caplog.text
    assert not taking.gone.done()
    telling.close()
    await taking.gone


def test_who_is_gone_is_told_nothing() -> None:
    one, other = socket.socketpair()
    with one:
        say("failed", over=other, text="why")
        say("next", over=other)
        # What follows is left for another.
        assert hear(one) == {"kind": "failed", "text": "why"}
        assert hear(one) == {"kind": "next"}
        other.close()
        assert hear(one) is None
        say("failed", over=one, text="why")


@contextmanager
def no_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_without_descriptors_says_so_and_goes_on_when_it_has_some(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        over, theirs = socket.socketpair()
        over.setblocking(False)
        handed = Handed(theirs, "ws://here")
        welcomed: list[socket.socket] = []
        [arrivals] = handed.arrivals(Notices())
        client, lost = socket.socketpair()
        other_client, kept = socket.socketpair()
        with over, client, other_client:
            assert hand(lost, over)
            with no_descriptors():
                arrivals.start(lambda connection, _: welcomed.append(connection))
                await until(lambda: handed.received == 1)
            assert "no connection can be accepted: " + os.strerror(24) in caplog.text
            assert client.recv(1) == b""
            assert hand(kept, over)
            # Nothing is taken meanwhile, or it would be lost as well.
            for _ in range(3):
                await asyncio.sleep(0)
            assert handed.received == 1
            put_forward(RETRY_SECONDS)
            await until(lambda: welcomed)
            with welcomed[0] as connection:
                connection.sendall(b"hello")
                assert other_client.recv(5) == b"hello"
            arrivals.stop()

    played(test())
