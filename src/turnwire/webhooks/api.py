"""Webhooks in the admin API."""

from typing import Annotated

from fastapi import APIRouter, Query

from turnwire.accounts.store import Store
from turnwire.webhooks.administration import MOST_LISTED, ListedDeliveries, Retried, SigningSecret
from turnwire.webhooks.deliveries import Deliveries


def deliveries(store: Store) -> APIRouter:
    router = APIRouter()
    kept = Deliveries(store.database)

    @router.get("/deliveries")
    async def listed(
        account: str | None = None, limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100
    ) -> ListedDeliveries:
        return ListedDeliveries(items=await kept.newest(account=account, limit=limit))

    @router.post("/deliveries/{id}/retry", status_code=202)
    async def retry(id: str) -> Retried:
        await kept.retry(id)
        return Retried(id=id)

    @router.get("/webhook-secrets/{name:path}")
    async def secret(name: str) -> SigningSecret:
        return SigningSecret(account=name, secret=await kept.secret(name))

    @router.post("/webhook-secrets/{name:path}", status_code=201)
    async def new_secret(name: str) -> SigningSecret:
        return SigningSecret(account=name, secret=await kept.secret(name, new=True))

    return router
