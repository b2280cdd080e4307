"""The ledger by account and time: the sessions of one account are listed and added up by that."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index(
        op.f("ix_turnwire_sessions_account_id_begun_at"),
        "turnwire_sessions",
        ["account_id", "begun_at"],
    )
