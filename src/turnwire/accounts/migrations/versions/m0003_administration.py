"""What operators do and see: keys of their own, top-ups, sessions ended by hand, the nodes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("turnwire_accounts", sa.Column("deleted_at", sa.Double()))
    op.add_column("turnwire_sessions", sa.Column("end_requested_at", sa.Double()))
    op.create_table(
        "turnwire_admin_keys",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False, unique=True),
        sa.Column("start", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double()),
        sa.Column("last_used_at", sa.Double()),
    )
    op.create_table(
        "turnwire_top_ups",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "account_id",
            sa.Integer(),
            sa.ForeignKey("turnwire_accounts.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("balance_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "turnwire_nodes",
        sa.Column("process", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("max_sessions", sa.Integer()),
        sa.Column("quality", sa.String(), nullable=False),
        sa.Column("draining", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
    )
