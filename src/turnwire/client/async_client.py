"""The client: one stream of audio in, one line of turns out, over as many sessions as it takes.

    AsyncClient     reads what the servers say, leg after leg, and calls the handlers
    Leg             one session's part of the stream: sends it, and KeepAlive when there is none
    Timeline        the audio that may be needed again, and what the turns have covered of it

A session is renewed before it expires: the next leg takes over at a silence. A leg that breaks is
followed by one that begins where the turns that were delivered end.
"""

import asyncio
import inspect
import json
import logging
import random
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from turnwire.client.address import session_url
from turnwire.client.audio import AudioFormat
from turnwire.client.closures import TOKEN_FAILED, ClosedBy, Closure
from turnwire.client.errors import Misuse, SessionClosed, raised_for
from turnwire.client.files import AudioFile
from turnwire.client.handlers import Handler, Handlers, called
from turnwire.client.legs import Leg
from turnwire.client.pacing import Clock, LoopClock, cut, each, paced
from turnwire.client.reconnect import DEFAULT, Budget, Reconnect
from turnwire.client.session import Session, open_session
from turnwire.client.timeline import Cursor, Place, Timeline
from turnwire.wire.encodings import Encoding
from turnwire.wire.messages import (
    Begin,
    Error,
    ForceEndpoint,
    ServerMessage,
    SpeechStarted,
    Termination,
    Turn,
)

UNREAD_TURNS = 10_000
"""How many turns wait for a program that iterates; beyond these the oldest are dropped."""

HOLD_SECONDS = 0.25
"""How long the end of a turn in the middle of speech is held back. If the session ends with it, a
word may have been cut: another session will hear that turn whole, and this end of it is dropped."""

HANDOVER_SECONDS = 60.0
"""How long before its expiry a session is renewed, or a quarter of its life if that is less."""

SILENCE_SECONDS = 0.3
SHORTEST_SILENCE_SECONDS = 0.06
"""The pause at which sessions are handed over, and how short it may be at last."""

LOOKING = 0.8
"""The part of the time before the expiry in which a pause is looked for."""

SHORTEST_LIFE_SECONDS = 10.0
"""A session that seems to expire sooner is not renewed: the clocks do not agree."""

LOOK_SECONDS = 0.1
"""How often it is looked for."""

TokenProvider = Callable[[], str | Awaitable[str]]
"""Gives a temporary token, or something to await that does."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SessionRecord:
    """One session of a client."""

    begin: Begin
    start_ms: int
    """Where its audio begins on the line of the client's audio."""
    closure: Closure | None = None
    """None while it lasts."""


