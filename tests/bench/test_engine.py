"""The engine that is measured is the one that a server would have."""

import pytest

from turnwire.bench import BenchError, engine
from turnwire.bench.engine import engine_here


def test_it_runs_on_the_device_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNWIRE_DEVICE", "cuda")
    monkeypatch.setenv("TURNWIRE_COMPUTE_TYPE", "float16")
    asked: list[tuple[str, str, str]] = []
    monkeypatch.setattr(engine, "load_engine", lambda *names: asked.append(names))
    engine_here("base")
    assert asked == [("base", "cuda", "float16")]


def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNWIRE_DEVICE", "abacus")
    with pytest.raises(BenchError, match="TURNWIRE_DEVICE cannot be used"):
        engine_here("echo")
    monkeypatch.delenv("TURNWIRE_DEVICE")
    with pytest.raises(BenchError, match="/no/such/model"):
        engine_here("/no/such/model")
