"""`turnwire serve --workers N`: the process that has the port, and what people see of it."""

import asyncio
import sys
from pathlib import Path

from turnwire.cli.lines import LineWriter
from turnwire.cli.serving import known, listen_to_signals, say_draining, say_ready, say_stopping
from turnwire.cli.systemd import notify
from turnwire.server.port import Port
from turnwire.server.settings import Settings
from turnwire.workers.supervisor import Supervisor

WORKER = (sys.executable, "-P", "-m", "turnwire.cli.worker")


async def supervise(settings: Settings, port: Port, output: LineWriter) -> None:
    """Raises `WorkerFailed`, `SettingsError` and `AddressUnusable`."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    encrypted = settings.tls_self_signed or settings.tls_cert is not None
    url = port.url("wss" if encrypted else "ws")
    supervisor = Supervisor(settings, port, url, WORKER, drain_asked=stop.set)
    listen_to_signals(stop, hurry, supervisor.read_certificate)
    async with known(settings, port):
        try:
            if not await _started(supervisor, stop):
                return
            ca_file = supervisor.ca_file
            say_ready(
                output,
                settings,
                port,
                url,
                supervisor.session_limit,
                None if ca_file is None else Path(ca_file),
            )
            notify("READY=1", f"STATUS=Ready at {url}/v3/ws")
            await stop.wait()
            notify("STOPPING=1", "STATUS=Draining: open sessions go on, new ones are refused")
            if supervisor.sessions:
                say_draining(output, settings)
            await supervisor.drain(hurry)
            say_stopping(output)
        finally:
            await supervisor.close()


async def _started(supervisor: Supervisor, stop: asyncio.Event) -> bool:
    """Whether it is ready; not if it is to stop before. Raises what `start` does."""
    starting, stopping = asyncio.create_task(supervisor.start()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            return True
        return False
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.wait((starting, stopping))
