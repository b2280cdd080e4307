"""What operators do, done by the admin API of a server."""

from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from turnwire.admin import views
from turnwire.admin.client import AdminApi


class RemoteAdministration:
    """An `Administration`. Whatever fails raises `RemoteFailed`."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    async def accounts(self) -> list[views.Account]:
        return (await self._api.get("accounts", views.Accounts)).items

    async def account(self, name: str) -> views.Account:
        return await self._api.get(_account(name), views.Account)

    async def create_account(self, new: views.NewAccount) -> views.Account:
        return await self._api.ask("POST", "accounts", views.Account, new)

    async def update_account(self, name: str, terms: views.Terms) -> views.Account:
        return await self._api.ask("PATCH", _account(name), views.Account, terms)

    async def delete_account(self, name: str) -> None:
        await self._api.ask("DELETE", _account(name), views.Done)

    async def top_up(self, account: str, new: views.NewTopUp) -> views.TopUp:
        return await self._api.ask("POST", f"{_account(account)}/top-ups", views.TopUp, new)

    async def top_ups(self, account: str) -> list[views.TopUp]:
        return (await self._api.get(f"{_account(account)}/top-ups", views.TopUps)).items

    async def keys(self, account: str | None = None) -> list[views.Key]:
        query = {} if account is None else {"account": account}
        return (await self._api.get("keys", views.Keys, query)).items

    async def create_key(self, account: str, name: str) -> views.CreatedKey:
        new = views.NewKey(name=name)
        return await self._api.ask("POST", f"{_account(account)}/keys", views.CreatedKey, new)

    async def take_back_key(self, key: views.CreatedKey) -> None:
        await self.revoke_key(key.id)

    async def revoke_key(self, id: int) -> views.Key:
        return await self._api.ask("DELETE", f"keys/{id}", views.Key)

    async def create_token(self, account: str, new: views.NewToken) -> views.Token:
        return await self._api.ask("POST", f"{_account(account)}/tokens", views.Token, new)

    async def sessions(self, which: views.SessionFilter) -> views.Sessions:
        return await self._api.get("sessions", views.Sessions, _query(which))

    async def session(self, id: str) -> views.Session:
        return await self._api.get(f"sessions/{quote(id, safe='')}", views.Session)

    async def end_session(self, id: str) -> None:
        await self._api.ask("POST", f"sessions/{quote(id, safe='')}/end", views.Done)

    async def usage(self, which: views.UsageFilter) -> list[views.Usage]:
        return (await self._api.get("usage", views.UsageRows, _query(which))).items

    async def drain(self) -> None:
        """Have that server take no new sessions, and end with its open ones."""
        await self._api.ask("POST", "drain", views.Done)


def _account(name: str) -> str:
    return f"accounts/{quote(name, safe='')}"


def _query(which: BaseModel) -> dict[str, Any]:
    return which.model_dump(exclude_unset=True, exclude_none=True, mode="json")
