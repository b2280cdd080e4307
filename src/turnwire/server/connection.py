"""One WebSocket connection: carries out what its session decides.

Several things go on at once: finding out whether the client may have a session, reading what it
sends, listening to what the engine hears, and writing. Whatever happens is told to the session;
its effects are carried out in order, all of them at once but those that may have to wait:

- compressed audio waits for its decoder, and samples wait while the engine is behind. The socket
  is not read meanwhile, so a client that sends faster than its audio can be heard is slowed down
  by TCP;
- messages wait while the client does not read. The engine is not listened to meanwhile.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar
from uuid import uuid4

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from turnwire.accounts.admission import Funds, Renewal, Usage
from turnwire.accounts.credentials import NO_BALANCE, access_ended
from turnwire.profanity import masked
from turnwire.server.clock import Clock, Timer, pause, resolve
from turnwire.server.decoders import CannotDecode, Decoder, Decoders
from turnwire.server.leases import Leases
from turnwire.session import effects, events
from turnwire.session.options import SessionOptions
from turnwire.session.session import Session
from turnwire.speech.engine import Engine, Samples, Stream
from turnwire.wire.closures import (
    CLIENT_GONE,
    INTERNAL_ERROR,
    SERVER_ERROR,
    Closure,
    Violation,
)

OUTBOX_MESSAGES = 256
"""How many messages may wait for a client that does not read."""

SEND_SECONDS = 30.0
"""How long one message may wait for a client that does not read; then the client counts as gone."""

logger = logging.getLogger(__name__)


def credential_of(request: HTTPConnection) -> str | None:
    """The key or token in the Authorization header, raw or as a bearer's; None without one."""
    header = request.headers.get("authorization", "")
    return header.removeprefix("Bearer ").strip() or None


def _funded(funds: Funds | None) -> events.Funded:
    if funds is None:
        return events.Funded(None)
    return events.Funded(funds.until_ms, funds.last, funds.seconds_left, access_ended(NO_BALANCE))


