"""A PostgreSQL server for the tests, where one is installed."""

import os
import pwd
import shutil
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
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    assert before is not None
    assert initdb
    assert pg_ctl
    # The path of a socket must be short, and pytest's are not.
    with tempfile.TemporaryDirectory(prefix="tw-pg-") as name:
        directory = Path(name)
        if before:
            shutil.chown(directory, USER)

        def run(program: str, *arguments: str) -> None:
            command = [*before, program, "-D", str(directory / "data"), *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=directory)

        run(initdb, "--username", USER, "--auth=trust", "--no-sync")
        options = f"-k {directory} -c listen_addresses='' -c fsync=off"
        try:
            # It fails if the server takes too long to start, but does not stop it.
            run(pg_ctl, "start", "-w", "-l", str(directory / "log"), "-o", options)
            yield name
        finally:
            run(pg_ctl, "stop", "-m", "immediate")


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
