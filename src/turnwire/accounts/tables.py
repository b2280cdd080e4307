"""What is kept: accounts, their keys and tokens, and a ledger of every session.

Moments are Unix seconds, durations are milliseconds. A limit that is None is no limit. A change
here needs a migration in `migrations/versions`.
"""

from typing import Annotated

from sqlalchemy import BigInteger, Double, ForeignKey, Index, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Moment = Annotated[float, mapped_column(Double)]
Milliseconds = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Account(Base):
    """Who pays, and what they may have at once."""

    __tablename__ = "turnwire_accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Moment]
    enabled: Mapped[bool] = mapped_column(default=True)
    balance_ms: Mapped[Milliseconds | None]
    max_sessions: Mapped[int | None]
    """Sessions that may be open at once."""

    sessions_per_minute: Mapped[int | None]
    """Where the limit on new sessions starts, and what it falls back to."""
    minute: Mapped[int] = mapped_column(default=0)
    """The last in which a session was opened, in minutes since 1970."""
    minute_limit: Mapped[int] = mapped_column(default=0)
    """What the limit had grown to by then."""
    minute_used: Mapped[int] = mapped_column(default=0)
    """How many were opened in it."""
    deleted_at: Mapped[Moment | None]
    """Since when it is gone, but for the ledger, which keeps its name."""
    webhook_secret: Mapped[str | None]
    """What its webhooks are signed with; None until the first one is."""


class ApiKey(Base):
    __tablename__ = "turnwire_api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    start: Mapped[str]
    """Its first characters, for a person to recognize it by."""
    created_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]

    account: Mapped[Account] = relationship(lazy="raise")


class Token(Base):
    __tablename__ = "turnwire_tokens"
    # Ids of pruned tokens live on in the ledger and must not come to mean other tokens.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    key_id: Mapped[int | None] = mapped_column(ForeignKey(ApiKey.id))
    """The key that asked for it; None for a token made on the command line."""
    hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    max_seconds: Mapped[int]
    """How long a session opened with it may last."""
    used_at: Mapped[Moment | None]

    account: Mapped[Account] = relationship(lazy="raise")
    key: Mapped[ApiKey | None] = relationship(lazy="raise")


class Entry(Base):
    """One session: its lease while it is open, and what it is billed for."""

    __tablename__ = "turnwire_sessions"
    __table_args__ = (
        # Open sessions are few among many: those of an account, or all of them.
        Index(None, "ended_at", "account_id"),
        # Those of an account, newest first, or of some days.
        Index(None, "account_id", "begun_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    key_id: Mapped[int | None] = mapped_column(ForeignKey(ApiKey.id))
    """The key that it came by, or that its token was asked for with."""
    token_id: Mapped[int | None]
    """The token that it came by. No foreign key: tokens are pruned, the ledger is not."""
    node: Mapped[str]
    """The name of the server that ran it, for people."""
    process: Mapped[str] = mapped_column(default="", server_default="")
    """The id of that server's process, which no other ever has."""
    begun_at: Mapped[Moment] = mapped_column(index=True)
    renewed_at: Mapped[Moment]
    """Its last sign of life."""
    ended_at: Mapped[Moment | None]
    closure: Mapped[str | None]
    """The name of the closure table's row."""
    audio_ms: Mapped[Milliseconds] = mapped_column(default=0)
    session_ms: Mapped[Milliseconds] = mapped_column(default=0)
    billed_ms: Mapped[Milliseconds] = mapped_column(default=0)
    """What the account has been billed for so far."""
    reserved_ms: Mapped[Milliseconds] = mapped_column(default=0, server_default="0")
    """What is set aside for it beyond that, while it is open."""
    end_requested_at: Mapped[Moment | None]
    """When an operator asked for its end; its next renewal brings that."""

    account: Mapped[Account] = relationship(lazy="raise")


class TopUp(Base):
    """What an operator added to a balance, and why."""

    __tablename__ = "turnwire_top_ups"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    at: Mapped[Moment]
    ms: Mapped[Milliseconds]
    """Less than nothing for a correction."""
    reason: Mapped[str]
    balance_ms: Mapped[Milliseconds]
    """What the balance came to."""


class AdminKey(Base):
    """What operators prove themselves with; it opens no session."""

    __tablename__ = "turnwire_admin_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    start: Mapped[str]
    """Its first characters, for a person to recognize it by."""
    created_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]


class Node(Base):
    """A server among those that share the database, as it last said of itself."""

    __tablename__ = "turnwire_nodes"

    process: Mapped[str] = mapped_column(primary_key=True)
    """As in the ledger."""
    name: Mapped[str]
    version: Mapped[str]
    sessions: Mapped[int]
    max_sessions: Mapped[int | None]
    quality: Mapped[str]
    draining: Mapped[bool]
    seen_at: Mapped[Moment]


class Delivery(Base):
    """What is to be posted once to a session's `webhook_url`."""

    __tablename__ = "turnwire_deliveries"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    session_id: Mapped[str] = mapped_column(index=True)
    url: Mapped[str]
    header_name: Mapped[str | None]
    header_value: Mapped[str | None]
    """A secret of the receiver's, gone once there is nothing left to post."""
    body: Mapped[str | None]
    """The transcript, gone once there is nothing left to post."""
    created_at: Mapped[Moment] = mapped_column(index=True)
    next_at: Mapped[Moment | None] = mapped_column(index=True)
    """When it is to be posted; None once it was delivered or given up. A server that posts it moves
    this on first, so that no other does, and another one does if that server dies over it."""
    attempts: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[Moment | None]
    last_status: Mapped[int | None]
    """The HTTP status of the last answer."""
    last_error: Mapped[str | None]
    """Why the last attempt brought no answer, or none that counts."""

    account: Mapped[Account] = relationship(lazy="raise")
