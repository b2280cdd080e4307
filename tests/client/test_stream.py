"""The stream by itself, where the law's schedules do not reach."""

import json

import pytest

from turnwire.client import effects, events
from turnwire.client.reconnect import DEFAULT, Budget, Reconnect
from turnwire.client.recording import MemoryRecording
from turnwire.client.sending import TERMINATE
from turnwire.client.stream import ClientStream

BEGIN = '{"type": "Begin", "id": "s", "expires_at": 0}'
LOUD = b"\x40\x1f" * 16_000
"""A second."""


class Talk:
    """A stream, and what it asks for."""

    def __init__(
        self,
        *,
        reconnect: Reconnect | None = DEFAULT,
        begin: str = BEGIN,
        recording: bool = False,
        **options: bool,
    ) -> None:
        self._begin = begin
        self.stream = ClientStream(
            address="ws://test",
            parameters={"recording": True} if recording else {},
            recording=MemoryRecording(32_000 * 120),
            budget=Budget(reconnect, lambda: 0.0),
            **options,
        )
        self.sent: list[str | bytes] = []
        self.effects: list[effects.Effect] = []
        self.do(events.Started(), 0)
        self.begin(1, 0)

    def begin(self, leg: int, now: float) -> None:
        self.do(events.Opened(leg, 0.0), now)
        self.do(events.Received(leg, self._begin), now)

    def end(self, leg: int, now: float, **figures: float | None) -> None:
        self.do(events.Received(leg, json.dumps({"type": "Termination", **figures})), now)
        self.do(events.Disconnected(leg, events.CloseFrame(1000, ""), None, True), now)

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
    talk.do(events.Ponged(1), 1)
    talk.end(1, 1, audio_duration_seconds=2)
    assert talk.stream.closure is None
    talk.do(events.Tick(), 10)
    assert effects.Open(2, {}) in talk.effects


NO_FIGURES: list[dict[str, float | None]] = [
    {},
    {"audio_duration_seconds": None},
    {"audio_duration_seconds": 0},
]


@pytest.mark.parametrize("figures", NO_FIGURES)
def test_an_end_behind_the_pong_is_the_one_that_was_asked_for(
    figures: dict[str, float | None],
) -> None:
    talk = Talk()
    talk.do(events.AudioGiven(LOUD * 5), 1)
    talk.do(events.Finished(), 1)
    assert talk.effects.index(effects.Ping(1)) < talk.effects.index(effects.Send(1, TERMINATE))
    talk.do(events.Ponged(1), 1)
    talk.end(1, 1, **figures)
    assert talk.stream.closure is not None
    assert talk.stream.closure.complete


@pytest.mark.parametrize("seconds", [4.6, 5, 5.4])
def test_a_figure_may_be_rounded(seconds: float) -> None:
    talk = Talk()
    talk.do(events.AudioGiven(LOUD * 5), 1)
    talk.do(events.Finished(), 1)
    talk.do(events.Ponged(1), 1)
    talk.end(1, 1, audio_duration_seconds=round(seconds))
    assert talk.stream.closure is not None
    assert talk.stream.closure.complete


@pytest.mark.parametrize("figures", [*NO_FIGURES, {"audio_duration_seconds": 5}])
def test_an_end_ahead_of_the_pong_leaves_what_was_sent_in_doubt(
    figures: dict[str, float | None],
) -> None:
    """It is sent once more, and silence behind it, by which the figure tells even without pongs."""
    talk = Talk()
    talk.do(events.AudioGiven(LOUD * 5), 1)
    talk.do(events.Finished(), 1)
    talk.end(1, 1, **figures)
    talk.do(events.Tick(), 2)
    talk.sent.clear()
    talk.begin(2, 2)
    assert talk.seconds() == 7
    assert talk.sent[-1] == TERMINATE
    talk.end(2, 2, audio_duration_seconds=7)
    assert talk.stream.closure is not None
    assert talk.stream.closure.complete
    assert len(talk.stream.records) == 2


def test_a_doubt_that_remains_is_a_gap() -> None:
    talk = Talk(reconnect=None)
    talk.do(events.AudioGiven(LOUD * 5), 1)
    talk.do(events.Finished(), 1)
    talk.end(1, 1, audio_duration_seconds=5)
    assert talk.stream.closure is not None
    assert [(gap.start, gap.end) for gap in talk.stream.closure.gaps] == [(0, 5000)]


def test_an_end_ahead_of_the_pong_costs_nothing_that_turns_cover() -> None:
    talk = Talk(reconnect=None)
    talk.do(events.AudioGiven(LOUD * 5 + bytes(32_000)), 1)
    talk.do(events.Finished(), 1)
    words = [{"text": "loud", "start": 0, "end": 5000}]
    turn = {"type": "Turn", "turn_order": 0, "end_of_turn": True, "words": words}
    talk.do(events.Received(1, json.dumps(turn)), 1)
    talk.end(1, 1)
    assert talk.stream.closure is not None
    assert talk.stream.closure.complete


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
