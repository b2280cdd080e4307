"""The search for the most sessions, and the setting made of it."""

from pathlib import Path

import pytest

from turnwire.bench import BenchError
from turnwire.bench.capacity import find_capacity, write_limit
from turnwire.server.settings import load_settings


@pytest.mark.parametrize("most", [0, 1, 3, 4, 5, 33, 48])
async def test_the_largest_number_that_holds_is_found(most: int) -> None:
    tried = []

    async def holds(sessions: int) -> bool:
        tried.append(sessions)
        return sessions <= most

    assert await find_capacity(holds, start=4) == most
    assert len(tried) == len(set(tried)) <= 12
    assert 0 not in tried


def test_the_limit_is_what_the_server_then_reads(tmp_path: Path) -> None:
    path = tmp_path / "turnwire.toml"
    path.write_text("# Ours.\nmax_sessions = 3 # too few\nport = 9000\n")
    write_limit(path, 48)
    assert path.read_text() == "# Ours.\nmax_sessions = 48 # too few\nport = 9000\n"
    assert load_settings(path).max_sessions == 48


def test_a_file_that_does_not_exist_is_made(tmp_path: Path) -> None:
    write_limit(tmp_path / "new.toml", 7)
    assert load_settings(tmp_path / "new.toml").max_sessions == 7


def test_what_is_not_toml_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a setting")
    with pytest.raises(BenchError, match="is not a TOML file, and stays as it is"):
        write_limit(path, 48)
    assert path.read_text() == "not a setting"
