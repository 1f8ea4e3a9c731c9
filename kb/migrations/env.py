"""Alembic runs the steps on the connection that `kb.database.migrate` hands over."""

from alembic import context

from kb.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
