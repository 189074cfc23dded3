"""Called by Alembic. The connection, and its transaction, come from `sql/migrating.py`."""

from alembic import context

from docstore.adapters.persistence.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by building it anew
)
context.run_migrations()
