"""What is shown of an order at a glance, and who else may see it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _add_columns()
    _create_indexes()
    _create_shares()
    _say_collections()
    _say_sizes()


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _add_columns() -> None:
    op.add_column("orders", sa.Column("collections", sa.Integer(), nullable=True))
    size = sa.Column("size", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    op.add_column("orders", size)


def _create_indexes() -> None:
    op.create_index("orders_owner", "orders", ["owner", "id"], unique=False)
    op.create_index("items_status", "items", ["order_ref", "status", "updated", "number"], unique=False)
    _partial("items_failed", "items", ["order_ref", "status", "info", "number"], "status = 12")
    columns = ["order_ref", "info", "number", "status", "retry_at"]
    _partial("items_retry", "items", columns, "retry_at IS NOT NULL")
    _partial("results_kept", "results", ["order_ref", "expires"], "removed = 0 AND position = 0")


def _create_shares() -> None:
    op.create_table(
        "shares",
        sa.Column("order_ref", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.LargeBinary(), nullable=False),
        sa.Column("grantee", sa.Integer(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("order_ref", "uuid"),
        sqlite_with_rowid=False,
    )
    _partial("shares_grantee", "shares", ["grantee", "order_ref"], "grantee IS NOT NULL")
    _partial("shares_secret", "shares", ["secret_hash"], "secret_hash IS NOT NULL", unique=True)


def _say_collections() -> None:
    """Write down, of the orders there are, what they order from: their items' choices say it."""
    connection = op.get_bind()
    texts: dict[int, str] = {}
    found: dict[int, set[str]] = {}
    choices = sa.text("SELECT DISTINCT order_ref, choice FROM items WHERE number > 0")
    for order_ref, choice in connection.execute(choices).all():
        if choice not in texts:
            row = connection.execute(sa.text("SELECT text FROM texts WHERE id = :id"), {"id": choice}).one()
            texts[choice] = json.loads(row[0]).get("collection_id", "")
        found.setdefault(order_ref, set()).add(texts[choice])
    refs: dict[str, int] = {}
    update = sa.text("UPDATE orders SET collections = :ref WHERE id = :id")
    for order_ref, collections in found.items():
        text = json.dumps(sorted(collections), ensure_ascii=False, separators=(",", ":"))
        if text not in refs:
            refs[text] = _text_ref(connection, text)
        connection.execute(update, {"ref": refs[text], "id": order_ref})


def _text_ref(connection: Any, text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    row = connection.execute(sa.text("SELECT id FROM texts WHERE digest = :d"), {"d": digest}).first()
    if row is None:
        insert = sa.text("INSERT INTO texts (digest, text) VALUES (:d, :t) RETURNING id")
        row = connection.execute(insert, {"d": digest, "t": text}).one()
    return int(row[0])


def _say_sizes() -> None:
    op.execute(
        "UPDATE orders SET size = (SELECT COALESCE(SUM(results.size), 0) FROM results"
        " WHERE results.order_ref = orders.id AND results.number > 0 AND results.is_data = 1)"
        " WHERE sequence > 0"
    )


def downgrade() -> None:
    raise RuntimeError("there is no way back from 0003: use the copy that was made before it")
