"""A cluster of up to a thousand nodes, simulated: where its one database ends.

    .venv/bin/python benchmarks/cluster.py

Nodes and clients are events on a line of time; what a transaction costs was measured by
`benchmarks/ledger.py`. A transaction is statements, each a way to the database and back, during
which it may hold the lock of its account; the database has so many cores, and makes what finds none
wait. Sessions come at random, last ten minutes, are renewed every 5 s, all of a node at once, and
end. What comes to a node while it has a transaction under way is done in the next one, as
`accounts/batcher.py` does it.
"""

import argparse
import heapq
import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count

RENEWAL_SECONDS = 5.0

SESSION_SECONDS = 600.0

SIMULATED_SECONDS = 60.0

MOST_RENEWAL_SECONDS = 5.0
"""A renewal that takes longer has failed."""

MOST_ADMISSION_SECONDS = 2.0
"""A client that waits longer is refused with 1011."""


@dataclass(frozen=True)
class Cost:
    """Of one transaction, in the database."""

    statements: int
    locked: int
    """How many of them are after the account was locked, with the commit."""
    cpu_ms: float
    each_cpu_ms: float
    """What each session in it adds."""
    open_cpu_ms: float = 0.0
    """What each thousand of sessions adds that its accounts have open: they are counted."""


@dataclass(frozen=True)
class Costs:
    admissions: Cost
    renewals: Cost
    endings: Cost


# Statements are those of `accounts/entrance.py` and `accounts/leases.py`, with the check of the
# connection, BEGIN and COMMIT. CPU times are those of `benchmarks/ledger.py`, with and without
# --open 5000.
COUNTED = Costs(
    Cost(statements=12, locked=7, cpu_ms=3.8, each_cpu_ms=0.13, open_cpu_ms=0.5),
    Cost(statements=14, locked=8, cpu_ms=4.7, each_cpu_ms=0.32, open_cpu_ms=0.7),
    Cost(statements=9, locked=3, cpu_ms=2.7, each_cpu_ms=0.17),
)
"""Of accounts with a balance and a limit of sessions at once."""

FREE = Costs(
    Cost(statements=12, locked=7, cpu_ms=3.8, each_cpu_ms=0.13),
    Cost(statements=10, locked=0, cpu_ms=4.7, each_cpu_ms=0.32),
    Cost(statements=8, locked=0, cpu_ms=2.7, each_cpu_ms=0.17),
)
"""Of accounts without: their sessions are renewed and ended without a lock, and not counted."""


@dataclass(frozen=True)
class Setting:
    nodes: int
    sessions: int
    """Of a node."""
    accounts: int
    """Each node has sessions of as many of them as it can."""
    costs: Costs
    cores: int
    """The database's."""
    way_ms: float
    """From a node to the database and back."""


class Line:
    """What waits for something of which there is only so much, in the order in which it came."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[Callable[[], None]] = deque()

    def take(self, then: Callable[[], None]) -> None:
        if self._free:
            self._free -= 1
            then()
        else:
            self._waiting.append(then)

    def leave(self) -> None:
        if self._waiting:
            self._waiting.popleft()()
        else:
            self._free += 1


Step = tuple[str, float | Line]
"""What a process waits for, `("pause", seconds)` or `("take", line)`; it goes on at once after
`("leave", line)`."""

Process = Generator[Step, None, None]


class Simulation:
    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def run(self, process: Process) -> None:
        """Run a process to its next pause, and from there on when that is over."""
        for what, of in process:
            if what == "pause":
                assert isinstance(of, float)
                self._after(of, lambda: self.run(process))
                return
            assert isinstance(of, Line)
            if what == "leave":
                of.leave()
            else:
                of.take(lambda: self._after(0.0, lambda: self.run(process)))
                return

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._order), then))

    def until(self, end: float) -> None:
        while self._events and self._events[0][0] < end:
            self.now, _, then = heapq.heappop(self._events)
            then()


@dataclass
class Seen:
    """What was measured, in seconds."""

    admissions: list[float] = field(default_factory=list)
    renewals: list[float] = field(default_factory=list)
    transactions: int = 0
    busy: float = 0.0
    """Of the database's cores, in all."""


