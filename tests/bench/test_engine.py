"""The engine that is measured is the one that a server would have."""

import pytest

from turnwire.bench import BenchError
from turnwire.bench.engine import engine_here


def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNWIRE_DEVICE", "abacus")
    with pytest.raises(BenchError, match="TURNWIRE_DEVICE cannot be used"):
        engine_here("echo")
    monkeypatch.delenv("TURNWIRE_DEVICE")
    with pytest.raises(BenchError, match="/no/such/model"):
        engine_here("/no/such/model")
