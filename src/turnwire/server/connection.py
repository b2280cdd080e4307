"""One WebSocket's session: carries out what the session decides.

What comes from the socket, the engine and the clock is given to the session, and its effects are
carried out in order. Two kinds may have to wait: what is done for the engine, in `Feeding`, and
messages to a client that does not read, in `Outbox`. Nothing more is taken from the engine while
too many of these wait.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Protocol
from uuid import uuid4

from turnwire.accounts.admission import Funds, Grant, Renewal, Usage
from turnwire.accounts.credentials import NO_BALANCE, access_ended
from turnwire.accounts.keys import is_key
from turnwire.clock import Clock, PatientTimer, Timer, pause
from turnwire.profanity import masked
from turnwire.server.credential import credential_of
from turnwire.server.decoders import Decoders
from turnwire.server.feeding import Feeding
from turnwire.server.held_audio import HeldAudio
from turnwire.server.leases import Leases
from turnwire.server.observers import Observers
from turnwire.server.options import ServerOptions
from turnwire.server.outbox import Outbox
from turnwire.server.session_log import SessionLog
from turnwire.session import effects, events
from turnwire.session.options import SessionOptions
from turnwire.session.session import Session
from turnwire.speech.engine import Engine
from turnwire.transport.request import Request
from turnwire.transport.socket import Socket
from turnwire.wire.closure import Closure, Violation
from turnwire.wire.closures import CLIENT_GONE, INTERNAL_ERROR, SERVER_ERROR, UNAUTHORIZED
from turnwire.wire.parameters import ConnectionParameters

KEY_IN_QUERY = "?token= takes no API key, as logs keep it; send it as a header or get a token"

logger = logging.getLogger(__name__)


def _funded(funds: Funds | None) -> events.Funded:
    if funds is None:
        return events.Funded(None)
    return events.Funded(funds.until_ms, funds.last, funds.seconds_left, access_ended(NO_BALANCE))


class Server(Protocol):
    """What all connections share."""

    engine: Engine
    decoders: Decoders
    leases: Leases
    clock: Clock
    options: ServerOptions
    held_audio: HeldAudio

    def check(self, parameters: ConnectionParameters) -> None:
        """Raises `Violation` for what no session of this server can be asked for."""

    def watchers(self, connection: "Connection") -> Observers | None:
        """What watches this connection's session; None: nothing."""

    async def admit(self, connection: "Connection", credential: str | None, address: str) -> Grant:
        """Raises `Violation` for a client that may not begin."""

    def left(self, connection: "Connection") -> None:
        """The connection has ended, and let go of everything."""


