"""The process id of a server that runs, in its data directory, for commands that speak to it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def pid_file(folder: Path, port: int) -> Iterator[None]:
    """Say which process serves at this port. It is locked: a file that is not is of nobody."""
    path = _path(folder, port)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # Another server has the port on another address; it was first.
            yield
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def running_server(folder: Path, port: int) -> int | None:
    """The process that serves at this port with its accounts in this folder; None if there is
    none."""
    try:
        with _path(folder, port).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read())
    except FileNotFoundError:
        pass
    return None


def _path(folder: Path, port: int) -> Path:
    return folder / f"serve-{port}.pid"
