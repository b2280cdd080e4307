"""A server that runs within this process, on a socket of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from turnwire.accounts.database import IN_MEMORY
from turnwire.accounts.store import Store
from turnwire.server.extensions import Extend
from turnwire.server.http import listening
from turnwire.server.port import Port
from turnwire.server.service import Service
from turnwire.server.site import Interceptor
from turnwire.server.tls import self_signed
from turnwire.speech import load_engine
from turnwire.speech.engine import Engine


@dataclass(frozen=True, slots=True)
class RunningServer:
    url: str
    """ws://host:port, without a path; wss with TLS."""
    api_key: str
    """A key that it accepts."""
    ca_file: Path | None = None
    """With TLS, the authority that clients are to trust."""


@asynccontextmanager
async def running(
    model: str | Engine = "tiny.en",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: bool = False,
    intercept: Interceptor | None = None,
    extend: Sequence[Extend] = (),
) -> AsyncIterator[RunningServer]:
    """A server for as long as the context lasts; its accounts, one with a key, are gone then.

    `model` is a name, or an engine. With `tls` it is wss://, and its certificate is signed by an
    authority of its own. Raises `turnwire.speech.engine.EngineError` if the model cannot be loaded.
    """
    with Port.take(host, port) as taken:
        engine = await asyncio.to_thread(load_engine, model) if isinstance(model, str) else model
        store = await Store.open(IN_MEMORY, node="here")
        await store.management.create_account("here", sessions_per_minute=None)
        key = await store.management.create_key("here", name="here")
        # Small containers may have no place for temporary files.
        with TemporaryDirectory(prefix="turnwire-") if tls else nullcontext("") as folder:
            own = self_signed(Path(folder), host, now=time.time()) if tls else None
            service = Service(engine, store, extend=extend)
            context = own.context if own else None
            async with listening(
                service,
                taken,
                tls=(lambda: context) if context else None,
                intercept=intercept,
            ) as url:
                yield RunningServer(url, key, own.ca_file if own else None)
