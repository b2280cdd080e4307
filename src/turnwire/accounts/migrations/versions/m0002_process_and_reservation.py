"""Which process holds a session's lease, and what is reserved for the session."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # With defaults: servers of the release before go on inserting rows without these.
    op.add_column(
        "turnwire_sessions", sa.Column("process", sa.String(), nullable=False, server_default="")
    )
    op.add_column(
        "turnwire_sessions",
        sa.Column("reserved_ms", sa.BigInteger(), nullable=False, server_default="0"),
    )
