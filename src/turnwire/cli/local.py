"""A server for one command: started in this process, gone when the command ends."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from rich.console import Console

from turnwire.cli.failures import fail, needs_server

DEFAULT_MODEL = "tiny.en"


@asynccontextmanager
async def local_server(model: str) -> AsyncIterator[tuple[str, str]]:
    """A server with this model on a free port: its URL, and a key that it accepts."""
    async with AsyncExitStack() as stack:
        with needs_server():
            from turnwire.server.running import running
            from turnwire.speech.engine import EngineError

            try:
                # Shows on a terminal only.
                with Console(stderr=True).status(f"Loading the model {model}"):
                    server = await stack.enter_async_context(running(model))
            except EngineError as error:
                fail(str(error))
        yield server.url, server.api_key