class AsyncClient:
    """A stream of audio to a server, and the turns that come back.

    async with AsyncClient("ws://127.0.0.1:8080", api_key="tw_...", on_turn=show) as client:
        await client.stream_file("talk.wav")
    print(client.closure)

    Use it once. Iterating gives every `Turn` (with an `on_turn`: every one from then on); the
    iteration ends with the stream, and raises the closure's exception if that is an error.
    Leaving the context closes: it waits for the last turn. Times in all messages are in ms from
    the beginning of the stream, through all sessions.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        token: TokenProvider | None = None,
        reconnect: Reconnect | None = DEFAULT,
        on_begin: Handler[Begin] | None = None,
        on_turn: Handler[Turn] | None = None,
        on_speech_started: Handler[SpeechStarted] | None = None,
        on_termination: Handler[Termination] | None = None,
        on_error: Handler[SessionClosed] | None = None,
        on_close: Handler[Closure] | None = None,
        on_event: Handler[ServerMessage] | None = None,
        clock: Clock | None = None,
        random: Callable[[], float] = random.random,
        **parameters: object,
    ) -> None:
        """`base_url` is ws://host:port, wss://host, or a full URL with a path of its own.

        `api_key` goes into the Authorization header. `token` is called for every connection and
        gives a temporary token, or something to await for one. `reconnect` None: one session and
        no other. `parameters` are those of the connection, such as `sample_rate=8000` (Hz; 16,000
        if left out) and `format_turns=True`.

        Handlers are functions or coroutine functions, called in order, one at a time. One that
        raises is logged, the session goes on, and `close` raises `HandlerFailed`. `on_begin` is
        called for every session. At the end of the stream come `on_termination`, if the server
        sent it; `on_error`, if the closure is an error, with its exception; and `on_close` with
        the closure, always and last. `on_event` gets every message of every session.

        Raises `AddressError`, and `Misuse` for parameters that cannot be.
        """
        session_url(base_url, parameters)
        self._base_url = base_url
        self._api_key = api_key
        self._token = token
        self._parameters = dict(parameters)
        self._clock = clock or LoopClock()
        self._renews = reconnect is not None
        self._budget = Budget(reconnect, random)
        self._timeline = Timeline(AudioFormat.of(parameters))
        self._timeline.wants_formatted = parameters.get("format_turns") is True
        self._handlers = Handlers(
            begin=on_begin,
            turn=on_turn,
            speech_started=on_speech_started,
            termination=on_termination,
            error=on_error,
            close=on_close,
            event=on_event,
        )
        self._records: list[SessionRecord] = []
        self._unread: deque[Turn] = deque(maxlen=UNREAD_TURNS)
        self._iterated = on_turn is None
        self._held: deque[ServerMessage] = deque()
        self._readable = asyncio.Event()
        self._room = asyncio.Event()
        self._stopped = asyncio.Event()
        self._used = False
        self._running: asyncio.Task[None] | None = None
        self._feeding: Leg | None = None  # the newest leg: what comes in goes to it
        self._hearing: Leg | None = None  # the leg that is read: the feeding one, or one before
        self._over = False
        self.closure: Closure | None = None
        """How the stream ended; None until it has."""

    # What it has to tell.

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """Every session so far, in order; only the last may still be without a closure."""
        return tuple(self._records)

    @property
    def audio_seconds(self) -> float:
        """How much audio the client has been given."""
        return self._timeline.format.seconds(self._timeline.end)

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended, and all handlers have been told."""
        return self._over

    # The beginning and the end.

    async def connect(self) -> Begin:
        """Open the first session, within 10 s.

        Raises the `SessionClosed` of its closure if the server refuses, or if there is none;
        `on_error` and `on_close` are called first. This is not tried again.
        """
        if self._used:
            raise Misuse("This client has been used; make another one.")
        self._used = True
        try:
            session = await self._open()
        except SessionClosed as refusal:
            await self._finish(refusal.closure)
            raise
        leg = self._begin_leg(session, Cursor(self._timeline, 0))
        self._running = asyncio.create_task(self._run(leg))
        return session.begin

    async def terminate(self) -> None:
        """Ask for the end, without waiting for it: what was sent so far is still heard."""
        self._check_used()
        self._timeline.finished = True
        self._wake()

    async def close(self) -> None:
        """End the stream, and wait for its last turn, its Termination and its close.

        From within a handler it does not wait, because what it waits for waits for the handler.
        The server has 30 s for each message; an interrupted connection is restored if it may be.
        Raises `HandlerFailed` if a handler failed. `closure` tells how the stream ended.
        """
        await self.terminate()
        await self._until_over()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close; at once if an exception is under way.

        An error that ended the stream is raised here if there is no `on_error` to hear of it.
        """
        if error is not None:
            self._stopped.set()
            for leg in (self._hearing, self._feeding):
                if leg is not None:
                    await leg.session.hang_up()
            await self._until_over(silently=True)
            return
        await self.close()
        if self._handlers.error is None:
            self._raise_error()

    async def _until_over(self, *, silently: bool = False) -> None:
        if self._running is None or self._handlers.calling:
            return
        await asyncio.wait([self._running])
        await self._running
        if self._handlers.failure is not None and not silently:
            failure, self._handlers.failure = self._handlers.failure, None
            raise failure

    # What goes out.

    async def send(self, audio: bytes) -> None:
        """Send audio of any length, in the encoding and at the rate of the connection.

        It waits while 120 s are still to be sent, as when a connection is being restored. Raises
        `SessionClosed` if the stream is over.
        """
        self._check_open()
        self._timeline.append(audio, sent=self._sent)
        self._wake()
        await asyncio.sleep(0)
        while self._timeline.is_full(self._sent) and not self._over and not self._handlers.calling:
            self._room.clear()
            await self._room.wait()

    async def stream(self, chunks: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        """Send audio as it comes from this source. Raises as `send` does."""
        async for chunk in each(chunks):
            await self.send(chunk)

    async def stream_file(
        self,
        path: str | Path,
        *,
        progress: Callable[[float, float | None], object] | None = None,
    ) -> None:
        """Send an audio file of any common kind, as fast as it was spoken.

        `progress` is called with the seconds sent and the seconds there are, None if the file
        does not tell. Raises `AudioFileError`, and as `send` does.
        """
        format = self._timeline.format
        if format.encoding is not Encoding.PCM_S16LE:
            raise Misuse(f"Files are sent as {Encoding.PCM_S16LE}, not as {format.encoding}.")
        rate, sent = format.sample_rate, 0
        with AudioFile(path, sample_rate=rate) as file:
            chunks = cut(file, sample_rate=rate)
            async for chunk in paced(chunks, sample_rate=rate, clock=self._clock):
                await self.send(chunk)
                sent += len(chunk)
                if progress is not None:
                    await called(progress, format.seconds(sent), file.duration_seconds)

    async def force_endpoint(self) -> None:
        """End the current turn where the audio sent so far ends."""
        self._check_open()
        self._timeline.mark(ForceEndpoint().to_json(), forces=True)
        self._wake()

    async def update(self, **changes: object) -> None:
        """Change parameters (`min_turn_silence=300`, in ms) from here on, in later sessions too."""
        self._check_open()
        changes = {name: value for name, value in changes.items() if value is not None}
        self._parameters |= changes
        self._timeline.wants_formatted = self._parameters.get("format_turns") is True
        # As given, so that what only a newer server knows reaches it.
        self._timeline.mark(json.dumps({"type": "UpdateConfiguration", **changes}))
        self._wake()

    async def keep_alive(self) -> None:
        """Keep `inactivity_timeout` from ending the session; idle clients do so by themselves."""
        self._check_open()
        if self._feeding is not None:
            # How a session ended, reading finds out.
            with suppress(SessionClosed):
                await self._feeding.session.keep_alive()

    # What comes in.

    def __aiter__(self) -> AsyncIterator[Turn]:
        return self

    async def __anext__(self) -> Turn:
        self._check_used()
        self._iterated = True
        while not self._unread:
            if self._over:
                self._raise_error()
                raise StopAsyncIteration
            self._readable.clear()
            await self._readable.wait()
        return self._unread.popleft()

    def _raise_error(self) -> None:
        if self.closure is not None and self.closure.is_error:
            raise raised_for(self.closure)

    def _check_used(self) -> None:
        if not self._used:
            raise Misuse("This client is not connected yet.")

    def _check_open(self) -> None:
        self._check_used()
        if self.closure is not None:
            raise raised_for(self.closure)
        if self._timeline.finished:
            raise Misuse("The end of this stream has been asked for; nothing can follow.")

    # Legs.

    async def _open(self) -> Session:
        parameters = dict(self._parameters)
        if self._token is not None:
            parameters["token"] = await self._fresh_token(self._token)
        url = session_url(self._base_url, parameters)
        return await open_session(url, self._api_key, self._timeline.format)

    async def _fresh_token(self, provider: TokenProvider) -> str:
        try:
            token = provider()
            return str(await token if inspect.isawaitable(token) else token)
        except Exception as error:
            row = TOKEN_FAILED
            text = row.fill(problem=repr(error)).text
            closure = Closure(row=row, code=row.code, text=text, by=ClosedBy.NEITHER)
            raise raised_for(closure) from error

    def _begin_leg(self, session: Session, cursor: Cursor, next: Leg | None = None) -> Leg:
        leg = Leg(session, cursor, clock=self._clock, room=self._room, next=next)
        leg.begin(leg.feed)
        leg.begin(lambda: leg.keep_alive(self._parameters.get("inactivity_timeout")))
        if next is None:
            self._feeding = leg
            if self._renews:
                leg.begin(lambda: self._renew(leg))
        return leg

    async def _run(self, leg: Leg) -> None:
        following: Leg | None = leg
        try:
            while following is not None:
                leg = following
                closure = await self._hear(leg)
                if self._feeding is leg:
                    self._feeding = None
                following, closure = await self._following(leg, closure)
            await self._finish(closure)
        finally:
            # Whatever happened here, nothing stays open, and nobody is left waiting.
            for open_leg in (self._hearing, self._feeding):
                if open_leg is not None:
                    open_leg.session.abort()
            self._over = True
            self._wake()

    async def _hear(self, leg: Leg) -> Closure:
        """Pass on what this session says, to its end."""
        self._hearing = leg
        place = Place(
            round(1000 * self._timeline.format.seconds(leg.start)), self._timeline.next_order
        )
        record = SessionRecord(leg.session.begin, place.ms)
        self._records.append(record)
        await self._tell("begin", leg.session.begin)
        while True:
            try:
                async with asyncio.timeout(HOLD_SECONDS if self._held else None):
                    message = place.moved(await anext(leg.session))
            except TimeoutError:
                await self._release()
            except StopAsyncIteration:
                break
            else:
                await self._judge(leg, message)
        await leg.stop()
        assert leg.session.closure is not None
        record.closure = leg.session.closure
        self._budget.lasted(record.closure.session_seconds)
        return record.closure

    async def _judge(self, leg: Leg, message: ServerMessage) -> None:
        """Pass a message on, unless it may be the cut end of a session: then hold it back."""
        is_cut = isinstance(message, Turn) and self._timeline.is_cut(message)
        if is_cut or (self._held and isinstance(message, Error)):
            self._held.append(message)
            return
        await self._release()
        await self._pass_on(message, last=leg.cursor.end is None)

    async def _release(self) -> None:
        """Pass on what was held back."""
        while self._held:
            await self._pass_on(self._held.popleft(), last=False)

    async def _pass_on(self, message: ServerMessage, *, last: bool) -> None:
        match message:
            case Turn():
                self._timeline.hear(message)
                if self._iterated:
                    self._unread.append(message)
                    self._readable.set()
                await self._tell("turn", message)
            case SpeechStarted():
                await self._tell("speech_started", message)
            case Termination() if last:
                await self._tell("termination", message)
            case _:
                await self._handlers.call("event", message)

    async def _tell(self, name: str, message: ServerMessage) -> None:
        await self._handlers.call("event", message)
        await self._handlers.call(name, message)

    async def _following(self, leg: Leg, closure: Closure) -> tuple[Leg | None, Closure]:
        """The leg after this one; None if the stream is over, and then its closure."""
        if closure.terminated:
            self._timeline.settle()
            return leg.next, closure
        while not self._stopped.is_set():
            delay = self._budget.delay(closure)
            if delay is None:
                break
            _log.warning("%s; connecting again in %.2f s", closure, delay)
            try:
                session = await self._again(delay)
            except SessionClosed as refusal:
                closure = refusal.closure
                continue
            if session is None:
                break
            # What was cut will be heard whole.
            self._held = deque(each for each in self._held if not isinstance(each, Turn))
            await self._release()
            cursor = Cursor(self._timeline, self._timeline.resumption(), leg.cursor.end)
            return self._begin_leg(session, cursor, leg.next), closure
        await self._release()
        if leg.next is not None:
            await leg.next.drop()
        return None, closure

    async def _again(self, delay: float) -> Session | None:
        """Another session after so many seconds; None: the program gave up meanwhile."""

        async def again() -> Session:
            await self._clock.sleep(delay)
            return await self._open()

        opening = asyncio.create_task(again())
        stopping = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return opening.result() if opening.done() else None
        finally:
            opening.cancel()
            stopping.cancel()

    async def _finish(self, closure: Closure) -> None:
        self.closure = closure
        if closure.is_error:
            await self._handlers.call("error", raised_for(closure))
        await self._handlers.call("close", closure)
        self._over = True
        self._wake()

    def _wake(self) -> None:
        """Let everybody who waits look again."""
        self._room.set()
        self._readable.set()
        if self._feeding is not None:
            self._feeding.look()

    @property
    def _sent(self) -> int | None:
        """How far the audio has been sent; None: there is no session to send it to."""
        return None if self._feeding is None else self._feeding.cursor.position

    async def _renew(self, leg: Leg) -> None:
        """Open the next session before this one expires, and hand over at a silence.

        If it cannot be opened, or nobody pauses, this one expires, and is followed by one that
        begins where its turns end. So it is if the clocks of both sides do not agree.
        """
        life = leg.session.begin.expires_at - self._clock.unix_time()
        if life < SHORTEST_LIFE_SECONDS:
            return
        lead = min(HANDOVER_SECONDS, life / 4)
        await self._clock.sleep(life - lead)
        try:
            session = await self._open()
        except SessionClosed as refusal:
            _log.warning("The session could not be renewed: %s", refusal)
            return
        try:
            silent = await self._silence(leg.cursor, lead * LOOKING)
        except asyncio.CancelledError:
            await session.close()
            raise
        if not silent:
            await session.close()
            return
        position = leg.cursor.position
        leg.next = self._begin_leg(session, Cursor(self._timeline, position))
        leg.cursor.end = position
        leg.look()

    async def _silence(self, cursor: Cursor, patience: float) -> bool:
        """Whether what is sent comes to end in silence, before patience does."""
        until = self._clock.now() + patience
        while (left := until - self._clock.now()) > 0:
            enough = max(SILENCE_SECONDS * left / patience, SHORTEST_SILENCE_SECONDS)
            if self._timeline.is_quiet_before(cursor.position, enough):
                return True
            await self._clock.sleep(LOOK_SECONDS)
        return False
