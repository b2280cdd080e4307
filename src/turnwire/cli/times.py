"""Times of audio as a person reads them."""


def minutes(seconds: float) -> str:
    """mm:ss.s, cut and not rounded, so that a time is never shown before it is reached."""
    tenths = int(seconds * 10 + 1e-6)
    return f"{tenths // 600:02}:{tenths // 10 % 60:02}.{tenths % 10}"
