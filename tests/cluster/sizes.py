"""How much the tests of a cluster ask of it: little in the suite, more by `scripts/cluster`."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    limit: int
    """Sessions at once; twice as many clients come."""
    outage_seconds: float
    """How long the database is away at least."""
    dictations: int
    """Our clients that speak when a node is killed."""
    session_seconds: int
    """How long sessions are that nodes are restarted under."""
    callers: int
    """How many of those there are at once."""


LONG = os.environ.get("TURNWIRE_CLUSTER") == "long"

SIZES = (
    Sizes(limit=100, outage_seconds=60, dictations=20, session_seconds=30, callers=20)
    if LONG
    else Sizes(limit=20, outage_seconds=0, dictations=10, session_seconds=2, callers=5)
)
