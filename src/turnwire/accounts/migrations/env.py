"""Run by Alembic; `turnwire.accounts.database` gives it the connection."""

from alembic import context

from turnwire.accounts.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
