"""Runs the migrations on the connection, and in the transaction, that `opening` hands in."""

from alembic import context

from providers.store.schema import metadata

given = context.config.attributes
context.configure(
    connection=given["connection"],
    target_metadata=metadata,
    version_table=given["version_table"],
)
with context.begin_transaction():
    context.run_migrations()
