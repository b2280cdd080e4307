"""What sessions of the ledger are added up by."""

from enum import StrEnum

DAY_SECONDS = 24 * 60 * 60

OPEN = "open"
"""What stands for the closure of a session that has none yet."""


class By(StrEnum):
    DAY = "day"
    """On which they began, in UTC."""
    ACCOUNT = "account"
    KEY = "key"
    CLOSURE = "closure"
