"""What the admin API takes and gives, as JSON has it.

Moments are Unix seconds, durations are seconds. A limit that is null is no limit.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from turnwire.accounts.grouping import By
from turnwire.wire.limits import (
    LONGEST_SESSION_SECONDS,
    LONGEST_TOKEN_SECONDS,
    SHORTEST_SESSION_SECONDS,
)

LARGEST = 2**31 - 1
"""What every database holds in an integer."""

MOST_LISTED = 1000
"""Sessions at a time; the answer says where the next ones begin."""

Seconds = Annotated[float, Field(allow_inf_nan=False)]
Limit = Annotated[int, Field(ge=1, le=LARGEST)]


class View(BaseModel):
    """What is given."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Request(BaseModel):
    """What is taken: a name that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Terms(Request):
    """What may be set of an account; what is left out stays as it is."""

    enabled: bool = True
    balance_seconds: Annotated[float, Field(ge=0, le=LARGEST)] | None = None
    max_sessions: Limit | None = None
    sessions_per_minute: Limit | None = None


class NewAccount(Terms):
    name: str


class Account(View):
    name: str
    enabled: bool
    balance_seconds: float | None
    max_sessions: int | None
    sessions_per_minute: int | None
    created_at: float
    open_sessions: int


class NewTopUp(Request):
    seconds: Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
    """Less than nothing for a correction."""
    reason: str


class TopUp(View):
    at: float
    seconds: float
    reason: str
    balance_after: float


class NewKey(Request):
    name: str = ""


class Key(View):
    id: int
    account: str
    name: str
    start: str
    created_at: float
    last_used_at: float | None
    revoked_at: float | None


class CreatedKey(Key):
    key: str
    """Shown this once."""


class NewToken(Request):
    expires_in_seconds: Annotated[int, Field(ge=1, le=LONGEST_TOKEN_SECONDS)] = 60
    max_session_duration_seconds: Annotated[
        int, Field(ge=SHORTEST_SESSION_SECONDS, le=LONGEST_SESSION_SECONDS)
    ] = LONGEST_SESSION_SECONDS


class Token(View):
    token: str
    expires_in_seconds: int


class Session(View):
    """A line of the ledger."""

    id: str
    account: str
    key_id: int | None
    token_id: int | None
    node: str
    begun_at: float
    renewed_at: float
    ended_at: float | None
    closure: str | None
    code: int | None
    audio_seconds: float
    session_seconds: float
    billed_seconds: float


class SessionFilter(Request):
    since: Seconds | None = None
    until: Seconds | None = None
    account: str | None = None
    closure: str | None = None
    code: int | None = None
    open: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 100
    after: str | None = None


class Sessions(View):
    items: list[Session]
    next: str | None
    """What `after` has to be for those that follow; null: there are none."""


def _listed(given: object) -> object:
    """Commas separate what is listed, and it may be given more than once."""
    texts = [given] if isinstance(given, str) else given
    return (
        [part for text in texts for part in text.split(",")] if isinstance(texts, list) else given
    )


class UsageFilter(Request):
    by: Annotated[list[By], BeforeValidator(_listed), Field(min_length=1, max_length=len(By))] = [
        By.ACCOUNT
    ]
    since: Seconds | None = None
    until: Seconds | None = None
    account: str | None = None


class Usage(View):
    """Of what it was not added up by, nothing is said."""

    day: str | None = None
    """YYYY-MM-DD, in UTC."""
    account: str | None = None
    key: int | None = None
    """Null for sessions without one."""
    key_name: str | None = None
    closure: str | None = None
    sessions: int
    audio_seconds: float
    session_seconds: float
    billed_seconds: float


class UsageRows(View):
    items: list[Usage]


class Accounts(View):
    items: list[Account]


class TopUps(View):
    items: list[TopUp]


class Keys(View):
    items: list[Key]


class Endings(View):
    """How sessions ended that did from `at` on, for one step."""

    at: float
    counts: dict[str, int]


class ClosuresFilter(Request):
    since: Seconds | None = None
    until: Seconds | None = None
    step: Annotated[int, Field(ge=60, le=LARGEST)] = 3600


class Closures(View):
    step: int
    items: list[Endings]


class LiveSession(View):
    """An open session of this server."""

    id: str
    account: str | None
    key_id: int | None
    address: str
    client: str
    model: str
    begun_at: float
    expires_at: float | None
    audio_seconds: float
    lag_ms: int
    """Audio that was received and is not heard yet."""
    partial_ms: int | None
    """How long after its audio the last text of an open turn was sent."""
    turns: int


class Live(View):
    items: list[LiveSession]


class Engine(View):
    """This server's engine, and what waits for it."""

    at: float
    """Now, by this server's clock."""
    model: str
    quality: str
    waiting_seconds: float
    """For how long the next final text has been waiting."""
    waiting_final: int
    waiting_partial: int
    """Decodes that have not begun."""
    batches: dict[int, int]
    """How many batches of each size were begun, so far."""
    threads: int | None
    sessions: int
    max_sessions: int | None
    event_loop_lag_ms: float
    held_audio_bytes: int
    max_held_audio_bytes: int
    draining: bool


class Node(View):
    process: str
    name: str
    version: str
    sessions: int
    max_sessions: int | None
    quality: str
    seen_at: float
    draining: bool
    here: bool


class Nodes(View):
    items: list[Node]


class Snapshot(View):
    at: float
    """Now, by this server's clock."""
    live: Live
    engine: Engine
    nodes: Nodes


class Done(View):
    """It was done, or asked for."""

    ok: bool = True


class Problem(View):
    error: str
    """One sentence."""
