"""Run by Alembic; `turnwire.accounts.migrating` gives it the connection."""

from alembic import context

from turnwire.accounts.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=context.config.attributes["version_table"],
    # SQLite changes a table by making it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
