"""Which servers share the database, as each says of itself every few seconds."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from sqlalchemy import delete, select

from turnwire.accounts.database import Database, carried_through
from turnwire.accounts.moments import over
from turnwire.accounts.tables import Node

FORGOTTEN_SECONDS = 60 * 60.0
"""How long a server is remembered that does not say anything any more."""


class Standing(TypedDict):
    """What a server says of itself."""

    name: str
    version: str
    sessions: int
    max_sessions: int | None
    quality: str
    draining: bool


class Presence:
    def __init__(self, database: Database) -> None:
        self.database = database

    @carried_through
    async def note(self, process: str, **standing: Unpack[Standing]) -> None:
        """Write down what a server says of itself now; those long silent are forgotten."""
        async with self.database.begin() as db:
            now = await self.database.now(db)
            await db.execute(delete(Node).where(over(Node.seen_at, FORGOTTEN_SECONDS, now)))
            await db.merge(Node(process=process, seen_at=now, **standing))

    @carried_through
    async def leave(self, process: str) -> None:
        """A server has stopped."""
        async with self.database.begin() as db:
            await db.execute(delete(Node).where(Node.process == process))

    @carried_through
    async def nodes(self) -> Sequence[Node]:
        async with self.database.begin() as db:
            return (await db.scalars(select(Node).order_by(Node.name, Node.process))).all()
