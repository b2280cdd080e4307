"""What an operator decides for all sessions of a server."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from turnwire.server.leases import OUTAGE_SECONDS
from turnwire.session.options import AHEAD_SECONDS
from turnwire.transport.networks import LOOPBACK, Networks


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    max_sessions: int | None = None
    """How many sessions there may be at once; None: as many as there is capacity for."""
    ahead_seconds: float = AHEAD_SECONDS
    """How far audio may be ahead of time."""
    outage_seconds: float = OUTAGE_SECONDS
    """How long sessions go on while the registry's store cannot be reached."""
    codes: Mapping[str, int] = field(default_factory=dict)
    """Close codes other than the table's, by the name of the row."""
    keys_in_query: bool = False
    """Whether a key that does not expire may come as `?token=`."""
    proxies: Networks = LOOPBACK
    """Those that are believed what they say of the addresses of their clients."""
    origins: Collection[str] | None = None
    """The origins of web pages that may open sessions, beside the server's own; None: all."""
