"""What operators can do with accounts and the ledger, wherever those are."""

from typing import Protocol

from turnwire.admin.views import (
    Account,
    CreatedKey,
    Key,
    NewAccount,
    NewToken,
    NewTopUp,
    Session,
    SessionFilter,
    Sessions,
    Terms,
    Token,
    TopUp,
    Usage,
    UsageFilter,
)


class Administration(Protocol):
    """Whatever cannot be done raises `turnwire.accounts.errors.AccountsError`, which says why."""

    async def accounts(self) -> list[Account]: ...

    async def account(self, name: str) -> Account: ...

    async def create_account(self, new: NewAccount) -> Account:
        """What is not set of its terms is as it is by default."""

    async def update_account(self, name: str, terms: Terms) -> Account:
        """Only the terms that are set are changed."""

    async def delete_account(self, name: str) -> None:
        """Its keys are revoked; the ledger keeps its sessions, and its name is not free again."""

    async def top_up(self, account: str, new: NewTopUp) -> TopUp: ...

    async def top_ups(self, account: str) -> list[TopUp]:
        """The newest first."""

    async def keys(self, account: str | None = None) -> list[Key]: ...

    async def create_key(self, account: str, name: str) -> CreatedKey: ...

    async def take_back_key(self, key: CreatedKey) -> None:
        """Undo the making of a key that nobody has seen."""

    async def revoke_key(self, id: int) -> Key: ...

    async def create_token(self, account: str, new: NewToken) -> Token: ...

    async def sessions(self, which: SessionFilter) -> Sessions:
        """The newest first."""

    async def session(self, id: str) -> Session: ...

    async def end_session(self, id: str) -> None:
        """Whatever node runs it: its next renewal ends it, within seconds."""

    async def usage(self, which: UsageFilter) -> list[Usage]: ...
