"""The client for programs without asyncio: an `AsyncClient` in a thread of its own."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from turnwire.client.async_client import REPLAY_SECONDS, AsyncClient, option_names
from turnwire.client.closures import Closure
from turnwire.client.errors import SessionClosed
from turnwire.client.messages import Begin, ServerMessage, SpeechStarted, Termination, Turn
from turnwire.client.parameters import LiveParameters, Parameters, check_names
from turnwire.client.reconnect import DEFAULT, Reconnect
from turnwire.client.stream import SessionRecord

T = TypeVar("T")


class Client:
    """As `AsyncClient`, with calls that block.

    with Client("ws://127.0.0.1:8080", api_key="tw_...", on_turn=show) as client:
        client.stream_file("talk.wav")
    print(client.closure)

    Handlers and the token provider run in a thread of their own, one call at a time: a slow one
    delays the next, and neither audio nor pings. They may use the client.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        token: Callable[[], str] | None = None,
        ca_file: str | Path | None = None,
        reconnect: Reconnect | None = DEFAULT,
        replay_seconds: float = REPLAY_SECONDS,
        spool: bool = False,
        fill_silence: bool = False,
        on_begin: Callable[[Begin], object] | None = None,
        on_turn: Callable[[Turn], object] | None = None,
        on_speech_started: Callable[[SpeechStarted], object] | None = None,
        on_termination: Callable[[Termination], object] | None = None,
        on_gap: Callable[[int, int, str], object] | None = None,
        on_error: Callable[[SessionClosed], object] | None = None,
        on_close: Callable[[Closure], object] | None = None,
        on_event: Callable[[ServerMessage], object] | None = None,
        **parameters: Unpack[Parameters],
    ) -> None:
        """The same as those of `AsyncClient`, but functions only. Raises as it does."""
        check_names("Client", parameters, Parameters, option_names(Client))
        self._callers = ThreadPoolExecutor(1, thread_name_prefix="turnwire-handlers")
        self._client = AsyncClient(
            base_url,
            api_key=api_key,
            token=self._elsewhere(token),
            ca_file=ca_file,
            reconnect=reconnect,
            replay_seconds=replay_seconds,
            spool=spool,
            fill_silence=fill_silence,
            on_begin=self._elsewhere(on_begin),
            on_turn=self._elsewhere(on_turn),
            on_speech_started=self._elsewhere(on_speech_started),
            on_termination=self._elsewhere(on_termination),
            on_gap=self._elsewhere(on_gap),
            on_error=self._elsewhere(on_error),
            on_close=self._elsewhere(on_close),
            on_event=self._elsewhere(on_event),
            **parameters,
        )
        self._thread: _Thread | None = None
        self._stopped = False

    @property
    def closure(self) -> Closure | None:
        """How the stream ended; None until it has."""
        return self._client.closure

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """Every session so far, in order; only the last may still be without a closure."""
        return self._client.sessions

    @property
    def audio_seconds(self) -> float:
        """How much audio the client has been given."""
        return self._client.audio_seconds

    def connect(self) -> Begin:
        """Open the first session. Raises as `AsyncClient.connect` does."""
        try:
            return self._call(self._client.connect())
        except BaseException:
            self._stop()
            raise

    def terminate(self) -> None:
        """Ask for the end, without waiting for it."""
        self._call(self._client.terminate())

    def close(self) -> None:
        """End the stream and wait for its last turn; from within a handler, without waiting.

        Raises `HandlerFailed` if a handler failed.
        """
        try:
            self._call(self._client.close())
        finally:
            if self._client.is_over:
                self._stop()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._call(self._client.__aexit__(kind, error, traceback))
        finally:
            self._stop()

    def send(self, audio: bytes) -> None:
        """Send audio of any length. Raises as `AsyncClient.send` does."""
        self._call(self._client.send(audio))

    def stream(self, chunks: Iterable[bytes]) -> None:
        """Send audio as it comes from this source."""
        for chunk in chunks:
            self.send(chunk)

    def stream_file(
        self,
        path: str | Path,
        *,
        track: int | str | None = None,
        progress: Callable[[float, float | None], object] | None = None,
    ) -> None:
        """Send an audio file, as fast as it was spoken. Raises as `AsyncClient` does."""
        told = self._elsewhere(progress)
        self._call(self._client.stream_file(path, track=track, progress=told))

    def force_endpoint(self) -> None:
        """End the current turn where the audio sent so far ends."""
        self._call(self._client.force_endpoint())

    def update(self, **changes: Unpack[LiveParameters]) -> None:
        """Change parameters from here on, in later sessions too."""
        self._call(self._client.update(**changes))

    def keep_alive(self) -> None:
        """Keep `inactivity_timeout` from ending the session."""
        self._call(self._client.keep_alive())

    def __iter__(self) -> Iterator[Turn]:
        return self

    def __next__(self) -> Turn:
        try:
            return self._call(self._client.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def _elsewhere(self, function: Callable[..., Any] | None) -> Callable[..., Any] | None:
        """The same function, called in the handlers' thread; to be awaited."""
        if function is None:
            return None

        async def called(*arguments: object) -> Any:
            # In the same context, so that the client knows calls that come from its handlers.
            run = contextvars.copy_context().run
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._callers, run, function, *arguments)

        return called

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        if self._stopped:
            # Nothing is left to wait for: turns that were not read, or an exception.
            return asyncio.run(work)
        if self._thread is None:
            self._thread = _Thread()
        return self._thread.run(work)

    def _stop(self) -> None:
        self._stopped = True
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
            self._callers.shutdown()


class _Thread:
    """A thread with an event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon, so that a program that forgot to close can end.
        self._thread = threading.Thread(target=self._loop.run_forever, name="turnwire", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this over there, and wait for it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            # Such as Ctrl-C, which stops the waiting but not what is waited for.
            future.cancel()
            raise

    def stop(self) -> None:
        """End it, with whatever is still under way there."""
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
