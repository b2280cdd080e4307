"""What operators see and do of webhooks, wherever those are kept."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

MOST_LISTED = 1000
"""Deliveries in one answer."""


class View(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Listed(View):
    """A delivery as an operator may see it: nothing of what was said, and no secret."""

    id: str
    session_id: str
    account: str
    host: str
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    created_at: float
    next_at: float | None
    delivered_at: float | None


class ListedDeliveries(View):
    items: Sequence[Listed]
    """The newest first."""


class Retried(View):
    """It is posted within seconds."""

    ok: bool = True
    id: str


class SigningSecret(View):
    """What an account's webhooks are signed with."""

    account: str
    secret: str


class DeliveryAdministration(Protocol):
    """Whatever cannot be done raises `turnwire.accounts.errors.AccountsError`, one sentence."""

    async def newest(self, *, account: str | None = None, limit: int) -> Sequence[Listed]:
        """Newest first."""

    async def retry(self, id: str) -> None:
        """Post it now, and not only when it is due."""

    async def secret(self, account: str, *, new: bool = False) -> str:
        """What an account's webhooks are signed with, or from now on."""