class Cluster:
    def __init__(self, setting: Setting, seed: int = 1) -> None:
        self.setting = setting
        self.simulation = Simulation()
        self.seen = Seen()
        self.random = random.Random(seed)
        self._cores = Line(setting.cores)
        self._open = setting.nodes * setting.sessions / setting.accounts
        """Sessions of an account."""
        self._locks = [Line(1) for _ in range(setting.accounts)]

    def run(self) -> Seen:
        for _ in range(self.setting.nodes):
            Node(self).start()
        self.simulation.until(SIMULATED_SECONDS)
        return self.seen

    def transaction(self, cost: Cost, sessions: int, accounts: list[int]) -> Process:
        """Its statements, one after the other; the last ones with the accounts locked."""
        self.seen.transactions += 1
        counted = len(accounts) * self._open / 1000
        milliseconds = cost.cpu_ms + sessions * cost.each_cpu_ms + counted * cost.open_cpu_ms
        cpu = milliseconds / 1000 / cost.statements
        for _ in range(cost.statements - cost.locked):
            yield from self._statement(cpu)
        locked = sorted(accounts) if cost.locked else []
        for account in locked:
            yield "take", self._locks[account]
        for _ in range(cost.locked):
            yield from self._statement(cpu)
        for account in locked:
            yield "leave", self._locks[account]

    def _statement(self, cpu: float) -> Process:
        yield "pause", self.setting.way_ms / 1000
        yield "take", self._cores
        yield "pause", cpu
        self.seen.busy += cpu
        yield "leave", self._cores


class Node:
    """One process: its sessions come, are renewed, and end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._coming: list[float] = []
        self._ending: list[float] = []
        accounts = range(cluster.setting.accounts)
        most = min(len(accounts), cluster.setting.sessions)
        self._accounts = cluster.random.sample(accounts, most)

    def start(self) -> None:
        run = self._cluster.simulation.run
        costs = self._cluster.setting.costs
        run(self._arrivals(self._coming, costs.admissions, self._cluster.seen.admissions))
        run(self._arrivals(self._ending, costs.endings, []))
        run(self._renewals())

    def _arrivals(self, waiting: list[float], cost: Cost, took: list[float]) -> Process:
        rate = self._cluster.setting.sessions / SESSION_SECONDS
        working = [False]
        while True:
            yield "pause", self._cluster.random.expovariate(rate)
            waiting.append(self._cluster.simulation.now)
            if not working[0]:
                working[0] = True
                self._cluster.simulation.run(self._work(waiting, cost, took, working))

    def _work(
        self, waiting: list[float], cost: Cost, took: list[float], working: list[bool]
    ) -> Process:
        while waiting:
            batch = waiting[:100]
            del waiting[:100]
            some = self._cluster.random.sample(self._accounts, min(len(batch), len(self._accounts)))
            yield from self._cluster.transaction(cost, len(batch), some)
            took.extend(self._cluster.simulation.now - came for came in batch)
        working[0] = False

    def _renewals(self) -> Process:
        yield "pause", self._cluster.random.uniform(0, RENEWAL_SECONDS)
        while True:
            began = self._cluster.simulation.now
            setting = self._cluster.setting
            yield from self._cluster.transaction(
                setting.costs.renewals, setting.sessions, self._accounts
            )
            self._cluster.seen.renewals.append(self._cluster.simulation.now - began)
            yield "pause", RENEWAL_SECONDS


def row(setting: Setting) -> str:
    seen = Cluster(setting).run()
    admissions, renewals = sorted(seen.admissions), sorted(seen.renewals)
    late = sum(each > MOST_ADMISSION_SECONDS for each in admissions)
    holds = not late and renewals[-1] < MOST_RENEWAL_SECONDS
    # Those that are still waiting at the end came to nothing.
    expected = setting.nodes * SIMULATED_SECONDS / RENEWAL_SECONDS
    holds = holds and len(renewals) > 0.9 * expected
    return (
        f"| {setting.accounts:,} {'with limits' if setting.costs is COUNTED else 'without'} "
        f"| {setting.nodes:,} | {setting.nodes * setting.sessions:,} "
        f"| {len(admissions) / SIMULATED_SECONDS:,.0f} "
        f"| {seen.transactions / SIMULATED_SECONDS:,.0f} "
        f"| {100 * seen.busy / SIMULATED_SECONDS / setting.cores:.0f} % "
        f"| {1000 * _p95(admissions):,.0f} ms | {1000 * _p95(renewals):,.0f} ms "
        f"| {'yes' if holds else 'no'} |"
    )


def _p95(values: list[float]) -> float:
    return values[int(0.95 * len(values))] if values else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 100, 300, 1000])
    parser.add_argument("--accounts", type=int, nargs="+", default=[1, 1000])
    parser.add_argument("--sessions", type=int, default=48, help="of a node")
    parser.add_argument("--cores", type=int, default=8, help="of the database")
    parser.add_argument("--way-ms", type=float, default=0.5, help="to the database and back")
    given = parser.parse_args()
    print("| Accounts | Nodes | Sessions | Admissions/s | Transactions/s | Database's CPU ", end="")
    print("| Admission, p95 | Renewal, p95 | Holds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for costs in (COUNTED, FREE):
        for accounts in given.accounts:
            for nodes in given.nodes:
                print(
                    row(Setting(nodes, given.sessions, accounts, costs, given.cores, given.way_ms))
                )


if __name__ == "__main__":
    main()
