"""The streams that tests of this folder have."""

from collections.abc import Iterator

import pytest

from tests.speech.counting import Bench, Counter


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def bench(counter: Counter) -> Iterator[Bench]:
    made = Bench(counter.decode)
    yield made
    made.close()
