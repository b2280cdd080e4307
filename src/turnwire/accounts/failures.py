"""What a database's driver says, in one sentence for people."""

import asyncio
import sqlite3

from sqlalchemy.exc import DBAPIError, TimeoutError

BUSY_SECONDS = 30.0
"""How long a transaction waits for those of other processes."""

_SQLITE = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_BUSY": f"another process has kept it locked for {BUSY_SECONDS:.0f} s; a network share "
    "without file locks reads the same",
    "SQLITE_PROTOCOL": "its file system has no file locks, as some network shares have none",
    "SQLITE_IOERR": "the disk cannot be read or written, or it is a network share that cannot "
    "share memory, which SQLite needs",
    "SQLITE_READONLY": "it may only be read",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_NOTADB": "the file is not a database",
}


def is_busy(error: BaseException) -> bool:
    """Whether it may work a moment later, as another process has the database."""
    return _sqlite_code(error) in ("SQLITE_BUSY", "SQLITE_LOCKED")


def cause(error: BaseException) -> str:
    """Why a database cannot be used, as the end of a sentence without its full stop."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "it did not answer in time"
    code = _sqlite_code(error)
    original = _original(error)
    if code is not None:
        return f"{_SQLITE.get(code, str(original))} ({_extended(original)})"
    if isinstance(original, OSError) and original.strerror:
        return original.strerror
    # One line: PostgreSQL adds details and hints in lines of their own.
    said = [line.strip() for line in str(original).splitlines() if line.strip()]
    return said[0].removesuffix(".") if said else type(original).__name__


def _original(error: BaseException) -> BaseException:
    """What the driver raised."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig
    return error


def _sqlite_code(error: BaseException) -> str | None:
    """The primary result code, such as SQLITE_IOERR for SQLITE_IOERR_SHMMAP."""
    original = _original(error)
    if not isinstance(original, sqlite3.Error):
        return None
    return "_".join(_extended(original).split("_")[:2])


def _extended(error: BaseException) -> str:
    return getattr(error, "sqlite_errorname", "") or "SQLITE_ERROR"
