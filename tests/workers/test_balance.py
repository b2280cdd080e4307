"""Who gets a connection, what a worker has of its server, and when it is started again."""

import os
from pathlib import Path

import pytest

from turnwire.server.settings import Settings, SettingsError
from turnwire.workers.balance import SILENT_SECONDS, Load, by_room
from turnwire.workers.restarts import PAUSES, STANDS_SECONDS, Restarts
from turnwire.workers.shares import processors, settings_of


def load(sessions: int, limit: int | None = None, **more: float) -> Load:
    return Load(
        told_at=more.get("told_at", 0.0),
        sessions=sessions,
        limit=limit,
        open=int(more.get("open", sessions)),
        handed=int(more.get("handed", 0)),
    )


def as_told(settings: Settings) -> Settings:
    """What a worker gets of them."""
    return Settings.model_validate(settings.model_dump(mode="json"))


def order(*loads: Load, now: float = 0.0) -> list[int]:
    return by_room(enumerate(loads, 1), now)


def test_the_one_with_fewest_connections_comes_first() -> None:
    assert order(load(3), load(1), load(2)) == [2, 3, 1]


def test_what_was_handed_over_just_now_counts() -> None:
    assert order(load(1, handed=2), load(2)) == [2, 1]


def test_a_larger_worker_gets_more() -> None:
    assert order(load(9, limit=10), load(15, limit=20)) == [2, 1]


def test_a_full_worker_comes_last_whatever_else_is_open() -> None:
    assert order(load(2, limit=2), load(1, limit=2, open=40)) == [2, 1]
    assert order(load(2, limit=2), load(3, limit=2)) == [1, 2]


def test_a_worker_that_says_nothing_comes_last() -> None:
    silent, full = load(0, limit=2), load(2, limit=2, told_at=SILENT_SECONDS + 1)
    assert order(silent, full, now=SILENT_SECONDS + 1) == [2, 1]


def test_a_worker_that_keeps_dying_is_started_ever_later() -> None:
    restarts = Restarts()
    assert [restarts.after(0.5) for _ in range(10)] == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert restarts.after(STANDS_SECONDS) == 0.0
    assert restarts.after(1.0) == PAUSES[1]


def test_processors_are_divided_among_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {8, 1, 2, 3, 5}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    assert processors(2) == [[1, 2], [3, 5, 8]]
    with pytest.raises(SettingsError, match="there are 5 for 6 workers"):
        processors(6)
    monkeypatch.delattr(os, "sched_setaffinity")
    with pytest.raises(SettingsError, match="Only Linux"):
        processors(2)


def test_sessions_are_divided_among_workers_and_their_names_differ() -> None:
    settings = Settings(workers=3, max_sessions=8, node="ears")
    each = [as_told(settings_of(settings, number)) for number in (1, 2, 3)]
    assert [one.max_sessions for one in each] == [2, 3, 3]
    assert [one.node for one in each] == ["ears#1", "ears#2", "ears#3"]
    assert settings_of(Settings(workers=2, node="ears"), 1).max_sessions is None


@pytest.mark.parametrize(("sessions", "parts"), [(2, [1, 1]), (3, [1, 2])])
def test_a_worker_may_have_one_session(sessions: int, parts: list[int]) -> None:
    settings = Settings(workers=2, max_sessions=sessions, node="ears")
    assert [as_told(settings_of(settings, number)).max_sessions for number in (1, 2)] == parts


def test_what_is_told_to_a_worker_is_what_was_set() -> None:
    settings = settings_of(
        Settings(workers=2, node="ears", data_dir=Path("/data"), model="a, b"), 2
    )
    assert as_told(settings) == settings


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"max_sessions": 1}, "max_sessions is less than workers"),
        ({"rehearse": True}, "rehearsal counts connections in one process"),
    ],
)
def test_what_does_not_go_with_workers_is_refused(what: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings.model_validate({"workers": 2, **what})
