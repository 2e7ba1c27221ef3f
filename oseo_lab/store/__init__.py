"""The durable order store: SQLAlchemy lives here."""

from oseo_lab.store.databases import backup, upgrade
from oseo_lab.store.engine import open_store

__all__ = ["backup", "open_store", "upgrade"]
