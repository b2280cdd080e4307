"""How long chunks may be, with the tolerance that real clients need."""

import pytest

from turnwire.session.chunks import ChunkRule


@pytest.mark.parametrize("ms", [50, 49.98, 100, 1000, 1000.5])
def test_what_the_page_expects_is_allowed_again_and_again(ms: float) -> None:
    rule = ChunkRule()
    assert all(rule.allows(ms) for _ in range(10))


def test_too_long_is_refused_at_once() -> None:
    assert not ChunkRule().allows(1200)


def test_about_a_second_of_short_chunks_in_a_row_is_let_pass() -> None:
    rule = ChunkRule()
    assert [rule.allows(20) for _ in range(50)] == [True] * 49 + [False]


def test_a_long_enough_chunk_ends_a_run() -> None:
    rule = ChunkRule()
    for _ in range(10):
        assert all(rule.allows(20) for _ in range(49))
        assert rule.allows(50)


def test_a_message_in_between_ends_a_run() -> None:
    rule = ChunkRule()
    for _ in range(10):
        assert all(rule.allows(20) for _ in range(49))
        rule.forgive()


def test_a_run_begins_once() -> None:
    rule = ChunkRule()
    begun = []
    for ms in (20, 20, 50, 10, 10):
        rule.allows(ms)
        begun.append(rule.began_short_run)
    assert begun == [True, False, False, True, False]
