import asyncio
import logging
import sys
import threading
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.client.servers import Handler, serving
from tests.support import PATIENCE
from turnwire.cli import app, sources

COMMAND = [sys.executable, "-c", "from turnwire.cli import app; app(prog_name='turnwire')"]
"""`turnwire` as a process of its own."""

UNPACED_COMMAND = [
    sys.executable,
    "-c",
    "from turnwire.cli import sources; sources.paced = lambda chunks, sample_rate: chunks\n"
    f"{COMMAND[-1]}",
]
"""The same, but recordings are sent without waiting for them to be spoken."""

Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings are sent without waiting for them to be spoken."""

    def at_once(chunks: AsyncIterator[bytes], *, sample_rate: int) -> AsyncIterator[bytes]:
        return chunks

    monkeypatch.setattr(sources, "paced", at_once)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command leaves the logging of its process as it was."""
    client = logging.getLogger("turnwire.client")
    before = client.level
    yield
    assert client.level == before


@pytest.fixture
def turnwire() -> Invoke:
    """Runs the command with these arguments."""

    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(
            app, [str(argument) for argument in arguments], prog_name="turnwire"
        )

    return invoke


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """A file in which the echo engine hears "one two three", two seconds of nothing, and "four"."""
    loud, quiet = np.full(16_000, 8000, "<i2"), np.zeros(16_000, "<i2")
    samples = np.concatenate([loud[:12_000], quiet, quiet, loud[:4000], quiet[:4000]])
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return path


@contextmanager
def serving_in_thread(handler: Handler) -> Iterator[str]:
    """A server beside a command, which has an event loop of its own; yields its address."""
    address: list[str] = []
    ready = threading.Event()

    async def serve() -> None:
        async with serving(handler) as url:
            address.append(url)
            ready.set()
            await stop.wait()

    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
