"""Alembic runs this for every upgrade: on the connection, and in the transaction, of schema.py."""

from alembic import context

context.configure(**context.config.attributes)
context.run_migrations()
