import pytest

from turnwire.cli.times import minutes


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00.0"), (0.3, "00:00.3"), (9.99, "00:09.9"), (61.25, "01:01.2"), (6000, "100:00.0")],
)
def test_minutes(seconds: float, shown: str) -> None:
    assert minutes(seconds) == shown
