"""What Alembic runs for every command: it works on the connection, and in the transaction, that ``store.migrations`` made."""

from __future__ import annotations

from alembic import context

from store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
    render_as_batch=False,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
