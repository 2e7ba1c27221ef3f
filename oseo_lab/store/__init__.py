"""The durable order store: SQLAlchemy lives here."""

from oseo_lab.store.engine import backup, open_store, upgrade

__all__ = ["backup", "open_store", "upgrade"]
