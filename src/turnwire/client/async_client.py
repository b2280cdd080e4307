"""The client: the shell of a `ClientStream`.

It gives the stream what happens, does to sockets and handlers what the stream says, and lets the
program wait for what it waits for. What follows from what is all decided in `stream`.
"""

import asyncio
import inspect
import logging
import random as random_numbers
import ssl
from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from turnwire.client import effects, events
from turnwire.client.address import session_url
from turnwire.client.audio import AudioFormat
from turnwire.client.closures import TOKEN_FAILED, ClosedBy, Closure
from turnwire.client.errors import Misuse, SessionClosed, raised_for
from turnwire.client.handlers import GapHandler, Handler, Handlers, called
from turnwire.client.messages import Begin, ServerMessage, SpeechStarted, Termination, Turn
from turnwire.client.pacing import Clock, LoopClock, Timer, cut, each, paced
from turnwire.client.parameters import LiveParameters, Parameters, check_names
from turnwire.client.reconnect import DEFAULT, Budget, Reconnect
from turnwire.client.recording import DiskRecording, MemoryRecording
from turnwire.client.rereading import Files
from turnwire.client.sending import FORCE_ENDPOINT
from turnwire.client.stream import ClientStream, SessionRecord
from turnwire.wire.encodings import Encoding

if TYPE_CHECKING:
    from turnwire.client.sockets import Socket

UNREAD_TURNS = 10_000
"""How many turns wait for a program that iterates; beyond these the oldest are dropped."""

UNCALLED = 1000
"""How many calls of handlers wait; beyond these the sockets are not read."""

REPLAY_SECONDS = 120.0
"""How much audio is kept at most: what can be sent again after a loss, and what `send` takes
while there is no session."""

TokenProvider = Callable[[], str | Awaitable[str]]
"""Gives a temporary token, or something to await that does."""

