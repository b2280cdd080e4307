"""Nothing of a running server's event loop waits for a disk, a name or another process."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import TERMINATE, Server, chunks, loud, quiet, serving
from turnwire.metrics.extension import metrics

BLOCKING = {
    *("open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.mkdir", "os.putenv"),
    *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"),
    *("subprocess.Popen", "os.system", "os.fork", "os.posix_spawn"),
    *("time.sleep", "sqlite3.connect", "urllib.Request"),
}
"""The audit events of Python that may take as long as a disk, a name server or a process likes."""

_watched: int | None = None
_seen: list[str] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if threading.get_ident() == _watched and event in BLOCKING:
        _seen.append(f"{event} {arguments}")


@contextmanager
def watching() -> Iterator[list[str]]:
    """What this thread does within that may block it."""
    global _watched
    if not any(hook is _hear for hook in _hooks):
        sys.addaudithook(_hear)  # for as long as the process lives
        _hooks.append(_hear)
    _seen.clear()
    _watched = threading.get_ident()
    try:
        yield _seen
    finally:
        _watched = None


_hooks: list[object] = []


async def everything(server: Server) -> None:
    """All that clients commonly do."""
    said = await server.converse("", [*chunks(loud(1000) + quiet(1000)), TERMINATE])
    assert said.code == 1000
    assert (await server.converse("", [TERMINATE], key="wrong")).code == 1008
    assert (await server.converse("", ["nonsense"])).code == 3006
    async with server.http() as http:
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("/metrics")).status_code == 200
        key = {"Authorization": server.key}
        answer = await http.get("/v3/token?expires_in_seconds=60", headers=key)
        token = answer.json()["token"]
    assert (await server.converse(f"token={token}", [TERMINATE], key=None)).code == 1000


async def test_a_running_server_opens_nothing_and_asks_for_no_name() -> None:
    async with serving(extend=[metrics()]) as server:
        # What is imported only when it is needed has been needed.
        await everything(server)
        with watching() as seen:
            await everything(server)
    assert seen == []


def test_what_would_block_is_seen() -> None:
    with watching() as seen, Path(__file__).open():
        pass
    assert len(seen) == 1
