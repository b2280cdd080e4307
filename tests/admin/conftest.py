"""A server with the admin API, and a client of it with an admin key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support import Server, serving
from turnwire.accounts.admin_keys import AdminKeys
from turnwire.admin.extension import Admin, admin
from turnwire.webhooks.api import deliveries


@dataclass
class Administered:
    server: Server
    http: httpx.AsyncClient
    """With the admin key."""
    key: str

    @property
    def admin(self) -> Admin:
        [extension] = self.server.service.extensions
        assert isinstance(extension, Admin)
        return extension

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def administered(
    *, from_anywhere: bool = False, **options: Any
) -> AsyncIterator[Administered]:
    extend = [admin(from_anywhere=from_anywhere, also=[deliveries])]
    async with serving(extend=extend, **options) as server:
        _, key = await AdminKeys(server.store.database).create("test")
        async with server.http(headers={"Authorization": key}) as http:
            http.base_url = f"{str(http.base_url).rstrip('/')}/admin/v1/"
            yield Administered(server, http, key)
