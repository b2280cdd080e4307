"""What goes on beside a server's sessions: leases, and what extensions do."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from turnwire.clock import LoopClock
from turnwire.server.extensions import Extension
from turnwire.server.service import Service

logger = logging.getLogger(__name__)


@asynccontextmanager
async def kept_up(service: Service) -> AsyncIterator[None]:
    """For as long as the context lasts. The way out ends all sessions first."""
    tasks = [
        asyncio.create_task(service.leases.keep()),
        asyncio.create_task(service.leases.sweep()),
        asyncio.create_task(service.lag.watch(LoopClock())),  # no time but the real
        *(asyncio.create_task(_run(extension)) for extension in service.extensions),
    ]
    try:
        yield
    finally:
        await service.stop()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _run(extension: Extension) -> None:
    try:
        await extension.run()
    except Exception:
        logger.exception("%s failed; the server goes on without it", type(extension).__name__)
