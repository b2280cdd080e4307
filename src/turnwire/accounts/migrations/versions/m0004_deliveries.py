"""Webhooks: what is to be posted, and what each account's are signed with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("turnwire_accounts", sa.Column("webhook_secret", sa.String()))
    op.create_table(
        "turnwire_deliveries",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "account_id", sa.Integer(), sa.ForeignKey("turnwire_accounts.id"), nullable=False
        ),
        sa.Column("session_id", sa.String(), nullable=False, index=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("header_name", sa.String()),
        sa.Column("header_value", sa.String()),
        sa.Column("body", sa.String()),
        sa.Column("created_at", sa.Double(), nullable=False, index=True),
        sa.Column("next_at", sa.Double(), index=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.Double()),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_error", sa.String()),
    )