class Connection:
    """Serves one WebSocket: its `Receiver`."""

    def __init__(self, socket: Socket, server: Server) -> None:
        self._socket = socket
        self._server = server
        self._clock = server.clock
        options = SessionOptions(masked, server.options.ahead_seconds, server.check)
        self._session = Session(str(uuid4()), server.engine.name, options)
        self._outbox = Outbox(socket)
        self._feeding: Feeding | None = None
        self.recording = False
        """Whether its session is for a recording."""
        self._reserving = False
        self._settled_ms = 0
        """How much audio there was when a renewal worked last, or more was let in without one."""
        self._timer: Timer | None = None
        self._timer_due = float("inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: asyncio.Task[None] | None = None
        self.grant: Grant | None = None
        self._log_of_session = SessionLog(self)
        self._observers = server.watchers(self)
        socket.hold()

    @property
    def id(self) -> str:
        return self._session.id

    @property
    def request(self) -> Request:
        return self._socket.request

    def begin(self) -> None:
        """Find out what the client wants, and whether it may have it."""
        request = self._socket.request
        self._dispatch(
            events.Connected(query=request.query, api_version=request.header("assemblyai-version"))
        )

    def usage(self) -> Usage:
        """What the session has used so far."""
        return Usage(self._session.audio_ms, self._session.session_ms(self._clock.now()))

    def drain(self, closure: Closure) -> None:
        """End the session with this closure as soon as what was said is delivered."""
        self._dispatch(events.DrainRequested(closure))

    def abort(self, closure: Closure) -> None:
        """End the session with this closure now."""
        self._dispatch(events.Abort(closure))

    async def ended(self) -> None:
        """Wait until everything is let go of, once the end is decided."""
        if self._ending is not None:
            await asyncio.wait([self._ending])

    # What the socket says.

    def received(self, message: str | bytes) -> None:
        try:
            if isinstance(message, bytes):
                self._dispatch(events.AudioReceived(message))
            else:
                self._dispatch(events.TextReceived(message))
        except Exception:
            self._fail()

    def refused(self, closure: Closure) -> None:
        self._dispatch(events.Abort(closure))

    def gone(self) -> None:
        self._outbox.gone()
        self._dispatch(events.Disconnected())

    def writable_again(self) -> None:
        self._outbox.writable_again()

    # What the session decides.

    def _dispatch(self, event: events.Event) -> None:
        now = self._clock.now()
        decided = self._session.receive(event, now)
        for effect in decided:
            self._EFFECT_HANDLERS[type(effect)](self, effect)
        self._arm()
        if self._observers is not None:
            self._observers.observe(event, decided, now)

    def _arm(self) -> None:
        """Have the session ticked at its deadline; a timer that comes early is set again."""
        deadline = self._session.deadline()
        if deadline is not None and deadline < self._timer_due:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_due = deadline
            # A tick brings all that is due, so it may find a client inactive whatever it is for.
            self._timer = PatientTimer(self._clock, deadline, self._tick)

    def _tick(self) -> None:
        self._timer_due = float("inf")
        self._dispatch(events.Tick())

    def _send(self, effect: effects.Send) -> None:
        self._log_of_session.sent(effect.message)
        self._outbox.send(effect.message.to_json())

    def _log(self, effect: effects.Log) -> None:
        logger.warning("session %s: %s", self.id, effect.text)

    def _listen(self, effect: effects.Listen) -> None:
        stream = self._server.engine.open(sample_rate=effect.sample_rate, options=effect.options)
        self._feeding = Feeding(
            stream,
            self._server,
            self._dispatch,
            self._hold_if_needed,
            recorded_rate=effect.sample_rate if effect.options.recording else None,
        )
        self._start(self._feeding.run)
        self._start(self._hear)
        self._hold_if_needed()

    def _reserve(self, _: effects.Reserve) -> None:
        if not self._reserving:
            self._reserving = True
            self._hold_if_needed()
            self._start(self._renew_lease)

    def _hold_if_needed(self) -> None:
        if self._feeding is None or self._feeding.holding or self._reserving:
            self._socket.hold()
        else:
            self._socket.release()

    def _close(self, effect: effects.Close) -> None:
        self._socket.finish()
        if self._feeding is not None:
            self._feeding.stop()
        self._ending = asyncio.create_task(self._end(effect.closure))

    # What goes on meanwhile.

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A failure of ours ends this session, and no other."""
        try:
            await work()
        except Exception:
            self._fail()

    def _fail(self) -> None:
        logger.exception("session %s failed", self.id)
        self._dispatch(events.Abort(SERVER_ERROR.fill()))

    def _find_out(self, effect: effects.Admit) -> None:
        self.recording = effect.recording
        self._start(self._admit)

    async def _admit(self) -> None:
        request = self._socket.request
        token = request.parameter("token")
        if token and is_key(token) and not self._server.options.keys_in_query:
            return self._dispatch(events.Abort(UNAUTHORIZED.fill(reason=KEY_IN_QUERY)))
        credential = token or credential_of(request.header("authorization"))
        now = self._clock.unix_time()
        try:
            grant = await self._server.admit(self, credential, request.address)
        except Violation as refusal:
            codes = self._server.options.codes
            self._dispatch(events.Abort(refusal.closure.with_code(codes)))
        except Exception as error:
            # The outage is logged once, not for everybody that it turns away.
            logger.debug("session %s: admission failed", self.id, exc_info=error)
            self._dispatch(events.Abort(INTERNAL_ERROR.fill()))
        else:
            self.grant = grant
            self._dispatch(events.Admitted(grant.max_seconds, unix_time=now))
            self.renewed(grant.funds)

    def renewed(self, renewal: Renewal) -> None:
        """Take what a renewal of the session's lease brought."""
        self._settled_ms = self._session.audio_ms
        if isinstance(renewal, Closure):
            self.drain(renewal)
        else:
            self._dispatch(_funded(renewal))

    async def _renew_lease(self) -> None:
        await self._server.leases.renew([self])
        if self.recording and not self._server.leases.reachable:
            # While nobody knows what is left, a recording costs no more than what is live.
            ms = self._session.audio_ms - self._settled_ms
            self._settled_ms += ms
            await pause(self._clock, ms / 1000)
        self._reserving = False
        self._hold_if_needed()

    async def _hear(self) -> None:
        async for event in self._fed.stream.events():
            self._dispatch(event)
            await self._outbox.room()

    # The end.

    async def _end(self, closure: Closure) -> None:
        try:
            # First the ledger: whoever sees the close may count on the slot being free again.
            await self._server.leases.end(self, closure)
            self._log_of_session.ended(closure)
            await self._outbox.emptied()
            if closure.row is not CLIENT_GONE:
                self._socket.close(closure.code, closure.reason)
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            if self._feeding is not None:
                await self._feeding.close()
        except Exception:
            logger.exception("session %s could not let go of its engine", self.id)
        self._server.left(self)

    @property
    def _fed(self) -> Feeding:
        if self._feeding is None:
            raise RuntimeError("the session has no speech stream yet")
        return self._feeding

    _EFFECT_HANDLERS: ClassVar[dict[type, Callable[["Connection", Any], object]]] = {
        effects.Admit: _find_out,
        effects.Send: _send,
        effects.Close: _close,
        effects.Listen: _listen,
        effects.Decode: lambda self, effect: self._fed.decode(effect),
        effects.Recognize: lambda self, effect: self._fed.recognize(effect),
        effects.Reserve: _reserve,
        effects.Log: _log,
        effects.Mark: lambda self, effect: self._fed.put(effect),
        effects.Finish: lambda self, effect: self._fed.put(effect),
        effects.Configure: lambda self, effect: self._fed.put(effect),
        effects.Cut: lambda self, _: self._fed.stream.cut(),
        effects.MeasureVoice: lambda self, _: self._dispatch(
            events.VoiceMeasured(self._fed.stream.voice_peak())
        ),
    }
