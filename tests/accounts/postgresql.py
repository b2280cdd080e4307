"""A PostgreSQL server for the tests, where one is installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
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
