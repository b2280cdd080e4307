"""Lines written by a thread of their own, so that nobody waits until somebody reads them."""

import errno
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from turnwire.cli.log_formats import FORMATTERS

WAITING_BYTES = 1 << 20
"""How much may wait. A log of that length takes minutes to be produced, and a second to be read."""

FAREWELL_SECONDS = 1.0
"""How long the last lines may take when the process ends."""


@dataclass(frozen=True, slots=True)
class _Line:
    content: bytes
    written: "Future[None]" = field(default_factory=Future)


class LineWriter:
    """Writes lines to a descriptor: a pipe that nobody empties stops its thread, and only that.

    Lines that find no room, or that cannot be written, are dropped; the next that is written comes
    after one that says how many.
    """

    def __init__(self, descriptor: int, dropped: Callable[[int], str]) -> None:
        self._descriptor = descriptor
        self._say_dropped = dropped
        self._waiting: deque[_Line] = deque()
        self._bytes = 0
        self._dropped = 0
        self._closing = False
        self._changed = threading.Condition()
        # What waits for a reader must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="turnwire-lines", daemon=True)
        self._thread.start()

    def write(self, text: str) -> "Future[None]":
        """Have a line written; never waits. The future has an OSError if that is impossible."""
        line = _Line(f"{text}\n".encode(errors="backslashreplace"))
        with self._changed:
            if self._bytes + len(line.content) > WAITING_BYTES or self._closing:
                self._dropped += 1
                line.written.set_exception(BlockingIOError("nobody reads what is written"))
            else:
                self._waiting.append(line)
                self._bytes += len(line.content)
                self._changed.notify()
        return line.written

    def close(self) -> None:
        """Take no more lines; the last ones are written, if somebody reads them."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(FAREWELL_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                line = self._waiting.popleft()
                self._bytes -= len(line.content)
            if line.written.set_running_or_notify_cancel():
                self._write(line)

    def _write(self, line: _Line) -> None:
        dropped = self._dropped
        try:
            if dropped:
                self._put(f"{self._say_dropped(dropped)}\n".encode())
                self._count_dropped(-dropped)
            self._put(line.content)
        except OSError as error:
            self._count_dropped(1)
            line.written.set_exception(error)
        else:
            line.written.set_result(None)

    def _count_dropped(self, more: int) -> None:
        with self._changed:
            self._dropped += more

    def _put(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                # Somebody else who has this terminal or pipe does not want to wait for it.
                select.select([], [self._descriptor], [])


def why_not(error: OSError) -> str:
    """Why something could not be written, for people."""
    return "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)


class LineHandler(logging.Handler):
    """Logs through a `LineWriter`."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
        else:
            self._writer.write(line)


@contextmanager
def writing_to(descriptor: int) -> Iterator[LineWriter]:
    """A writer for what a command tells people while it runs."""
    writer = LineWriter(descriptor, lambda lines: f"({lines} lines could not be written)")
    try:
        yield writer
    finally:
        writer.close()


@contextmanager
def logging_to(
    descriptor: int, formatter: logging.Formatter = FORMATTERS["text"], level: int = logging.INFO
) -> Iterator[None]:
    """Have what is logged written to this descriptor.

    From `level` on, but of libraries from INFO on: below, some tell what they are given.
    """

    def dropped(lines: int) -> str:
        text = "%d lines of the log were dropped here: they could not be written"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (lines,), None)
        return formatter.format(record)

    writer = LineWriter(descriptor, dropped)
    handler = LineHandler(writer)
    handler.setFormatter(formatter)
    root, ours = logging.getLogger(), logging.getLogger("turnwire")
    before = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(max(level, logging.INFO))
    ours.setLevel(level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before[0])
        ours.setLevel(before[1])
        writer.close()