class Connection:
    """A connection of a client, from its upgrade to its close."""

    def __init__(
        self,
        websocket: WebSocket,
        *,
        engine: Engine,
        decoders: Decoders,
        leases: Leases,
        clock: Clock,
        ahead_seconds: float,
        codes: Mapping[str, int],
    ) -> None:
        self._websocket = websocket
        self._engine = engine
        self._decoders = decoders
        self._leases = leases
        self._clock = clock
        self._codes = codes
        self._session = Session(
            str(uuid4()), engine.name, SessionOptions(masked, ahead_seconds=ahead_seconds)
        )
        self._stream: Stream | None = None
        self._decoder: Decoder | None = None
        # Lists, as they are short: an empty deque takes as much memory as 60 items.
        self._undecoded: list[effects.Decode] = []
        self._unheard: list[Samples] = []
        self._hold = 0.0
        self._unfunded = False
        """Whether more has to be reserved before more audio is read."""
        self._outbox: list[effects.Send | effects.Close] = []
        # Made when there is something to wait for: an Event takes six times the memory.
        self._posted: asyncio.Future[None] | None = None
        self._outbox_has_room: asyncio.Future[None] | None = None
        self._timer: Timer | None = None
        self._timer_due = float("inf")
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the client until its session is over."""
        try:
            await self._websocket.accept()
            self._dispatch(
                events.Connected(
                    query=self._websocket.query_params.multi_items(),
                    api_version=self._websocket.headers.get("assemblyai-version"),
                )
            )
            await self._write()
        finally:
            await self._release()

    @property
    def id(self) -> str:
        return self._session.id

    def usage(self) -> Usage:
        """What the session has used so far."""
        return Usage(self._session.audio_ms, self._session.session_ms(self._clock.now()))

    def drain(self, closure: Closure) -> None:
        """End the session with this closure as soon as what was said is delivered."""
        self._dispatch(events.DrainRequested(closure))

    async def _release(self) -> None:
        """Let go of everything."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._decoder is not None:
            self._decoder.close()
        if self._stream is not None:
            await self._stream.close()
        # It still stands there if the connection was broken off in the middle of something.
        await self._leases.end(self, SERVER_ERROR.fill())

    async def _admit(self) -> None:
        credential = self._websocket.query_params.get("token") or credential_of(self._websocket)
        now = self._clock.unix_time()
        try:
            grant = await self._leases.begin(self, credential)
        except Violation as refusal:
            self._dispatch(events.Abort(refusal.closure.with_code(self._codes)))
        except Exception as error:
            # The outage is logged once, not for everybody that it turns away.
            logger.debug("session %s: admission failed", self.id, exc_info=error)
            self._dispatch(events.Abort(INTERNAL_ERROR.fill()))
        else:
            self._dispatch(events.Admitted(grant.max_seconds, unix_time=now))
            self.renewed(grant.funds)

    def renewed(self, renewal: Renewal) -> None:
        """Take what a renewal of the session's lease brought."""
        if isinstance(renewal, Closure):
            self.drain(renewal)
        else:
            self._dispatch(_funded(renewal))

    def _listen(self, effect: effects.Listen) -> None:
        self._stream = self._engine.open(sample_rate=effect.sample_rate, options=effect.options)
        self._start(self._read)
        self._start(self._hear)

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A failure of ours ends this session, and no other."""
        try:
            await work()
        except WebSocketDisconnect:
            self._dispatch(events.Disconnected())
        except Exception:
            logger.exception("session %s failed", self.id)
            self._dispatch(events.Abort(SERVER_ERROR.fill()))

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", CLIENT_GONE.code))
            if message.get("text") is not None:
                self._dispatch(events.TextReceived(message["text"]))
            else:
                self._dispatch(events.AudioReceived(message["bytes"]))
            while self._undecoded:
                await self._decode(self._undecoded.pop(0))
            await self._feed()

    async def _decode(self, effect: effects.Decode) -> None:
        if self._decoder is None:
            self._decoder = await self._decoders.open(effect.encoding, self._clock)
        try:
            async for samples in self._decoder.decode(effect.data):
                self._dispatch(events.Decoded(samples))
                await self._feed()
        except CannotDecode as error:
            self._dispatch(events.Undecodable(str(error)))

    async def _feed(self) -> None:
        while self._unheard:
            await self._ear.feed(self._unheard.pop(0))
        if self._hold:
            await pause(self._clock, self._hold)
            self._hold = 0.0
        if self._unfunded:
            self._unfunded = False
            await self._leases.renew([self])

    async def _hear(self) -> None:
        async for heard in self._ear.events():
            self._dispatch(heard)
            if self._outbox_has_room is not None:
                await self._outbox_has_room

    async def _write(self) -> None:
        gone = False
        while True:
            # What was sent last is let go of before waiting for more.
            effect = None
            while not self._outbox:
                self._posted = asyncio.get_running_loop().create_future()
                await self._posted
            effect = self._outbox.pop(0)
            if self._outbox_has_room is not None and len(self._outbox) < OUTBOX_MESSAGES:
                resolve(self._outbox_has_room)
                self._outbox_has_room = None
            if isinstance(effect, effects.Close):
                return await self._close(effect.closure)
            if gone:
                continue
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._websocket.send_text(effect.message.to_json())
            except (WebSocketDisconnect, TimeoutError):
                gone = True
                self._dispatch(events.Disconnected())

    async def _close(self, closure: Closure) -> None:
        # First the ledger: whoever sees the close may count on the slot being free again.
        await self._leases.end(self, closure)
        # The row alone: its text may repeat what the client sent.
        logger.info(
            "session %s closed: %s (%d) after %.1f s with %.1f s of audio",
            self.id,
            closure.row.name,
            closure.code,
            self.usage().session_ms / 1000,
            self.usage().audio_ms / 1000,
        )
        if closure.row is not CLIENT_GONE:
            with contextlib.suppress(WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(SEND_SECONDS):
                    await self._websocket.close(closure.code, closure.reason)

    def _dispatch(self, event: events.Event) -> None:
        for effect in self._session.receive(event, self._clock.now()):
            self._EFFECT_HANDLERS[type(effect)](self, effect)
        self._arm()

    def _arm(self) -> None:
        """Have the session ticked at its deadline; a timer that comes early is set again."""
        deadline = self._session.deadline()
        if deadline is not None and deadline < self._timer_due:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_due = deadline
            self._timer = self._clock.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer_due = float("inf")
        self._dispatch(events.Tick())

    def _post(self, effect: effects.Send | effects.Close) -> None:
        self._outbox.append(effect)
        if self._posted is not None:
            resolve(self._posted)
        if self._outbox_has_room is None and len(self._outbox) >= OUTBOX_MESSAGES:
            self._outbox_has_room = asyncio.get_running_loop().create_future()

    def _log(self, effect: effects.Log) -> None:
        logger.warning("session %s: %s", self.id, effect.text)

    def _held(self, effect: effects.Hold) -> None:
        self._hold = effect.seconds

    def _reserve(self, _: effects.Reserve) -> None:
        self._unfunded = True

    @property
    def _ear(self) -> Stream:
        if self._stream is None:
            raise RuntimeError("the session has no speech stream yet")
        return self._stream

    _EFFECT_HANDLERS: ClassVar[dict[type, Callable[["Connection", Any], object]]] = {
        effects.Admit: lambda self, _: self._start(self._admit),
        effects.Send: _post,
        effects.Close: _post,
        effects.Listen: _listen,
        effects.Decode: lambda self, effect: self._undecoded.append(effect),
        effects.Recognize: lambda self, effect: self._unheard.append(effect.samples),
        effects.Hold: _held,
        effects.Reserve: _reserve,
        effects.Log: _log,
        effects.Mark: lambda self, _: self._ear.mark(),
        effects.Finish: lambda self, _: self._ear.finish(),
        effects.Cut: lambda self, _: self._ear.cut(),
        effects.Configure: lambda self, effect: self._ear.configure(effect.options),
        effects.MeasureVoice: lambda self, _: self._dispatch(
            events.VoiceMeasured(self._ear.voice_peak())
        ),
    }