_log = logging.getLogger(__name__)


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
        ca_file: str | Path | None = None,
        reconnect: Reconnect | None = DEFAULT,
        replay_seconds: float = REPLAY_SECONDS,
        spool: bool = False,
        fill_silence: bool = False,
        on_begin: Handler[Begin] | None = None,
        on_turn: Handler[Turn] | None = None,
        on_speech_started: Handler[SpeechStarted] | None = None,
        on_termination: Handler[Termination] | None = None,
        on_gap: GapHandler | None = None,
        on_error: Handler[SessionClosed] | None = None,
        on_close: Handler[Closure] | None = None,
        on_event: Handler[ServerMessage] | None = None,
        clock: Clock | None = None,
        random: Callable[[], float] = random_numbers.random,
        **parameters: Unpack[Parameters],
    ) -> None:
        """`base_url` is the server's, such as localhost:8080, wss://host or https://host/path.

        `api_key` goes into the Authorization header. `token` is called for every connection and
        gives a temporary token, or something to await for one. `ca_file` has the certificates of
        the authorities to trust, if those of the system will not do. `reconnect` None: one session
        and no other. `replay_seconds` of audio are kept for a session that takes over from one that
        broke; in memory, or with `spool` in a temporary file. With `fill_silence` the server is
        sent silence while the program sends nothing, so that turns end. `parameters` are those of
        the connection, such as `sample_rate=8000` (Hz; 16,000 if left out) and
        `format_turns=True`.

        Handlers are functions or coroutine functions, called in order, one at a time. One that
        raises is logged, the session goes on, and `close` raises `HandlerFailed`. `on_begin` is
        called for every session, `on_gap` for every stretch that is lost. At the end of the stream
        come `on_termination`, if the server sent it; `on_error`, if the closure is an error, with
        its exception; and `on_close` with the closure, always and last. `on_event` gets every
        message of every session.

        Raises `AddressError`, `Misuse` for parameters that cannot be, and TypeError for a
        parameter that is not known.
        """
        check_names("AsyncClient", parameters, Parameters, option_names(AsyncClient))
        url = session_url(base_url, parameters)
        format = AudioFormat.of(parameters)
        self._base_url = base_url
        self._api_key = api_key
        self._token = token
        self._ssl = None if ca_file is None else _trusting(ca_file)
        self._clock = clock or LoopClock()
        recording = DiskRecording if spool else MemoryRecording
        self._stream = ClientStream(
            address=url.partition("?")[0],
            parameters=parameters,
            recording=recording(format.size(replay_seconds)),
            budget=Budget(reconnect, random),
            renews=reconnect is not None,
            fill_silence=fill_silence,
        )
        self._handlers = Handlers(
            begin=on_begin,
            turn=on_turn,
            speech_started=on_speech_started,
            termination=on_termination,
            gap=on_gap,
            error=on_error,
            close=on_close,
            event=on_event,
        )
        self._unread: deque[Turn] = deque(maxlen=UNREAD_TURNS)
        self._iterated = on_turn is None
        self._calls: deque[effects.Call] = deque()
        self._sockets: dict[int, Socket] = {}
        self._files = Files()
        self._waiters: set[asyncio.Future[None]] = set()
        self._timer: Timer | None = None
        self._timer_due = float("inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self._cause: BaseException | None = None
        self._failure: BaseException | None = None
        self._over = False

    # What it has to tell.

    @property
    def closure(self) -> Closure | None:
        """How the stream ended; None until it has."""
        return self._stream.closure

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """Every session so far, in order; only the last may still be without a closure."""
        return tuple(self._stream.records)

    @property
    def audio_seconds(self) -> float:
        """How much audio the client has been given."""
        return self._stream.format.seconds(self._stream.timeline.end)

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
        if self._running is not None:
            raise Misuse("This client has been used; make another one.")
        self._running = asyncio.create_task(self._run())
        self._dispatch(events.Started())
        try:
            await self._until(lambda: self._over or self._stream.begun is not None)
        except asyncio.CancelledError:
            self._dispatch(events.Abandoned())
            await self._finished()
            raise
        if self._stream.begun is None:
            await self._finished()
            assert self.closure is not None
            raise raised_for(self.closure) from self._cause
        return self._stream.begun

    async def terminate(self) -> None:
        """Ask for the end, without waiting for it: what was sent so far is still heard."""
        self._check_used()
        self._dispatch(events.Finished())

    async def close(self) -> None:
        """End the stream, and wait for its last turn, its Termination and its close.

        From within a handler it does not wait, because what it waits for waits for the handler.
        The server has 30 s for each message, as long as it answers pings; an interrupted
        connection is restored if it may be. Raises `HandlerFailed` if a handler failed. `closure`
        tells how the stream ended.
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
            self._dispatch(events.Abandoned())
            await self._until_over(silently=True)
            return
        await self.close()
        if self._handlers.error is None:
            self._raise_error()

    async def _until_over(self, *, silently: bool = False) -> None:
        if self._handlers.calling:
            return
        await self._finished()
        if self._handlers.failure is not None and not silently:
            failure, self._handlers.failure = self._handlers.failure, None
            raise failure

    async def _finished(self) -> None:
        assert self._running is not None
        if not self._running.done():
            # Whoever waits may be cancelled; what is waited for is not.
            await asyncio.wait([self._running])
        self._running.result()

    # What goes out.

    async def send(self, audio: bytes) -> None:
        """Send audio of any length, in the encoding and at the rate of the connection.

        It waits while `replay_seconds` are still to be sent, as when a connection is being
        restored. Raises `SessionClosed` if the stream is over.
        """
        await self._give(audio)

    async def _give(self, audio: bytes, *, rereadable: bool = False) -> None:
        self._check_open()
        self._dispatch(events.AudioGiven(audio, rereadable))
        # A source that never waits must not keep this side from hearing what the server says.
        await asyncio.sleep(0)
        await self._until(lambda: not self._stream.is_full or self._handlers.calling)

    async def stream(self, chunks: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        """Send audio as it comes from this source. Raises as `send` does."""
        async for chunk in each(chunks):
            await self.send(chunk)

    async def stream_file(
        self,
        path: str | Path,
        *,
        track: int | str | None = None,
        progress: Callable[[float, float | None], object] | None = None,
    ) -> None:
        """Send an audio file of any common kind, as fast as it was spoken.

        `track` is the number of an audio track, from 1, or its language; None takes the default.

        What has to be sent again after a loss is read from the file, however long ago it was sent.
        `progress` is called with the seconds sent and the seconds there are, None if the file
        does not tell. Raises `AudioFileError`, and as `send` does.
        """
        from turnwire.client.files import AudioFile

        format = self._stream.format
        if format.encoding is not Encoding.PCM_S16LE:
            raise Misuse(f"Files are sent as {Encoding.PCM_S16LE}, not as {format.encoding}.")
        rate, sent = format.sample_rate, 0

        def opened() -> AudioFile:
            return AudioFile(path, sample_rate=rate, track=track)

        with opened() as file:
            self._files.add(self._stream.timeline.end, opened)
            chunks = cut(file, sample_rate=rate)
            async for chunk in paced(chunks, sample_rate=rate, clock=self._clock):
                await self._give(chunk, rereadable=True)
                sent += len(chunk)
                if progress is not None:
                    await called(progress, format.seconds(sent), file.duration_seconds)

    async def force_endpoint(self) -> None:
        """End the current turn where the audio sent so far ends."""
        self._check_open()
        self._dispatch(events.MessageGiven(FORCE_ENDPOINT, forces=True))

    async def update(self, **changes: Unpack[LiveParameters]) -> None:
        """Change parameters (`min_turn_silence=300`, in ms) from here on, in later sessions too."""
        check_names("update", changes, LiveParameters, ())
        self._check_open()
        named = {name: value for name, value in changes.items() if value is not None}
        self._carry_out(self._stream.update(named, self._clock.now()))

    async def keep_alive(self) -> None:
        """Keep `inactivity_timeout` from ending the session; idle clients do so by themselves."""
        self._check_open()
        self._dispatch(events.KeepAliveGiven())

    # What comes in.

    def __aiter__(self) -> AsyncIterator[Turn]:
        return self

    async def __anext__(self) -> Turn:
        self._check_used()
        self._iterated = True
        await self._until(lambda: bool(self._unread) or self._over)
        if not self._unread:
            self._raise_error()
            raise StopAsyncIteration
        return self._unread.popleft()

    def _raise_error(self) -> None:
        if self.closure is not None and self.closure.is_error:
            raise raised_for(self.closure)

    def _check_used(self) -> None:
        if self._running is None:
            raise Misuse("This client is not connected yet.")

    def _check_open(self) -> None:
        self._check_used()
        if self.closure is not None:
            raise raised_for(self.closure)
        if self._stream.timeline.finished:
            raise Misuse("The end of this stream has been asked for; nothing can follow.")

    # The stream's shell.

    async def _run(self) -> None:
        """Call the handlers until the last one has been told; then leave nothing behind."""
        try:
            while True:
                await self._until(lambda: bool(self._calls) or self._failure is not None)
                if self._failure is not None:
                    raise self._failure
                call = self._calls.popleft()
                self._wake()
                await self._handlers.call(call.name, *call.arguments)
                if call.name == "close":
                    return
        finally:
            await self._end()

    async def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.closure is None:
            for socket in self._sockets.values():
                socket.drop()
        open_sockets = [socket.task for socket in self._sockets.values()]
        if open_sockets:
            await asyncio.wait(open_sockets)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._files.close()
        self._stream.timeline.recording.close()
        self._over = True
        self._wake()

    def _dispatch(self, event: events.Event) -> None:
        if self._over:
            return
        try:
            self._carry_out(self._stream.receive(event, self._clock.now()))
        except Exception as error:
            # A mistake of this client; nobody is left waiting for it.
            self._failure = error
            self._wake()
            raise

    async def _report(self, event: events.LegEvent) -> None:
        if isinstance(event, events.OpenFailed):
            self._cause = event.cause
        self._dispatch(event)
        await self._until(lambda: len(self._calls) < UNCALLED or self.closure is not None)

    def _carry_out(self, effected: list[effects.Effect]) -> None:
        for effect in effected:
            match effect:
                case effects.Open():
                    self._open(effect)
                case effects.Send():
                    self._sockets[effect.leg].send(effect.frame)
                case effects.Ping():
                    self._sockets[effect.leg].ping()
                case effects.Close():
                    self._sockets[effect.leg].close()
                case effects.Drop():
                    self._sockets[effect.leg].drop()
                case effects.Reread():
                    task = asyncio.create_task(self._reread(effect))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                case effects.Call():
                    self._note(effect)
                case effects.Log():
                    _log.log(effect.level, "%s", effect.text)
        self._set_timer()
        self._wake()

    def _note(self, call: effects.Call) -> None:
        if call.name == "turn" and self._iterated:
            self._unread.append(call.arguments[0])
        if call.name == "error" and self._cause is not None:
            call.arguments[0].__cause__ = self._cause
        if getattr(self._handlers, call.name) is not None or call.name == "close":
            self._calls.append(call)

    def _open(self, effect: effects.Open) -> None:
        from turnwire.client.sockets import Socket

        async def url() -> str:
            parameters = dict(effect.parameters)
            if self._token is not None:
                parameters["token"] = await _fresh_token(self._token)
            return session_url(self._base_url, parameters)

        self._cause = None
        socket = Socket(
            effect.leg,
            url,
            self._api_key,
            self._ssl,
            report=self._report,
            unix_time=self._clock.unix_time,
        )
        self._sockets[effect.leg] = socket
        socket.task.add_done_callback(lambda task: self._closed(effect.leg, task))

    def _closed(self, leg: int, task: asyncio.Task[None]) -> None:
        self._sockets.pop(leg, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
        self._wake()

    async def _reread(self, effect: effects.Reread) -> None:
        audio = await asyncio.to_thread(self._files.read, effect.start, effect.end)
        self._dispatch(events.AudioReread(effect.leg, audio))

    def _set_timer(self) -> None:
        due = self._stream.deadline()
        if self._timer is not None and (due is None or due < self._timer_due):
            self._timer.cancel()
            self._timer = None
        # A timer that comes too early only looks again.
        if due is not None and self._timer is None:
            self._timer_due = due
            self._timer = self._clock.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._dispatch(events.Tick())

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Wait until this holds; it is looked at whenever anything has happened."""
        while not reached():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


async def _fresh_token(provider: TokenProvider) -> str:
    try:
        token = provider()
        return str(await token if inspect.isawaitable(token) else token)
    except Exception as error:
        row = TOKEN_FAILED
        text = row.fill(problem=repr(error)).text
        closure = Closure(row=row, code=row.code, text=text, by=ClosedBy.NEITHER)
        raise raised_for(closure) from error


def _trusting(ca_file: str | Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = error.strerror or error
        raise Misuse(f"The ca_file {str(ca_file)!r} cannot be used: {why}.") from None


def option_names(client: type[Any]) -> list[str]:
    """The names of its own options."""
    parameters = inspect.signature(client.__init__).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
