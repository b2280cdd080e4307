from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.leftovers import NOTHING, ON_DEMAND, Running
from turnwire.speech.engine import Engine

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("turnwire", deadline=None)
settings.load_profile("turnwire")

for_the_session = NOTHING
"""What fixtures of the whole session have started, whichever test asked for them first."""


class SessionFixtures:
    """Notes what they start. A hook of a conftest is not called for fixtures of the session."""

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        global for_the_session
        if fixturedef.scope != "session":
            return (yield)
        before = Running.now()
        result = yield
        for_the_session |= Running.now() - before
        return result


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SessionFixtures())


@pytest.fixture(scope="session")
def tiny_en() -> Callable[[], Engine]:
    """New engines of the packaged model, which is loaded, and its cost measured, only once."""
    from turnwire.speech.engines import WhisperEngine, load_whisper

    loaded = load_whisper(["tiny.en"])
    return lambda: WhisperEngine(loaded)


@pytest.fixture(scope="module", autouse=True)
def _nothing_outlives_a_module() -> Iterator[None]:
    before = Running.now()
    yield
    (before | for_the_session).assert_nothing_more()


@pytest.fixture(autouse=True)
def _nothing_outlives_a_test(_nothing_outlives_a_module: None) -> Iterator[None]:
    """What a server of the whole module starts when it is needed may stay as long as that."""
    before = Running.now()
    yield
    (before | for_the_session).assert_nothing_more(but=ON_DEMAND)
