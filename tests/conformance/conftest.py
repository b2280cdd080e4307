import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests import support
from tests.conformance.programs import program
from tests.conformance.recorder import Recorder, assert_understood
from turnwire import testing
from turnwire.speech.engine import Engine
from turnwire.testing import LocalServer, serving
from turnwire.wire.closure import Closure, ClosureRow
from turnwire.wire.closures import (
    INPUT_DURATION,
    INVALID_MESSAGE_TYPE,
    SESSION_EXPIRED,
    TOO_MANY_SESSIONS,
    UNAUTHORIZED,
)

NODE = Path(__file__).parent / "node"


@pytest.fixture(scope="module", autouse=True)
def recorder() -> Iterator[None]:
    """Every server of this module is overheard."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (testing, support):
            patch.setattr(module, "Rehearsal", Recorder)
        Recorder.sent = []
        yield


@pytest.fixture(scope="module")
def server(recorder: None, tiny_en: Callable[[], Engine]) -> Iterator[LocalServer]:
    """A server with the packaged model, which can also rehearse."""
    with serving(tiny_en()) as server:
        yield server


@pytest.fixture
def trusted_server(
    recorder: None, tiny_en: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalServer]:
    """The same over TLS, with a certificate that clients find where OpenSSL has them look."""
    with serving(tiny_en(), tls=True) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        yield server


@pytest.fixture(scope="session")
def node_packages(pytestconfig: pytest.Config) -> Path:
    """A folder with the official Node SDK, as the lock file has it, and what uses it."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("node-sdk")
    lock, installed = folder / "package-lock.json", folder / "installed"
    # Several processes may run these tests at once.
    with FileLock(folder / "lock"):
        shutil.copytree(NODE, folder, dirs_exist_ok=True)
        if not installed.exists() or installed.read_text() != lock.read_text():
            subprocess.run(
                [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                check=True,
            )
            shutil.copy(lock, installed)
    return folder


@pytest.fixture(autouse=True)
async def all_that_was_sent_is_understood() -> AsyncIterator[None]:
    """Whatever a server sent in a test, each client can read, not only the one it was sent to."""
    yield
    sent, Recorder.sent = Recorder.sent, []
    await assert_understood(sent)


@pytest.fixture(
    params=[UNAUTHORIZED, INVALID_MESSAGE_TYPE, INPUT_DURATION, SESSION_EXPIRED, TOO_MANY_SESSIONS],
    ids=lambda row: str(row.code),
)
def ending(request: pytest.FixtureRequest) -> Closure:
    """The endings that every client is tested with."""
    row: ClosureRow = request.param
    return row.for_example()
