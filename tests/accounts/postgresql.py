"""A PostgreSQL server for the tests, where one is installed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/sbin")]
"""Debian keeps the programs that only an administrator needs out of the path.

Instead of them it has `pg_ctlcluster` there.
"""

USER = "postgres"


def _program(name: str) -> str | None:
    behind = DEBIAN if shutil.which("pg_ctlcluster") else []
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, behind)]))


def _as_somebody_else() -> list[str] | None:
    """What to put before a command, since PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    installed = shutil.which("runuser") and any(user.pw_name == USER for user in pwd.getpwall())
    return ["runuser", "-u", USER, "--"] if installed else None


INSTALLED = _program("initdb") is not None and _as_somebody_else() is not None


@contextmanager
def running() -> Iterator[str]:
    """The directory with its socket, the only place where it listens; the user is `USER`."""
    before = _as_somebody_else()
    # The path of a socket must be short, and pytest's are not.
    with tempfile.TemporaryDirectory(prefix="tw-pg-") as name:
        directory = Path(name)
        if before:
            shutil.chown(directory, USER)
        _run("initdb", directory, "--username", USER, "--auth=trust", "--no-sync")
        try:
            # It fails if the server takes too long to start, but does not stop it.
            start(directory)
            yield name
        finally:
            _run("pg_ctl", directory, "stop", "-m", "immediate")


def start(directory: Path) -> None:
    """Start the server of this directory, also after it was killed."""
    options = f"-k {directory} -c listen_addresses='' -c fsync=off"
    _run("pg_ctl", directory, "start", "-w", "-l", str(directory / "log"), "-o", options)


def kill(directory: Path) -> None:
    """As a power failure does: the server of this directory is gone, and has written nothing."""
    process = int((directory / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(process, signal.SIGKILL)
    while Path(f"/proc/{process}").exists():
        time.sleep(0.01)


def _run(name: str, directory: Path, *arguments: str) -> None:
    before, program = _as_somebody_else(), _program(name)
    assert before is not None
    assert program
    command = [*before, program, "-D", str(directory / "data"), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=directory)


POOLER = _program("pgbouncer")


@contextmanager
def pooled(server: str) -> Iterator[str]:
    """PgBouncer in front of the server, with transaction pooling; gives its socket's directory."""
    before = _as_somebody_else()
    assert before is not None
    assert POOLER
    with tempfile.TemporaryDirectory(prefix="tw-pb-") as name:
        directory = Path(name)
        (directory / "users").write_text(f'"{USER}" ""\n')
        (directory / "pgbouncer.ini").write_text(
            f"""
            [databases]
            * = host={server}
            [pgbouncer]
            listen_addr =
            unix_socket_dir = {name}
            listen_port = 6432
            auth_type = trust
            auth_file = {name}/users
            pool_mode = transaction
            default_pool_size = 3
            logfile = {name}/log
            """
        )
        if before:
            for path in (directory, *directory.iterdir()):
                shutil.chown(path, USER)
        process = subprocess.Popen(
            [*before, POOLER, "-q", str(directory / "pgbouncer.ini")], stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 30
            while not _listens(directory / ".s.PGSQL.6432") and time.monotonic() < deadline:
                time.sleep(0.02)
            yield name
        finally:
            process.terminate()
            process.wait()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
