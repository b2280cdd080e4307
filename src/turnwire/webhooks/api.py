"""Deliveries in the admin API."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from turnwire.accounts.store import Store
from turnwire.webhooks.deliveries import Deliveries, Listed

MOST_LISTED = 1000


class Answer(BaseModel):
    items: Sequence[Listed]
    """The newest first."""


def deliveries(store: Store) -> APIRouter:
    router = APIRouter()
    kept = Deliveries(store.database)

    @router.get("/deliveries")
    async def listed(
        account: str | None = None, limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100
    ) -> Answer:
        return Answer(items=await kept.newest(account=account, limit=limit))

    @router.post("/deliveries/{id}/retry", status_code=202)
    async def retry(id: str) -> dict[str, bool]:
        await kept.retry(id)
        return {"ok": True}

    return router
