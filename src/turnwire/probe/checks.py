"""What is done to a server, and what must come of it.

Everything here is over within seconds and harms nobody: no load, no waiting for a session to
expire, no more than one session at a time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from turnwire.wire import closures
from turnwire.wire.closure import Closure, ClosureRow
from turnwire.wire.limits import MESSAGE_BYTES, SESSION_PATH

SAMPLE_RATE = 16_000


class Credential(Enum):
    """What a check brings along."""

    KEY = auto()
    NONE = auto()
    UNKNOWN = auto()
    """A key that was never issued."""
    USED_TOKEN = auto()
    """A temporary token that has opened a session already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One way to make a closure happen."""

    name: str
    row: ClosureRow
    details: Mapping[str, object] = field(default_factory=dict)
    """What the row's template is filled with, if the server words it as Turnwire does."""
    begins: bool = True
    """Whether there is a session before it ends."""
    credential: Credential = Credential.KEY
    path: str = SESSION_PATH
    query: Mapping[str, object] = field(default_factory=dict)
    sends: tuple[bytes | str, ...] = ()
    """After Begin."""
    every: float = 0.0
    """Seconds between these."""
    within: float = 10.0
    """Seconds, by which it must have happened."""

    @property
    def expected(self) -> Closure:
        return self.row.fill(**self.details)


def _silence(ms: int) -> bytes:
    return bytes(SAMPLE_RATE * ms // 1000 * 2)


TERMINATE = json.dumps({"type": "Terminate"})

_TOO_LARGE = MESSAGE_BYTES + 2

CHECKS = (
    Check(
        name="session_ended",
        row=closures.SESSION_ENDED,
        sends=(_silence(500), TERMINATE),
    ),
    Check(
        name="missing_authorization",
        row=closures.MISSING_AUTHORIZATION,
        begins=False,
        credential=Credential.NONE,
    ),
    Check(
        name="unauthorized",
        row=closures.UNAUTHORIZED,
        details={"reason": "Invalid API key"},
        begins=False,
        credential=Credential.UNKNOWN,
    ),
    Check(
        name="unauthorized_used_token",
        row=closures.UNAUTHORIZED,
        details={"reason": "Token has already been used"},
        begins=False,
        credential=Credential.USED_TOKEN,
    ),
    Check(
        name="invalid_message_type",
        row=closures.INVALID_MESSAGE_TYPE,
        details={"message": "Bogus"},
        sends=('{"type": "Bogus"}',),
    ),
    Check(
        name="invalid_json",
        row=closures.INVALID_JSON,
        details={"json": "{not json"},
        sends=("{not json",),
    ),
    Check(
        name="invalid_message",
        row=closures.INVALID_MESSAGE,
        details={"message": "[]"},
        sends=("[]",),
    ),
    Check(
        name="invalid_parameter",
        row=closures.INVALID_PARAMETER,
        details=closures.INVALID_PARAMETER.example,
        begins=False,
        query={"sample_rate": 4000},
    ),
    Check(
        name="undecodable_audio",
        row=closures.UNDECODABLE_AUDIO,
        details=closures.UNDECODABLE_AUDIO.example,
        query={"encoding": "opus"},
        sends=(b"\xff",),
    ),
    Check(
        name="inactive",
        row=closures.INACTIVE,
        details={"n": 5},
        query={"inactivity_timeout": 5},
        within=15.0,
    ),
    Check(
        name="input_duration",
        row=closures.INPUT_DURATION,
        details={"ms": "1200.0"},
        sends=(_silence(1200),),
    ),
    Check(
        name="input_duration_short",
        row=closures.INPUT_DURATION,
        details={"ms": "20.0"},
        # Servers let a few pass.
        sends=(_silence(20),) * 100,
        every=0.02,
    ),
    Check(
        name="message_too_large",
        row=closures.MESSAGE_TOO_LARGE,
        details={"size": _TOO_LARGE, "limit": MESSAGE_BYTES},
        sends=(bytes(_TOO_LARGE),),
    ),
    Check(
        name="deprecated_endpoint",
        row=closures.DEPRECATED_ENDPOINT,
        details=closures.DEPRECATED_ENDPOINT.example,
        begins=False,
        credential=Credential.NONE,
        path="/v2/realtime/ws",
    ),
)
