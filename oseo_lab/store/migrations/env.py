"""Alembic's environment: works on the connection it is given, inside its transaction."""

from __future__ import annotations

from alembic import context

from oseo_lab.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
