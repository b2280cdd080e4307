"""Temporary tokens for the bearers of keys: one transaction for all that wait."""

from collections.abc import Sequence
from dataclasses import dataclass

from turnwire.accounts.credentials import Bearer, Bearers, bearers_of_keys, check_standing
from turnwire.accounts.database import Database
from turnwire.accounts.tokens import add_token, forget_expired

ISSUED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for; see `Registry.issue_token`."""

    credential: str | None
    expires_in: int
    max_seconds: int


async def issue(database: Database, asked: Sequence[Asked]) -> list[str | Exception]:
    """A token for each, or why there is none."""
    async with database.begin() as db:
        bearers = await bearers_of_keys(db, [each.credential for each in asked])
        now = await database.now(db)
        judged = [_judge(bearers, each) for each in asked]
        if any(isinstance(bearer, Bearer) for bearer in judged):
            await forget_expired(db, now)
        return [
            add_token(
                db,
                account_id=bearer.account.id,
                key_id=bearer.key_id,
                expires_in=each.expires_in,
                max_seconds=each.max_seconds,
                now=now,
            )
            if isinstance(bearer, Bearer)
            else bearer
            for each, bearer in zip(asked, judged, strict=True)
        ]


def _judge(bearers: Bearers, asked: Asked) -> Bearer | Exception:
    try:
        bearer = bearers.of(asked.credential)
        check_standing(bearer)
    except Exception as error:
        return error
    return bearer
