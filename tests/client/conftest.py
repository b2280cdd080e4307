import pytest

from turnwire.client import pace
from turnwire.client.reconnect import Budget


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Clients connect again at once, and send as fast as audio comes; the delays as they were."""
    delays: list[float] = []
    delay = Budget.delay

    def at_once(budget: Budget, retry_after: float | None) -> float | None:
        due = delay(budget, retry_after)
        if due is None:
            return None
        delays.append(due)
        return 0.0

    monkeypatch.setattr(Budget, "delay", at_once)
    monkeypatch.setattr(pace, "BURST_SECONDS", float("inf"))
    return delays
