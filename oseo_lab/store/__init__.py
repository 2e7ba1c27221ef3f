"""The durable order store: SQLAlchemy lives here."""
