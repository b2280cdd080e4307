"""A stream, servers that speak the protocol over no sockets, and a schedule of what goes wrong.

Audio has 1000 samples a second, so that a sample is a millisecond. A word is 250 ms of one
loudness, which tells the servers which word it is.
"""

import itertools
import json
from array import array
from dataclasses import dataclass, field
from typing import Any

from turnwire.client import effects, events
from turnwire.client.closures import ClosedBy, Closure, Gap
from turnwire.client.messages import Turn
from turnwire.client.reconnect import Budget, Reconnect
from turnwire.client.recording import MemoryRecording
from turnwire.client.rows import UNREACHABLE
from turnwire.client.sending import FORCE_ENDPOINT, KEEP_ALIVE, TERMINATE
from turnwire.client.stream import ClientStream

WORD_MS = 250
PAUSES_MS = (100, 400, 1500)
TURN_PAUSE_MS = 300
"""So long a pause ends a turn."""

RECOGNIZED_MS = 60
"""What is left of a word, if a session begins or ends in it, is heard as that word from here on."""

PING = "ping"
PONG = "pong"

_QUIETEST = 4000
_STEP = 50
EXPIRES = 10_800

WINDOW_MS = 5000
TOLD_MS = 800
"""How far ahead of what it heard a server lets a recording be, and how often it tells of that."""


def spoken(word: int) -> bytes:
    return array("h", [_QUIETEST + _STEP * word] * WORD_MS).tobytes()


