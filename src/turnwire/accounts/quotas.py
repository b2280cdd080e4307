"""What an account may still open: sessions at once, sessions a minute, and its balance."""

from dataclasses import replace

from turnwire.accounts.admission import Funds
from turnwire.accounts.billing import Balance, OpenSessions
from turnwire.accounts.credentials import NO_BALANCE, unauthorized
from turnwire.accounts.moments import over
from turnwire.accounts.rate import limit_after
from turnwire.accounts.tables import Account
from turnwire.wire.closure import Violation
from turnwire.wire.closures import TOO_MANY_SESSIONS


class Quota:
    """What an account may still open within one transaction, which has it locked."""

    def __init__(self, account: Account, open: OpenSessions, now: float) -> None:
        self._account = account
        self._open = open
        if account.sessions_per_minute is not None:
            _begin_minute(account, account.sessions_per_minute, now)

    def check(self) -> None:
        """Raises `Violation` if it may open no session now."""
        account = self._account
        if account.balance_ms is not None and Balance(account.balance_ms, self._open).free_ms <= 0:
            raise unauthorized(NO_BALANCE)
        if account.max_sessions is not None and self._open.sessions >= account.max_sessions:
            raise Violation(TOO_MANY_SESSIONS.fill())
        if account.sessions_per_minute is not None and account.minute_used >= account.minute_limit:
            raise Violation(TOO_MANY_SESSIONS.fill())

    def take(self) -> tuple[int, Funds | None]:
        """Open a session; gives how much is reserved for it, and what it has to know of that."""
        self._open = self._open.with_one_more()
        if self._account.sessions_per_minute is not None:
            self._account.minute_used += 1
        if self._account.balance_ms is None:
            return 0, None
        reserved_ms, funds = Balance(self._account.balance_ms, self._open).take(billed_ms=0)
        self._open = replace(self._open, reserved_ms=self._open.reserved_ms + reserved_ms)
        return reserved_ms, funds


def is_counted(account: Account) -> bool:
    """Whether it matters how many sessions the account has open."""
    return account.max_sessions is not None or account.balance_ms is not None


def _begin_minute(account: Account, start: int, now: float) -> None:
    """Count from none again if this is another minute than that of the last session."""
    minute = int(now // 60)
    if not over(60.0 * account.minute, 60.0, now):
        return
    # Of a minute in the future, nobody knows how long ago it was written down.
    passed = minute - account.minute if account.minute < minute else minute
    account.minute_limit = limit_after(
        account.minute_limit, account.minute_used, passed, start=start
    )
    account.minute = minute
    account.minute_used = 0
