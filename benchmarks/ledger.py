"""What the accounts cost: admissions, renewals and endings, one at a time and many together.

    .venv/bin/python benchmarks/ledger.py postgresql://postgres@/postgres?host=/run/postgresql

The database should be empty, and PostgreSQL on this machine, where its CPU time can be read.
"""

import argparse
import asyncio
import itertools
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from turnwire.accounts.admission import Usage
from turnwire.accounts.store import Store
from turnwire.wire.closures import SESSION_ENDED

TOGETHER = (1, 10, 50)
"""How many come at once."""

ROUNDS = 60

_ids = (f"session-{number}" for number in itertools.count())
_statements = itertools.count()


@event.listens_for(Engine, "before_cursor_execute")
def _count(*_: object) -> None:
    next(_statements)


@dataclass(frozen=True)
class Figures:
    what: str
    together: int
    """How many came at once; the figures are for all of them."""
    wall_ms: float
    node_cpu_ms: float
    database_cpu_ms: float | None
    statements: float


class Meter:
    """CPU times of this process and of the database's."""

    def __init__(self, server: int | None) -> None:
        self._server = server

    async def measure(self, what: str, together: int, do: Callable[[], Awaitable[None]]) -> Figures:
        await do()
        before = self._read()
        for _ in range(ROUNDS):
            await do()
        wall, cpu, database, statements = (
            1000 * (after - first) / ROUNDS
            for after, first in zip(self._read(), before, strict=True)
        )
        told = None if self._server is None else round(database, 3)
        # One statement of those was counted by each reading itself.
        count = round((statements - 1000 / ROUNDS) / 1000, 1)
        return Figures(what, together, round(wall, 3), round(cpu, 3), told, count)

    def _read(self) -> tuple[float, float, float, int]:
        database = 0.0 if self._server is None else _cpu_of_children(self._server)
        return time.perf_counter(), time.process_time(), database, next(_statements)


def _cpu_of_children(parent: int) -> float:
    """Seconds that the children of a process have used, the ended ones included."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended meanwhile.
        if int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
        elif folder.name == str(parent):
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


async def _server_of(store: Store) -> int:
    """The process that is the parent of those that serve PostgreSQL's connections."""
    async with store.database.begin() as db:
        backend = await db.scalar(text("SELECT pg_backend_pid()"))
    return _parent(int(backend or 0))


async def measured(url: str, open_sessions: int) -> list[Figures]:
    store = await Store.open(url, node="here")
    name = f"account-{time.time_ns()}"
    await store.management.create_account(name, max_sessions=100_000, balance_ms=10**12)
    await store.management.update_account(name, sessions_per_minute=None)
    key = await store.management.create_key(name, name="")
    await asyncio.gather(*(store.begin(id, key) for id in itertools.islice(_ids, open_sessions)))
    meter = Meter(await _server_of(store) if url.startswith("postgres") else None)
    figures = []
    for together in TOGETHER:
        figures += await _measured(store, key, together, meter)
    await store.close()
    return figures


async def _measured(store: Store, key: str, together: int, meter: Meter) -> list[Figures]:
    open_: list[str] = []

    async def admit() -> None:
        new = list(itertools.islice(_ids, together))
        open_.extend(new)
        await asyncio.gather(*(store.begin(session, key) for session in new))

    async def renew() -> None:
        await store.renew({session: Usage(session_ms=5000) for session in open_[:together]})

    async def end() -> None:
        ending = [open_.pop() for _ in range(together)]
        done = SESSION_ENDED.fill()
        await asyncio.gather(*(store.end(each, Usage(session_ms=6000), done) for each in ending))

    return [
        await meter.measure("admissions", together, admit),
        await meter.measure("renewals", together, renew),
        await meter.measure("endings", together, end),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("database", help="its URL")
    parser.add_argument("--open", type=int, default=0, help="sessions that the account has open")
    given = parser.parse_args()
    for figures in asyncio.run(measured(given.database, given.open)):
        print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    main()