class FakeServer:
    """One session of a server: hears what it is sent, when it gets around to it."""

    def __init__(self, *, recording: bool = False) -> None:
        """`recording`: it takes one as fast as it hears it, and no faster."""
        self._recording = recording
        self._told = 0
        self.opened = False
        self.begun = False
        self.inbox: list[str | bytes] = []
        self.outbox: list[str] = []
        self.close: events.CloseFrame | None = None
        self.finals: list[str] = []
        self._heard = 0
        self._run: list[int] | None = None  # loudness, start, end
        self._quiet_since: int | None = None
        self._words: list[tuple[int, int, int]] = []
        self._order = 0
        self._ended = False

    def say(self, **message: Any) -> None:
        self.outbox.append(json.dumps(message))

    def begin(self, unix_time: float) -> None:
        self.begun = True
        window = {"recording_window_ms": WINDOW_MS} if self._recording else {}
        self.say(type="Begin", id="s", expires_at=int(unix_time) + EXPIRES, **window)

    def work(self) -> None:
        """Deal with everything that has come."""
        for frame in self.inbox:
            if self._ended:
                break
            if isinstance(frame, bytes):
                self._hear(frame)
            elif frame == PING:
                self.outbox.append(PONG)
            elif frame == TERMINATE:
                self.end(self.heard_seconds)
            elif frame == FORCE_ENDPOINT:
                self.drain()
        self.inbox.clear()

    @property
    def waiting_ms(self) -> int:
        """How much has come of a recording, and is more than was told to be heard."""
        came = sum(len(frame) // 2 for frame in self.inbox if isinstance(frame, bytes))
        return self._heard + came - self._told

    @property
    def heard_seconds(self) -> int:
        return round(self._heard / 1000)

    def end(self, heard_seconds: int | None) -> None:
        """End in good order, asked or not; whether it tells how much it heard depends."""
        self.drain()
        told = {} if heard_seconds is None else {"audio_duration_seconds": heard_seconds}
        self.say(type="Termination", **told)
        self.close = events.CloseFrame(1000, "Session Ended")
        self._ended = True

    def drain(self) -> None:
        self._end_run()
        self._end_turn()

    def _hear(self, frame: bytes) -> None:
        samples = array("h", frame)
        for level, group in itertools.groupby(samples):
            length = sum(1 for _ in group)
            if self._run is not None and self._run[0] == level:
                self._run[2] += length
            elif level:
                self._end_run()
                self._run = [level, self._heard, self._heard + length]
                self._quiet_since = None
            else:
                self._end_run()
            self._heard += length
            if self._recording and self._heard - self._told >= TOLD_MS:
                self._told = self._heard
                self.say(type="Progress", audio_heard_ms=self._heard)
            if level == 0:
                if self._quiet_since is None:
                    self._quiet_since = self._heard - length
                if self._heard - self._quiet_since >= TURN_PAUSE_MS:
                    self._end_turn()

    def _end_run(self) -> None:
        if self._run is None:
            return
        level, start, end = self._run
        self._run = None
        if end - start >= RECOGNIZED_MS:
            self._words.append(((level - _QUIETEST) // _STEP, start, end))
            self._turn(ended=False)

    def _end_turn(self) -> None:
        if self._words:
            self._turn(ended=True)
            self.finals.append(self.outbox[-1])
            self._order += 1
            self._words = []

    def _turn(self, *, ended: bool) -> None:
        words = [
            {"text": str(word), "start": start, "end": end, "confidence": 1.0}
            for word, start, end in self._words
        ]
        self.say(type="Turn", turn_order=self._order, end_of_turn=ended, words=words)


@dataclass
class World:
    """The stream and its surroundings; `act` is one step of a schedule."""

    capacity_ms: int = 10_000
    rereads: bool = False
    recording: bool = False
    now: float = 0.0
    said: int = 0
    """How many words were given."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    servers: dict[int, FakeServer] = field(default_factory=dict)
    stalled: bool = False
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    _given: bytearray = field(default_factory=bytearray)
    _rest: bytes = b""

    def __post_init__(self) -> None:
        self.stream = ClientStream(
            address="ws://test",
            parameters={"sample_rate": 1000, "recording": self.recording},
            recording=MemoryRecording(self.capacity_ms * 2),
            budget=Budget(Reconnect(attempts=6), lambda: 0.0),
        )
        self.do(events.Started())

    @property
    def unix_time(self) -> float:
        return 1_800_000_000 + self.now

    # The shell.

    def do(self, event: events.Event) -> None:
        todo = [event]
        while todo:
            for effect in self.stream.receive(todo.pop(0), self.now):
                todo += self._carry_out(effect)

    def _carry_out(self, effect: effects.Effect) -> list[events.Event]:
        match effect:
            case effects.Open():
                self.servers[effect.leg] = FakeServer(recording=self.recording)
            case effects.Send():
                assert len(effect.frame) <= 2000 or isinstance(effect.frame, str)
                server = self.servers[effect.leg]
                if effect.frame != KEEP_ALIVE:
                    server.inbox.append(effect.frame)
                assert not self.recording or server.waiting_ms < WINDOW_MS + 1000
                return [events.Sent(effect.leg)]
            case effects.Ping():
                if not self.stalled:
                    self.servers[effect.leg].inbox.append(PING)
            case effects.Close():
                self.servers.pop(effect.leg)
                frame = events.CloseFrame(1000, "")
                return [events.Disconnected(effect.leg, None, frame, False)]
            case effects.Drop():
                self.servers.pop(effect.leg, None)
            case effects.Reread():
                audio = bytes(self._given[effect.start : effect.end])
                return [events.AudioReread(effect.leg, audio)]
            case effects.Call():
                self.calls.append((effect.name, effect.arguments))
            case effects.Log():
                pass
        return []

    # What may happen.

    def act(self, name: str, number: int) -> None:
        if self.stream.closure is None:
            getattr(self, name)(number)

    def talk(self, number: int) -> None:
        """The next word, and a pause."""
        if self.stream.timeline.finished or self.stream.is_full:
            return
        self._give(self._rest)
        start = len(self._given) // 2
        audio = spoken(self.said) + bytes(2 * PAUSES_MS[number % len(PAUSES_MS)])
        self.spans.append((start, start + WORD_MS))
        self.said += 1
        # Now and then the second half of a word comes later.
        half = WORD_MS if number > 7 else len(audio)
        self._rest = audio[half:]
        self._give(audio[:half])

    def _give(self, audio: bytes) -> None:
        self._given += audio
        self.do(events.AudioGiven(audio, self.rereads))

    def force(self, number: int) -> None:
        if not self.stream.timeline.finished and not self._rest:
            self.do(events.MessageGiven(FORCE_ENDPOINT, forces=True))

    def wait(self, number: int) -> None:
        """Time goes on: a moment, or to whatever is due next."""
        due = self.stream.deadline()
        self.now = max(self.now + 0.1 * number, due or 0.0) if number > 3 else self.now + 0.1
        self.do(events.Tick())

    def serve(self, number: int) -> None:
        """A server does what is to be done."""
        if (found := self._pick(number)) is None:
            return
        leg, server = found
        if not server.opened:
            server.opened = True
            self.do(events.Opened(leg, self.unix_time))
        elif not server.begun:
            server.begin(self.unix_time)
        else:
            server.work()

    def deliver(self, number: int) -> None:
        """What a server said arrives, or some of it; then its close."""
        if (found := self._pick(number)) is None:
            return
        leg, server = found
        # The last words come at once.
        for _ in range(number % 4 + 1 if server.close is None else len(server.outbox)):
            if not server.outbox or leg not in self.servers:
                break
            self._receive(leg, server)
        if server.close is not None and not server.outbox and leg in self.servers:
            self._end(leg, server.close)

    def everything(self, number: int) -> None:
        """All is well for a moment."""
        for leg, server in list(self.servers.items()):
            if not server.opened:
                server.opened = True
                self.do(events.Opened(leg, self.unix_time))
            if not server.begun:
                server.begin(self.unix_time)
            server.work()
            self._receive_all(leg, server)
            if server.close is not None and leg in self.servers:
                self._end(leg, server.close)

    def drop(self, number: int) -> None:
        if (found := self._pick(number)) is not None:
            self._end(found[0], None)

    def close(self, number: int) -> None:
        """A close frame out of the blue."""
        if (found := self._pick(number)) is not None and found[1].opened:
            code = (1000, 1001, 1005, 1011, 1012, 3005, 3008)[number % 7]
            self._end(found[0], events.CloseFrame(code, ""))

    def fail(self, number: int) -> None:
        """An Error, after the last words or without them, and a close, or none."""
        if (found := self._pick(number)) is None or not found[1].begun:
            return
        leg, server = found
        server.work()
        if number % 2:
            server.drain()
        texts = {3005: "Session Cancelled: An error occurred", 3008: "Session Expired: Maximum"}
        code = (3005, 3008)[number % 3 % 2]
        server.say(type="Error", error_code=code, error=texts[code])
        server.close = events.CloseFrame(code, texts[code]) if number % 4 else None
        # At once, as servers do: the words of an open turn and the reason.
        self._receive_all(leg, server)

    def end_unasked(self, number: int) -> None:
        """A server ends a session in good order, though it has not been asked; what is on its way
        to it, and maybe Terminate, it does not hear."""
        if (found := self._pick(number)) is None or not found[1].begun or found[1].close:
            return
        leg, server = found
        if number % 2:
            server.work()
        if server.close is None:
            server.end((None, 0, server.heard_seconds)[number % 3])
        if number % 4 > 1:
            self._receive_all(leg, server)

    def _receive_all(self, leg: int, server: FakeServer) -> None:
        while server.outbox and leg in self.servers:
            self._receive(leg, server)

    def _receive(self, leg: int, server: FakeServer) -> None:
        said = server.outbox.pop(0)
        self.do(events.Ponged(leg) if said == PONG else events.Received(leg, said))

    def repeat(self, number: int) -> None:
        """A final turn comes once more."""
        if (found := self._pick(number)) is not None and found[1].finals:
            found[1].outbox.append(found[1].finals[number % len(found[1].finals)])

    def swap(self, number: int) -> None:
        """Two messages overtake each other."""
        if (found := self._pick(number)) is not None and len(found[1].outbox) > 2:
            outbox = found[1].outbox
            at = 1 + number % (len(outbox) - 2)
            kinds = {PONG if e == PONG else json.loads(e)["type"] for e in outbox[at : at + 2]}
            if kinds == {"Turn"}:
                outbox[at], outbox[at + 1] = outbox[at + 1], outbox[at]

    def refuse(self, number: int) -> None:
        """There is no connection to be had."""
        if (found := self._pick(number)) is None or found[1].opened:
            return
        row = UNREACHABLE
        closure = Closure(row=row, code=row.code, text="refused", by=ClosedBy.NEITHER)
        self.servers.pop(found[0])
        self.do(events.OpenFailed(found[0], closure))

    def stall(self, number: int) -> None:
        """Pings are answered no more, or again."""
        self.stalled = not self.stalled

    def finish(self, number: int) -> None:
        if not self.stream.timeline.finished:
            self._give(self._rest)
            self._rest = b""
            self.do(events.Finished())

    def _pick(self, number: int) -> tuple[int, FakeServer] | None:
        legs = sorted(self.servers)
        return (legs[number % len(legs)], self.servers[legs[number % len(legs)]]) if legs else None

    def _end(self, leg: int, frame: events.CloseFrame | None) -> None:
        server = self.servers.pop(leg)
        if server.opened:
            self.do(events.Disconnected(leg, frame, frame, frame is not None))
        else:
            row = UNREACHABLE
            closure = Closure(row=row, code=row.code, text="reset", by=ClosedBy.NEITHER)
            self.do(events.OpenFailed(leg, closure))

    # The end, and what must hold.

    def come_to_an_end(self) -> None:
        """From here on all is well; the stream ends."""
        self.stalled = False
        if self.stream.closure is None:
            self.finish(0)
        for _ in range(400):
            if self.stream.closure is not None:
                return
            self.everything(0)
            due = self.stream.deadline()
            if self.stream.closure is None and due is not None and due > self.now:
                self.now = due
                self.do(events.Tick())
        raise AssertionError("The stream does not end.")

    def check(self) -> None:
        closure = self.stream.closure
        assert closure is not None
        finals = [
            turn
            for name, (turn, *_) in self.calls
            if name == "turn" and isinstance(turn, Turn) and turn.end_of_turn
        ]
        words = [word for turn in finals for word in turn.words]
        times = [time for word in words for time in (word.start, word.end)]
        assert times == sorted(times), "times run backwards"
        orders = [turn.turn_order for turn in finals]
        assert orders == sorted(set(orders)), orders
        gaps = [Gap(*arguments) for name, arguments in self.calls if name == "gap"]
        assert tuple(gaps) == closure.gaps
        heard = [int(word.text) for word in words]
        assert len(heard) == len(set(heard)), f"twice: {heard}"
        for word, (start, end) in enumerate(self.spans):
            missing = any(gap.start < end and start < gap.end for gap in gaps)
            assert missing or word in heard, f"{word} is lost"
        assert self.stream.timeline.finished or not closure.terminated
        if self.rereads and closure.terminated:
            assert all("kept" not in gap.reason for gap in gaps)
        names = [name for name, _ in self.calls if name != "event"]
        assert names.count("close") == 1
        assert names[-1] == "close"
        assert names.count("error") == closure.is_error
        if closure.is_error:
            assert names[-2] == "error"
        assert names.count("termination") == (closure.terminated and bool(self.stream.records))
        assert closure.complete == (closure.name == "session_ended" and not gaps)
