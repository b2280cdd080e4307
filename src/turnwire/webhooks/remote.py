"""Webhooks looked after by the admin API of a server."""

from collections.abc import Sequence
from urllib.parse import quote

from turnwire.admin.client import AdminApi
from turnwire.webhooks.administration import Listed, ListedDeliveries, Retried, SigningSecret


class RemoteDeliveries:
    """A `DeliveryAdministration`."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    async def newest(self, *, account: str | None = None, limit: int) -> Sequence[Listed]:
        query = {"limit": limit} if account is None else {"limit": limit, "account": account}
        return (await self._api.get("deliveries", ListedDeliveries, query)).items

    async def retry(self, id: str) -> None:
        await self._api.ask("POST", f"deliveries/{quote(id, safe='')}/retry", Retried)

    async def secret(self, account: str, *, new: bool = False) -> str:
        path = f"webhook-secrets/{quote(account, safe='')}"
        return (await self._api.ask("POST" if new else "GET", path, SigningSecret)).secret
