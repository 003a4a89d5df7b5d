"""Run by alembic on the connection, and within the transaction, that opened the registry."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
