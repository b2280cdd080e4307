"""A real server for the tests of an application: fixtures in `turnwire.pytest_plugin`."""

import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from turnwire.rehearsal.interceptor import Rehearsal
from turnwire.rehearsal.plan import ANEW, PREFIX, SEQUENCE, BadPlan, parse
from turnwire.server.running import RunningServer, running
from turnwire.speech.echo import COUNTING, EchoEngine
from turnwire.speech.engine import Engine
from turnwire.webhooks.sending import webhooks
from turnwire.wire.limits import SESSION_PATH

ECHO = "echo"
"""The model that needs no weights, and hears what a test tells it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a client can open sessions."""

    host: str
    """For clients that append the path themselves, as the official SDKs do: ws://127.0.0.1:8080."""

    @property
    def url(self) -> str:
        """With the path."""
        return self.host + SESSION_PATH


class ScriptedEngine(EchoEngine):
    """Hears in each session the words of a script, which can be changed between sessions."""

    def learn(self, words: Sequence[str]) -> None:
        self._script = words


class LocalServer:
    """A server that runs in a thread of this process, with one key."""

    def __init__(self, server: RunningServer, engine: ScriptedEngine | None) -> None:
        self.host = server.url
        self.api_key = server.api_key
        self.ca_file = server.ca_file
        """The authority that clients are to trust; None: it speaks ws, not wss."""
        self._engine = engine
        self._sequences = itertools.count()

    @property
    def url(self) -> str:
        return Address(self.host).url

    def script(self, *texts: str) -> None:
        """From the next session on, hear these words, over and over; one for 250 ms of loud audio.

        Without any, the server counts again. Raises ValueError if its model really listens.
        """
        if self._engine is None:
            raise ValueError(f"Only the model {ECHO!r} hears what it is told.")
        self._engine.learn([word for text in texts for word in text.split()] or COUNTING)

    def rehearsal(
        self, *fates: str, after: str | None = None, before_begin: bool = False
    ) -> Address:
        """Where this happens to whoever connects, or one after the other to one after the other.

        Fates are closures and faults by their names or codes; GET /rehearse lists them. `after`
        is such as 5s, 3turns or 20frames. Raises ValueError for what cannot be rehearsed.
        """
        path = fates[0] if len(fates) == 1 else self._sequence(fates)
        path += "/before-begin" if before_begin else ""
        path += f"/after/{after}" if after is not None else ""
        try:
            _, rest = parse(f"{PREFIX}/{path}{SESSION_PATH}")
        except BadPlan as wrong:
            raise ValueError(str(wrong)) from None
        if rest != SESSION_PATH:
            raise ValueError(f"{path!r} cannot be rehearsed; a sequence has no cue.")
        return Address(f"{self.host}{PREFIX}/{path}")

    def _sequence(self, fates: Sequence[str]) -> str:
        # A name of its own has each sequence begin at its beginning.
        return f"{SEQUENCE}/{','.join(fates)}/{ANEW}/{next(self._sequences)}"


@contextmanager
def serving(model: str | Engine = ECHO, *, tls: bool = False) -> Iterator[LocalServer]:
    """A server on a free port, with an event loop of its own, that can rehearse.

    `model` is a name, or an engine. With `tls` it speaks wss. Raises
    `turnwire.speech.engine.EngineError` if the model cannot be loaded.
    """
    engine = ScriptedEngine() if model == ECHO else None
    started: Future[tuple[asyncio.AbstractEventLoop, LocalServer]] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        async with running(
            engine or model,
            tls=tls,
            intercept=Rehearsal,
            extend=[webhooks(allow_private=True)],
        ) as server:
            started.set_result((asyncio.get_running_loop(), LocalServer(server, engine)))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="turnwire", daemon=True)
    thread.start()
    loop, server = started.result()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
