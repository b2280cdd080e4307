"""Threads and child processes that are still there when what started them is over."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

GRACE_SECONDS = 30.0
"""How long they may take to end, once they have been told to."""

PROCESS_WIDE = (
    "tqdm",  # its monitor, one for all bars of progress
    "pytest_timeout",
    "multiprocessing.resource_tracker",
)
"""What is started once and belongs to the process: threads by their names, processes
by what their command lines contain."""

ON_DEMAND = (
    "asyncio_",  # the default executor of an event loop
    "AnyIO worker thread",  # those of a web application
    "waitpid-",  # by which an event loop notices that a child has ended
    "turnwire.codecs.forking",
)
"""What a running server starts only when it is first needed: threads by their
names, processes by what their command lines contain."""


@dataclass(frozen=True)
class Running:
    """The threads and the child processes of this process at one moment."""

    threads: frozenset[threading.Thread]
    children: frozenset[int]

    @classmethod
    def now(cls) -> Self:
        return cls(frozenset(filter(_counts, threading.enumerate())), frozenset(_children()))

    def __or__(self, other: Self) -> Self:
        return type(self)(self.threads | other.threads, self.children | other.children)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.threads - other.threads, self.children - other.children)

    def assert_nothing_more(self, *, but: Sequence[str] = ()) -> None:
        """That nothing has come since, or nothing but what has one of these names."""
        deadline = time.monotonic() + GRACE_SECONDS
        while left := [name for name in (self.now() - self)._names() if not _matches(name, but)]:
            assert time.monotonic() < deadline, f"still running: {', '.join(left)}"
            time.sleep(0.01)

    def _names(self) -> list[str]:
        return [*(thread.name for thread in self.threads), *map(_command, self.children)]


NOTHING = Running(frozenset(), frozenset())


def _counts(thread: threading.Thread) -> bool:
    """Whether a thread is one of ours, or keeps the process from ending; others' may be idle."""
    return thread.name.startswith("turnwire") or not thread.daemon


def _matches(name: str, names: Sequence[str]) -> bool:
    return any(each in name for each in (*names, *PROCESS_WIDE))


def _children() -> list[int]:
    """The children of this process, as Linux lists them; elsewhere none are known."""
    found: list[int] = []
    for task in Path("/proc/self/task").glob("[0-9]*"):
        with suppress(OSError):  # The thread has ended meanwhile.
            found += map(int, (task / "children").read_text().split())
    return found


def _command(process: int) -> str:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        command = ""
    return f"process {process} {command.strip() or '(ended, and nobody has waited for it)'}"
