"""The order desk, notifications by mail and webhook, and results that are used again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _reuse()
    _open_the_desk()
    _notify()


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=False, sqlite_where=condition, postgresql_where=condition)


def _open_the_desk() -> None:
    """Let operators decide: what waits for them already, waits on; what ended waiting was never approved."""
    op.add_column("orders", sa.Column("approval", sa.SmallInteger(), nullable=True))
    op.add_column("orders", sa.Column("decision", sa.Integer(), nullable=True))
    op.execute("UPDATE orders SET approval = 0 WHERE status = 0 AND submitted > 0")
    # else their items could be tried again, and made, past the operators: of these all that is known is that
    # they were Submitted (0) and then Cancelled (10)
    said = "SELECT 1 FROM events WHERE order_ref = orders.id AND number = 0 AND status"
    op.execute(
        "UPDATE orders SET approval = 0 WHERE status = 10 "
        f"AND EXISTS ({said} = 0) AND NOT EXISTS ({said} NOT IN (0, 10))"
    )
    _partial("orders_waiting", "orders", ["id"], "approval = 0 AND status = 0")
    _partial("orders_decided", "orders", ["id"], "approval > 0 AND submitted > 0")
    op.create_table(
        "announcements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "failures",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conditions",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("is_failing", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("collection"),
        sqlite_with_rowid=False,
    )


def _notify() -> None:
    """Tell by mail and webhook who asked for it, keep what was sent, count what a month brought."""
    op.create_table(
        "notifications",
        sa.Column("order_ref", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.SmallInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("events", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.SmallInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("warned", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("order_ref", "uuid"),
        sqlite_with_rowid=False,
    )
    _partial("notifications_warned", "notifications", ["order_ref"], "warned IS NOT NULL")
    op.add_column("sendings", sa.Column("body", sa.Text(), nullable=True))
    op.add_column("matches", sa.Column("at", sa.BigInteger(), nullable=True))
    _partial("matches_joined", "matches", ["order_ref", "at"], "at IS NOT NULL")


def _reuse() -> None:
    """Remember of delivered items what they were made from and how; and past items by how large they are."""
    op.add_column("items", sa.Column("recipe", sa.LargeBinary(), nullable=True))
    _partial("items_recipe", "items", ["recipe"], "recipe IS NOT NULL")
    zero = sa.text("0")
    op.add_column("past", sa.Column("scale", sa.SmallInteger(), nullable=False, server_default=zero))
    _say_scales()
    op.drop_index("past_collection", "past")
    op.create_index("past_collection", "past", ["collection", "scale", "id"])


def _say_scales() -> None:
    """Write down how large an area finished items are of: it stands behind the digest of their choice."""
    connection = op.get_bind()
    query = "SELECT DISTINCT past.choice, texts.text FROM past JOIN texts ON texts.id = past.choice"
    for ref, text in connection.execute(sa.text(query)).all():
        said = text.partition("@")[2]
        scale = min(max(int(said), -60), 60) + 100 if said.removeprefix("-").isdecimal() else 0
        update = sa.text("UPDATE past SET scale = :scale WHERE choice = :choice")
        connection.execute(update, {"scale": scale, "choice": ref})


def downgrade() -> None:
    raise RuntimeError("there is no way back from 0004: use the copy that was made before it")
