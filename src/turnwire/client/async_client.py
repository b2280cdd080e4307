"""The client as programs with asyncio see it.

It tells its stream what the program does, by way of the `shell`; all else goes on in there.
"""

import asyncio
import inspect
import random as random_numbers
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
)
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from turnwire.client import events
from turnwire.client.address import session_url
from turnwire.client.audio import AudioFormat
from turnwire.client.closures import Closure
from turnwire.client.connector import Connector, TokenProvider
from turnwire.client.errors import Misuse, SessionClosed, raised_for
from turnwire.client.handlers import GapHandler, Handler, Handlers, called
from turnwire.client.messages import Begin, ServerMessage, SpeechStarted, Termination, Turn
from turnwire.client.pacing import cut, each, paced
from turnwire.client.parameters import LiveParameters, Parameters, check_names
from turnwire.client.reconnect import DEFAULT, Budget, Reconnect
from turnwire.client.recording import DiskRecording, MemoryRecording
from turnwire.client.sending import FORCE_ENDPOINT
from turnwire.client.shell import Shell
from turnwire.client.stream import ClientStream, SessionRecord
from turnwire.clock import Clock, LoopClock
from turnwire.wire.encodings import Encoding

REPLAY_SECONDS = 120.0
"""How much audio is kept at most: what can be sent again after a loss, and what `send` takes
while there is no session."""


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
        connector = Connector(base_url, api_key=api_key, token=token, ca_file=ca_file)
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
        self._shell = Shell(self._stream, self._handlers, connector, self._clock)

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
    def takes_recordings(self) -> bool:
        """Whether the server hears a recording faster than it was spoken. It does if it was asked
        to (`recording=True`) and is one that can; `send` then waits until it may go on."""
        return self._stream.takes_recordings

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended, and all handlers have been told."""
        return self._shell.is_over

    # The beginning and the end.

    async def connect(self) -> Begin:
        """Open the first session, within 10 s.

        Raises the `SessionClosed` of its closure if the server refuses, or if there is none;
        `on_error` and `on_close` are called first. This is not tried again.
        """
        if self._shell.is_used:
            raise Misuse("This client has been used; make another one.")
        self._shell.start()
        try:
            await self._shell.until(lambda: self.is_over or self._stream.begun is not None)
        except asyncio.CancelledError:
            self._shell.dispatch(events.Abandoned())
            await self._shell.finished()
            raise
        if self._stream.begun is None:
            await self._shell.finished()
            assert self.closure is not None
            raise raised_for(self.closure) from self._shell.cause
        return self._stream.begun

    async def terminate(self) -> None:
        """Ask for the end, without waiting for it: what was sent so far is still heard."""
        self._check_used()
        self._shell.dispatch(events.Finished())

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
            self._shell.dispatch(events.Abandoned())
            await self._until_over(silently=True)
            return
        await self.close()
        if self._handlers.error is None:
            self._raise_error()

    async def _until_over(self, *, silently: bool = False) -> None:
        if self._handlers.calling:
            return
        await self._shell.finished()
        if self._handlers.failure is not None and not silently:
            failure, self._handlers.failure = self._handlers.failure, None
            raise failure

    # What goes out.

    async def send(self, audio: bytes) -> None:
        """Send audio of any length, in the encoding and at the rate of the connection.

        It waits while `replay_seconds` are still to be sent, as when a connection is being
        restored; with `recording=True` while two are. Raises `SessionClosed` if the stream is over.
        """
        await self._give(audio)

    async def _give(self, audio: bytes, *, rereadable: bool = False) -> None:
        self._check_open()
        self._shell.dispatch(events.AudioGiven(audio, rereadable))
        # A source that never waits must not keep this side from hearing what the server says.
        await asyncio.sleep(0)
        await self._shell.until(lambda: not self._stream.is_full or self._handlers.calling)

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
        """Send an audio file of any common kind, as fast as it was spoken; or as fast as it is
        heard, if that was asked for (`recording=True`) and the server does it.

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
            self._shell.files.add(self._stream.timeline.end, opened)
            chunks = cut(file, sample_rate=rate)
            if not self.takes_recordings:
                chunks = paced(chunks, sample_rate=rate, clock=self._clock)
            async for chunk in chunks:
                await self._give(chunk, rereadable=True)
                sent += len(chunk)
                if progress is not None:
                    await called(progress, format.seconds(sent), file.duration_seconds)

    async def force_endpoint(self) -> None:
        """End the current turn where the audio sent so far ends."""
        self._check_open()
        self._shell.dispatch(events.MessageGiven(FORCE_ENDPOINT, forces=True))

    async def update(self, **changes: Unpack[LiveParameters]) -> None:
        """Change parameters (`min_turn_silence=300`, in ms) from here on, in later sessions too."""
        check_names("update", changes, LiveParameters, ())
        self._check_open()
        named = {name: value for name, value in changes.items() if value is not None}
        self._shell.carry_out(self._stream.update(named, self._clock.now()))

    async def keep_alive(self) -> None:
        """Keep `inactivity_timeout` from ending the session; idle clients do so by themselves."""
        self._check_open()
        self._shell.dispatch(events.KeepAliveGiven())

    # What comes in.

    def __aiter__(self) -> AsyncIterator[Turn]:
        return self

    async def __anext__(self) -> Turn:
        self._check_used()
        self._shell.keeps_turns = True
        unread = self._shell.unread
        await self._shell.until(lambda: bool(unread) or self.is_over)
        if not unread:
            self._raise_error()
            raise StopAsyncIteration
        return unread.popleft()

    def _raise_error(self) -> None:
        if self.closure is not None and self.closure.is_error:
            raise raised_for(self.closure)

    def _check_used(self) -> None:
        if not self._shell.is_used:
            raise Misuse("This client is not connected yet.")

    def _check_open(self) -> None:
        self._check_used()
        if self.closure is not None:
            raise raised_for(self.closure)
        if self._stream.timeline.finished:
            raise Misuse("The end of this stream has been asked for; nothing can follow.")


def option_names(client: type[Any]) -> list[str]:
    """The names of its own options."""
    parameters = inspect.signature(client.__init__).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
