"""The stream by itself, where the law's schedules do not reach."""

import pytest

from turnwire.client import effects, events
from turnwire.client.reconnect import DEFAULT, Budget
from turnwire.client.recording import MemoryRecording
from turnwire.client.stream import TERMINATE, ClientStream

BEGIN = '{"type": "Begin", "id": "s", "expires_at": 0}'
LOUD = b"\x40\x1f" * 16_000
"""A second."""


class Talk:
    """A stream, and what it asks for."""

    def __init__(self, **options: bool) -> None:
        self.stream = ClientStream(
            address="ws://test",
            parameters={},
            recording=MemoryRecording(32_000 * 120),
            budget=Budget(DEFAULT, lambda: 0.0),
            **options,
        )
        self.sent: list[str | bytes] = []
        self.effects: list[effects.Effect] = []
        self.do(events.Started(), 0)
        self.do(events.Opened(1, 0.0), 0)
        self.do(events.Received(1, BEGIN), 0)

    def do(self, event: events.Event, now: float) -> None:
        todo = [event]
        while todo:
            for effect in self.stream.receive(todo.pop(0), now):
                self.effects.append(effect)
                if isinstance(effect, effects.Send):
                    self.sent.append(effect.frame)
                    todo.append(events.Sent(effect.leg))

    def seconds(self) -> float:
        return sum(len(frame) for frame in self.sent if isinstance(frame, bytes)) / 32_000


def test_silence_is_sent_while_the_source_pauses_if_that_is_asked_for() -> None:
    talk = Talk(fill_silence=True)
    talk.do(events.AudioGiven(LOUD), 1)
    for now in range(2, 12):
        talk.do(events.Tick(), now)
    assert talk.seconds() == pytest.approx(11, abs=0.5)
    assert set(b"".join(f for f in talk.sent if isinstance(f, bytes))[64_000:]) == {0}
    talk.do(events.AudioGiven(LOUD), 12)
    talk.do(events.Finished(), 12)
    assert talk.sent[-1] == TERMINATE


def test_without_that_nothing_is() -> None:
    talk = Talk()
    talk.do(events.AudioGiven(LOUD), 1)
    for now in range(2, 12):
        talk.do(events.Tick(), now)
    assert talk.seconds() == 1


def test_a_server_that_ended_by_itself_has_not_heard_what_came_after() -> None:
    """Its Termination crosses with Terminate: its own figure tells."""
    talk = Talk()
    talk.do(events.AudioGiven(LOUD * 5), 1)
    talk.do(events.Finished(), 1)
    talk.do(events.Received(1, '{"type": "Termination", "audio_duration_seconds": 2}'), 1)
    talk.do(events.Disconnected(1, events.CloseFrame(1000, ""), None, True), 1)
    assert talk.stream.closure is None
    talk.do(events.Tick(), 10)
    assert effects.Open(2, {}) in talk.effects


def test_a_server_that_takes_only_real_time_is_paced_for() -> None:
    talk = Talk()
    talk.do(events.AudioGiven(LOUD * 30), 1)
    assert talk.seconds() == 30
    text = "Audio Transmission Rate Exceeded: Received 30.0 sec. audio in 0.1 sec"
    talk.do(events.Received(1, f'{{"type": "Error", "error_code": 3007, "error": "{text}"}}'), 1)
    talk.do(events.Disconnected(1, events.CloseFrame(3007, text), None, True), 1)
    talk.do(events.Tick(), 2)
    talk.do(events.Opened(2, 0.0), 2)
    talk.sent.clear()
    talk.do(events.Received(2, BEGIN), 2)
    for now in range(2, 12):
        talk.do(events.Tick(), now)
    assert 9 <= talk.seconds() <= 12
