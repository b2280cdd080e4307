"""The pytest plugin: a real server for the tests of an application (docs/testing-your-app.md).

It is loaded wherever Turnwire is installed, so it imports nothing until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from turnwire.testing import Address, LocalServer


class Rehearse(Protocol):
    def __call__(
        self, *fates: str, after: str | None = None, before_begin: bool = False
    ) -> Address: ...


class SetScript(Protocol):
    def __call__(self, *texts: str) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("turnwire")
    group.addoption(
        "--turnwire-model",
        default="echo",
        metavar="MODEL",
        help="The model of turnwire_server, such as tiny.en; echo, the default, needs no weights "
        "and hears what turnwire_script says.",
    )
    group.addoption(
        "--turnwire-tls",
        action="store_true",
        help="turnwire_server speaks wss, not ws; clients are to trust its ca_file.",
    )


@pytest.fixture(scope="session")
def turnwire_server(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A server on a free port: `.url`, or `.host` for clients that append the path; `.api_key`."""
    from turnwire.testing import serving

    option = request.config.getoption
    with serving(option("--turnwire-model"), tls=option("--turnwire-tls")) as server:
        yield server


@pytest.fixture
def turnwire_rehearsal(turnwire_server: LocalServer) -> Rehearse:
    """Where something happens to whoever connects: turnwire_rehearsal("3008", after="2s").host."""
    return turnwire_server.rehearsal


@pytest.fixture
def turnwire_script(turnwire_server: LocalServer) -> Iterator[SetScript]:
    """What the server hears, until the end of the test: turnwire_script("Good morning.")."""
    yield turnwire_server.script
    turnwire_server.script()
