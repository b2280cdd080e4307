"""How long chunks may be, with the tolerance that real clients need."""

import pytest

from turnwire.session.chunks import ChunkRule


@pytest.mark.parametrize("ms", [50, 49.98, 100, 1000, 1000.5])
def test_what_the_page_expects_is_allowed_again_and_again(ms: float) -> None:
    rule = ChunkRule()
    assert all(rule.allows(ms) for _ in range(10))


def test_too_long_is_refused_at_once() -> None:
    assert not ChunkRule().allows(1200)


def test_short_chunks_survive_alone_and_in_pairs_but_not_in_a_run() -> None:
    rule = ChunkRule()
    assert [rule.allows(ms) for ms in (20, 50, 20, 10, 50, 20, 20, 20)] == [True] * 7 + [False]


def test_a_message_in_between_ends_a_run() -> None:
    rule = ChunkRule()
    for _ in range(10):
        assert rule.allows(20)
        assert rule.allows(10)
        rule.forgive()
