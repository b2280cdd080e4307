"""Keys of operators: they open no session, and everything else."""

from collections.abc import Sequence

from sqlalchemy import select

from turnwire.accounts.database import Database, carried_through
from turnwire.accounts.errors import NotFound
from turnwire.accounts.keys import RECOGNIZED_BY, hash_key, new_admin_key
from turnwire.accounts.management import LARGEST_ID
from turnwire.accounts.moments import over
from turnwire.accounts.names import key_name
from turnwire.accounts.tables import AdminKey

NOTED_SECONDS = 60.0
"""How exactly it is kept when a key was last used: not every request writes."""


class AdminKeys:
    def __init__(self, database: Database) -> None:
        self.database = database

    @carried_through
    async def create(self, name: str) -> tuple[AdminKey, str]:
        """A new key, which is shown here once, and what is kept of it. Raises `BadName`."""
        secret = new_admin_key()
        async with self.database.begin() as db:
            key = AdminKey(
                name=key_name(name),
                hash=hash_key(secret),
                start=secret[:RECOGNIZED_BY],
                created_at=await self.database.now(db),
            )
            db.add(key)
        return key, secret

    @carried_through
    async def all(self) -> Sequence[AdminKey]:
        """In the order they were made."""
        async with self.database.begin() as db:
            return (await db.scalars(select(AdminKey).order_by(AdminKey.id))).all()

    @carried_through
    async def revoke(self, id: int) -> AdminKey:
        """Let nobody in with this key any more. Raises `NotFound`."""
        async with self.database.begin() as db:
            key = await db.get(AdminKey, id) if id <= LARGEST_ID else None
            if key is None:
                raise NotFound(f"There is no admin key {id}.")
            key.revoked_at = key.revoked_at or await self.database.now(db)
        return key

    @carried_through
    async def identify(self, secret: str) -> int | None:
        """The id of the key that this is; None if it is none, or was revoked."""
        query = select(AdminKey).where(
            AdminKey.hash == hash_key(secret), AdminKey.revoked_at.is_(None)
        )
        async with self.database.begin() as db:
            key = await db.scalar(query)
            if key is None:
                return None
            now = await self.database.now(db)
            if key.last_used_at is None or over(key.last_used_at, NOTED_SECONDS, now):
                key.last_used_at = now
            return key.id

    @carried_through
    async def valid(self, id: int) -> bool:
        """Whether there is this key, and it was not revoked."""
        async with self.database.begin() as db:
            key = await db.get(AdminKey, id)
            return key is not None and key.revoked_at is None
