"""Accounts, their keys and tokens, and the ledger of sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "turnwire_accounts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("balance_ms", sa.BigInteger()),
        sa.Column("max_sessions", sa.Integer()),
        sa.Column("sessions_per_minute", sa.Integer()),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("minute_limit", sa.Integer(), nullable=False),
        sa.Column("minute_used", sa.Integer(), nullable=False),
    )
    op.create_table(
        "turnwire_api_keys",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "account_id", sa.Integer(), sa.ForeignKey("turnwire_accounts.id"), nullable=False
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False, unique=True),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double()),
        sa.Column("last_used_at", sa.Double()),
    )
    op.create_table(
        "turnwire_tokens",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "account_id", sa.Integer(), sa.ForeignKey("turnwire_accounts.id"), nullable=False
        ),
        sa.Column("key_id", sa.Integer(), sa.ForeignKey("turnwire_api_keys.id")),
        sa.Column("hash", sa.String(), nullable=False, unique=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False, index=True),
        sa.Column("max_seconds", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.Double()),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "turnwire_sessions",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "account_id", sa.Integer(), sa.ForeignKey("turnwire_accounts.id"), nullable=False
        ),
        sa.Column("key_id", sa.Integer(), sa.ForeignKey("turnwire_api_keys.id")),
        sa.Column("token_id", sa.Integer()),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("begun_at", sa.Double(), nullable=False, index=True),
        sa.Column("renewed_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double()),
        sa.Column("closure", sa.String()),
        sa.Column("audio_ms", sa.BigInteger(), nullable=False),
        sa.Column("session_ms", sa.BigInteger(), nullable=False),
        sa.Column("billed_ms", sa.BigInteger(), nullable=False),
        sa.Index(None, "ended_at", "account_id"),
    )
