"""Quotations, callbacks, balances, standing orders, foreign providers; the outbox by subject."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _add_columns()
    _recreate_outbox()
    _create_quotations()
    _create_callbacks()
    _create_balances()
    _create_past()
    _create_matches()
    _create_subscribers()
    _create_sendings()


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=False, sqlite_where=condition, postgresql_where=condition)


def _add_columns() -> None:
    """Add to tables that may be large what costs nothing there: no row is rewritten."""
    op.add_column("orders", sa.Column("quotation", sa.LargeBinary(), nullable=True))
    _partial("orders_standing", "orders", ["order_type", "uuid"], "order_type > 0 AND status < 10")
    _partial("orders_massive", "orders", ["uuid"], "reference = 'Massive order' AND status < 10")
    op.add_column("provider_orders", sa.Column("watched", sa.BigInteger(), nullable=True))
    _partial("provider_orders_watched", "provider_orders", ["watched", "order_ref"], "watched IS NOT NULL")
    _partial(
        "provider_orders_tracking", "provider_orders", ["tracking_id", "provider"], "tracking_id IS NOT NULL"
    )
    batch = sa.Column("batch", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("items", batch)
    op.add_column("items", sa.Column("product", sa.Text(), nullable=True))
    _partial("items_batch", "items", ["order_ref", "batch", "number"], "batch <> 0")
    _partial("items_held", "items", ["order_ref", "batch"], "batch <> 0 AND status = 3")
    op.add_column("results", sa.Column("href", sa.Text(), nullable=True))


def _recreate_outbox() -> None:
    """Name what a notice tells of by its packed id, and carry over what waits, in its order."""
    old = sa.text(
        "SELECT orders.uuid, outbox.kind, outbox.address, outbox.body, outbox.attempts, outbox.due"
        " FROM outbox JOIN orders ON orders.id = outbox.order_ref ORDER BY outbox.id"
    )
    waiting = op.get_bind().execute(old).all()
    op.drop_table("outbox")
    outbox = op.create_table(
        "outbox",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("is_next", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_queue", "outbox", ["subject", "address", "id"], unique=False)
    _partial("outbox_due", "outbox", ["due", "id"], "is_next = 1")
    first: set[tuple[bytes, str]] = set()
    for uuid, kind, address, body, attempts, due in waiting:
        row = {"subject": b"u" + bytes(uuid), "kind": kind, "address": address, "body": body}
        is_next = (uuid, address) not in first
        first.add((uuid, address))
        op.execute(sa.insert(outbox).values(**row, attempts=attempts, due=due, is_next=int(is_next)))


def _create_quotations() -> None:
    op.create_table(
        "quotations",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("uuid", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("requested", sa.BigInteger(), nullable=False),
        sa.Column("ordered", sa.LargeBinary(), nullable=True),
        sa.Column("specification", sa.LargeBinary(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("quotations_uuid", "quotations", ["uuid"], unique=True)
    op.create_index("quotations_owner", "quotations", ["owner", "id"], unique=False)
    _partial("quotations_pending", "quotations", ["id"], "state = 0")
    _partial("quotations_waiting", "quotations", ["id"], "state = 3")
    _partial("quotations_unordered", "quotations", ["requested"], "ordered IS NULL")


def _create_callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("order_ref", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.SmallInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("soap_version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_ref", "kind"),
        sqlite_with_rowid=False,
    )


def _create_balances() -> None:
    op.create_table(
        "balances",
        sa.Column("owner", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "currency"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "charges",
        sa.Column("order_ref", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("is_drawn", sa.SmallInteger(), nullable=False),
        sa.Column("is_given_back", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("order_ref", "number", "currency"),
        sqlite_with_rowid=False,
    )


def _create_past() -> None:
    op.create_table(
        "past",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("collection", sa.Integer(), nullable=False),
        sa.Column("choice", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("past_collection", "past", ["collection", "id"], unique=False)


def _create_matches() -> None:
    op.create_table(
        "matches",
        sa.Column("order_ref", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_ref", "number", "identifier", "revision"),
        sqlite_with_rowid=False,
    )


def _create_subscribers() -> None:
    op.create_table(
        "subscribers",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=True),
        sa.Column("producer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("reference"),
        sqlite_with_rowid=False,
    )
    op.create_index("subscribers_owner", "subscribers", ["owner", "created"], unique=False)


def _create_sendings() -> None:
    op.create_table(
        "sendings",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("notice", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("is_last", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sendings_subject", "sendings", ["subject", "id"], unique=False)


def downgrade() -> None:
    raise RuntimeError("there is no way back from 0002: use the copy that was made before it")
