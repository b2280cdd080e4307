"""What is written by a thread of its own, to pipes that are read late, never, or by nobody."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest

from turnwire.cli.lines import LineWriter, logging_to

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with suppress(OSError):  # The test has closed it.
            os.close(end)


def read(reader: int, size: int) -> bytes:
    content = b""
    while len(content) < size:
        content += os.read(reader, size - len(content))
    return content


def test_lines_are_written_in_their_order(pipe: Pipe) -> None:
    reader, descriptor = pipe
    writer = LineWriter(descriptor, str)
    for number in range(1000):
        writer.write(f"line {number}")
    expected = "".join(f"line {number}\n" for number in range(1000)).encode()
    assert read(reader, len(expected)) == expected
    writer.close()


def test_what_finds_no_room_is_dropped_and_counted(pipe: Pipe) -> None:
    reader, descriptor = pipe
    writer = LineWriter(descriptor, lambda lines: f"{lines} lost")
    line = "x" * 9_999
    written = [writer.write(line) for _ in range(200)]
    lost = sum(each.done() and each.exception() is not None for each in written)
    assert 0 < lost < 200
    # A count comes before the first that is written after it began, wherever that is; where a line
    # finds room among those that are lost, there are more of them.
    last = writer.write("short")
    content = b""
    while not content.endswith(b"short\n"):
        content += os.read(reader, 65_536)
    assert last.result(10) is None
    assert sum(map(int, re.findall(rb"(\d+) lost\n", content))) == lost
    assert content.count(b"x") == 9_999 * (200 - lost)
    writer.close()


def test_what_cannot_be_written_says_so(pipe: Pipe) -> None:
    reader, descriptor = pipe
    os.close(reader)
    writer = LineWriter(descriptor, str)
    assert isinstance(writer.write("anybody?").exception(10), BrokenPipeError)
    writer.close()
    assert isinstance(writer.write("too late").exception(10), BlockingIOError)


def test_a_disk_that_was_full_has_the_next_lines(pipe: Pipe) -> None:
    reader, descriptor = pipe
    full = os.open("/dev/full", os.O_WRONLY)
    kept = os.dup(descriptor)
    os.dup2(full, descriptor)
    writer = LineWriter(descriptor, lambda lines: f"{lines} lost")
    for _ in range(3):
        assert writer.write("lost").exception(10) is not None
    os.dup2(kept, descriptor)
    writer.write("here").result(10)
    assert read(reader, 12) == b"3 lost\nhere\n"
    writer.close()
    os.close(kept)
    os.close(full)


def test_what_is_logged_has_its_time_and_its_level(pipe: Pipe) -> None:
    reader, descriptor = pipe
    level = logging.getLogger().level
    with logging_to(descriptor):
        logging.getLogger("turnwire.anything").info("%d sessions", 3)
    logging.getLogger().setLevel(level)
    date, time, rest = os.read(reader, 1000).decode().split(" ", 2)
    assert (len(date), len(time), rest) == (10, 12, "INFO 3 sessions\n")
