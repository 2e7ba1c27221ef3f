"""The tables, one comment per column: ECHO's shape (order, provider order, item), packed small.

Times are microseconds since 1970 UTC, enumerations small integers (`oseo_lab.store.values`), UUIDs 16
bytes, amounts millionths of their unit, and what repeats between orders (collections, option selections,
owners, remarks of the house) is a row of ``texts`` that others refer to by its number. No foreign keys are
declared: nothing that is referred to is ever deleted, and each row is written in the transaction of what it
refers to, by this package alone. Columns that a later revision added stand last in their table.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

__all__ = [
    "METADATA",
    "accounts",
    "announcements",
    "attempts",
    "balances",
    "callbacks",
    "charges",
    "conditions",
    "events",
    "failures",
    "items",
    "matches",
    "nonces",
    "notifications",
    "orders",
    "outbox",
    "past",
    "provider_orders",
    "quotations",
    "results",
    "sendings",
    "shares",
    "subscribers",
    "texts",
]

METADATA = MetaData()
#: Sixty-four bits; on SQLite the type that makes a primary key the row's own number.
Big = BigInteger().with_variant(Integer, "sqlite")


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of some rows only: cheap to keep, and to walk, however many the others are."""
    condition = sa.text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


texts = Table(
    "texts",
    METADATA,
    Column("id", Big, primary_key=True),
    _required("digest", LargeBinary),  # 16 bytes of BLAKE2b of the text, to find it by
    _required("text", Text),
    Index("texts_digest", "digest", unique=True),
)

orders = Table(
    "orders",
    METADATA,
    Column("id", Big, primary_key=True),  # rises with each order: oldest first
    _required("uuid", LargeBinary),  # of the order id
    _required("owner", Integer),  # text
    _required("status", SmallInteger),  # rolled up from the items
    Column("info", Integer),  # text: additionalStatusInfo
    Column("mission", Integer),  # text: missionSpecificStatusInfo
    Column("created", BigInteger),  # orderDateTime
    Column("updated", BigInteger),  # last change of the order or an item
    _required("revision", Integer),  # grows with every such change
    _required("wanted", SmallInteger),  # what the user last asked of the whole order
    _required("face", SmallInteger),  # protocol it came in by
    _required("next_ready", Integer),  # completion sequence last told by nextReady
    _required("sequence", Integer),  # completion sequence last given
    Column("message", LargeBinary),  # MessageID of its Submit, packed; forgotten after 30 days
    Column("request_digest", LargeBinary),  # of what that Submit said, packed
    _required("order_type", SmallInteger),
    Column("priority", SmallInteger),
    Column("reference", Text),  # orderReference
    Column("rest", Integer),  # text: the rest of the specification as JSON, where not default
    Column("secrets", Text),  # JSON: passwords of the on-line addresses, in their order; nowhere else
    # How many items have which status, so that rolling up a huge order costs what a small one does.
    _required("submitted", Integer),
    _required("accepted", Integer),
    _required("in_production", Integer),
    _required("suspended", Integer),
    _required("cancelled", Integer),
    _required("completed", Integer),
    _required("failed", Integer),
    _required("terminated", Integer),
    _required("downloaded", Integer),
    Column("quotation", LargeBinary),  # the quotation it was ordered by, packed
    Column("collections", Integer),  # text: JSON list of the collections it orders from
    Column("size", BigInteger, nullable=False, server_default=sa.text("0")),  # bytes of delivered products
    Column("approval", SmallInteger),  # 0 waits for a person, 1 approved, 2 rejected; NULL: not asked for
    Column("decision", Integer),  # text: who decided, when and why, as JSON
    Index("orders_uuid", "uuid", unique=True),
    Index("orders_owner", "owner", "id"),
    Index("orders_search", "owner", "status", "updated", "id"),
    _partial(
        "orders_message",
        "owner",
        "message",
        where="message IS NOT NULL",
        unique=True,
    ),
    _partial("orders_standing", "order_type", "uuid", where="order_type > 0 AND status < 10"),
    _partial("orders_massive", "uuid", where="reference = 'Massive order' AND status < 10"),
    _partial("orders_waiting", "id", where="approval = 0 AND status = 0"),
    # Decided, and the items not moved yet: empty but for moments.
    _partial("orders_decided", "id", where="approval > 0 AND submitted > 0"),
)

provider_orders = Table(
    "provider_orders",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("provider", Integer, primary_key=True, autoincrement=False),  # text
    _required("state", SmallInteger),  # ECHO's
    Column("tracking_id", Text),  # the provider's own name for it
    Column("updated", BigInteger),
    Column("closed", BigInteger),
    # When it last changed, while it is open at another provider, who must be asked; otherwise NULL.
    Column("watched", BigInteger),
    _partial("provider_orders_watched", "watched", "order_ref", where="watched IS NOT NULL"),
    _partial("provider_orders_tracking", "tracking_id", "provider", where="tracking_id IS NOT NULL"),
    sqlite_with_rowid=False,
)

items = Table(
    "items",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    _required("item_id", Text),  # the client's name for it
    _required("identifier", Text),  # of the product, subscription's collection or tasking request
    Column("remark", Text),  # orderItemRemark
    _required("choice", Integer),  # text: everything else of the specification, shared by equal items
    _required("provider", Integer),  # text
    _required("rank", SmallInteger),  # 0 in a fast-track order, otherwise 1
    _required("status", SmallInteger),
    Column("info", Integer),  # text: additionalStatusInfo
    Column("mission", Integer),  # text: missionSpecificStatusInfo
    _required("wanted", SmallInteger),
    _required("attempt", Integer),  # running or last; 0 before the first
    _required("failures", SmallInteger),  # attempts that ended in a transient failure
    Column("updated", BigInteger),  # when the status last changed
    Column("retry_at", BigInteger),  # when a transient failure is tried again
    Column("lease_owner", Integer),  # text: which dispatcher works on it
    Column("lease_until", BigInteger),
    # From when on it can be claimed: end of lease or wait, 0 for at once, NULL for never (also what another
    # provider fulfils). In an index of
    # its own: finding work stays cheap however many items are finished, suspended or in other hands.
    Column("due", BigInteger),
    # Which batch of its order, from 1; 0 where there are none.
    Column("batch", Integer, nullable=False, server_default=sa.text("0")),
    Column("product", Text),  # JSON: what a tasking request acquired
    # Digest of what it was made from and how, while its result is kept: who orders the same can have it.
    Column("recipe", LargeBinary),
    _partial("items_recipe", "recipe", where="recipe IS NOT NULL"),
    _partial("items_batch", "order_ref", "batch", "number", where="batch <> 0"),
    _partial("items_held", "order_ref", "batch", where="batch <> 0 AND status = 3"),  # Suspended
    _partial(
        "items_due",
        "rank",
        "due",
        "order_ref",
        "number",
        where="due IS NOT NULL",
    ),
    _partial(
        "items_ended",  # open (below 10) and wanted cancelled (2)
        "order_ref",
        "number",
        where="wanted = 2 AND status < 10",
    ),
    # What is shown of a large order: the newest of each status, and what went wrong by its reason.
    Index("items_status", "order_ref", "status", "updated", "number"),
    _partial("items_failed", "order_ref", "status", "info", "number", where="status = 12"),  # Failed
    _partial(
        "items_retry", "order_ref", "info", "number", "status", "retry_at", where="retry_at IS NOT NULL"
    ),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    METADATA,
    Column("id", Big, primary_key=True),  # rises, never used twice: also the id of the event stream
    _required("order_ref", BigInteger),
    _required("number", Integer),  # 0 for the order itself
    _required("status", SmallInteger),
    _required("at", BigInteger),
    _required("author", Integer),  # text
    _required("attempt", Integer),
    Column("info", Integer),  # text: for the user
    Column("detail", Text),  # for the operator
    Index("events_item", "order_ref", "number"),
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("started", BigInteger),
    Column("ended", BigInteger),
    Column("worker", Integer),  # text
    Column("outcome", Integer),  # text
    Column("detail", Text),  # for the operator
    sqlite_with_rowid=False,
)

results = Table(
    "results",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # 0 for a package of the order
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),  # in its delivery, from 0
    _required("name", Text),
    _required("size", BigInteger),
    _required("sha256", LargeBinary),  # packed
    _required("media_type", Integer),  # text
    _required("is_data", SmallInteger),
    _required("sequence", Integer),  # of its delivery within the order
    Column("expires", BigInteger),
    _required("removed", SmallInteger),
    Column("fetched", Text),  # JSON: byte ranges served so far
    Column("href", Text),  # where it lies, if not here
    # Of each delivery one row, its first: all files of a delivery expire together.
    _partial(
        "results_expires",
        "expires",
        where="removed = 0 AND position = 0",
    ),
    _partial("results_kept", "order_ref", "expires", where="removed = 0 AND position = 0"),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    METADATA,
    Column("id", Big, primary_key=True),  # rises: notices of one subject to one address go out in this order
    _required("subject", LargeBinary),  # order or quotation id, packed
    _required("kind", Text),
    _required("address", Text),
    _required("body", Text),  # JSON
    _required("attempts", Integer),
    _required("due", BigInteger),  # next try, or end of the lease; 0 for at once
    # 1 if nothing older of its subject is owed to its address: finding work does not walk past queues.
    _required("is_next", SmallInteger),
    Index("outbox_queue", "subject", "address", "id"),
    _partial("outbox_due", "due", "id", where="is_next = 1"),
    sqlite_autoincrement=True,
)

accounts = Table(
    "accounts",
    METADATA,
    Column("name", Text, primary_key=True),
    _required("owner", Text),
    _required("password_hash", Text),  # argon2
    Column("digest_secret", LargeBinary),  # encrypted with a key outside the store
    _required("disabled", SmallInteger),
    Column("created", BigInteger),
    sqlite_with_rowid=False,
)

nonces = Table(
    "nonces",
    METADATA,
    Column("nonce", LargeBinary, primary_key=True),
    _required("keep_until", BigInteger),
    Index("nonces_keep_until", "keep_until"),
    sqlite_with_rowid=False,
)

quotations = Table(
    "quotations",
    METADATA,
    Column("id", Big, primary_key=True),  # rises with each quotation: oldest first
    _required("uuid", LargeBinary),  # of the quotation id
    _required("owner", Integer),  # text
    _required("state", SmallInteger),
    _required("requested", BigInteger),
    Column("ordered", LargeBinary),  # the order it became, packed
    _required("specification", LargeBinary),  # what was asked, as compressed JSON, without secrets
    Column("secrets", Text),  # JSON: passwords of the on-line addresses, in their order; nowhere else
    _required("answer", LargeBinary),  # all that is told of it, as compressed JSON
    Index("quotations_uuid", "uuid", unique=True),
    Index("quotations_owner", "owner", "id"),
    _partial("quotations_pending", "id", where="state = 0"),
    _partial("quotations_waiting", "id", where="state = 3"),
    _partial("quotations_unordered", "requested", where="ordered IS NULL"),
)

callbacks = Table(
    "callbacks",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    _required("policy", SmallInteger),
    _required("address", Text),
    _required("message", LargeBinary),  # MessageID of the request, packed
    _required("soap_version", Text),
    sqlite_with_rowid=False,
)

balances = Table(
    "balances",
    METADATA,
    Column("owner", Integer, primary_key=True, autoincrement=False),  # text
    Column("currency", Text, primary_key=True),
    _required("value", BigInteger),  # millionths
    sqlite_with_rowid=False,
)

charges = Table(
    "charges",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("currency", Text, primary_key=True),
    _required("owner", Integer),  # text
    _required("amount", BigInteger),  # millionths
    _required("is_drawn", SmallInteger),  # 0 if there was no balance to draw from: nothing comes back to it
    _required("is_given_back", SmallInteger),
    sqlite_with_rowid=False,
)

past = Table(
    "past",
    METADATA,
    Column("id", Big, primary_key=True),  # rises: newest last
    _required("collection", Integer),  # text
    _required("choice", Integer),  # text
    _required("seconds", Float),  # of work
    _required("size", BigInteger),
    # How large an area it is of: the logarithm of its surface and 100; 0 where nothing was cut out.
    Column("scale", SmallInteger, nullable=False, server_default=sa.text("0")),
    Index("past_collection", "collection", "scale", "id"),
)

matches = Table(
    "matches",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("identifier", Text, primary_key=True),  # of the product
    Column("revision", Text, primary_key=True),
    Column("at", BigInteger),  # when it joined, where its order takes so many a month
    _partial("matches_joined", "order_ref", "at", where="at IS NOT NULL"),
    sqlite_with_rowid=False,
)

subscribers = Table(
    "subscribers",
    METADATA,
    Column("reference", Text, primary_key=True),
    _required("owner", Integer),  # text
    _required("consumer", Text),  # where events are sent
    _required("topic", Text),
    _required("created", BigInteger),
    Column("ends", BigInteger),
    Column("producer", Text),  # where this service was when it was subscribed to
    Index("subscribers_owner", "owner", "created"),
    sqlite_with_rowid=False,
)

sendings = Table(
    "sendings",
    METADATA,
    Column("id", Big, primary_key=True),  # rises: oldest first
    _required("subject", LargeBinary),  # order or quotation id, packed
    _required("notice", BigInteger),  # of the outbox
    _required("kind", Text),
    _required("address", Text),
    _required("at", BigInteger),
    _required("attempt", Integer),
    _required("outcome", Text),  # sent, or why not
    _required("is_last", SmallInteger),  # nothing follows: sent, or given up
    Column("body", Text),  # JSON: what was sent, at its last try, to send it again
    Index("sendings_subject", "subject", "id"),
)

notifications = Table(
    "notifications",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", LargeBinary, primary_key=True),
    _required("channel", SmallInteger),
    _required("address", Text),
    _required("events", SmallInteger),  # bits, in the order of `Event`
    _required("digest", SmallInteger),
    _required("created", BigInteger),
    Column("secret", LargeBinary),  # what messages to a webhook are signed with; nowhere else
    _required("service", Text),  # where this service was for whoever asked
    # Results that expire up to then were told of; NULL where nobody asked to be warned.
    Column("warned", BigInteger),
    _partial("notifications_warned", "order_ref", where="warned IS NOT NULL"),
    sqlite_with_rowid=False,
)

announcements = Table(
    "announcements",
    METADATA,
    Column("id", Big, primary_key=True),  # rises: the last one counts
    Column("text", Text),  # what users are told; NULL: the one before was withdrawn
    Column("until", BigInteger),
    _required("author", Integer),  # text
    _required("at", BigInteger),
)

failures = Table(
    "failures",
    METADATA,
    Column("day", Integer, primary_key=True, autoincrement=False),  # UTC, since 1970
    Column("kind", Text, primary_key=True),  # failure class
    _required("count", Integer),
    sqlite_with_rowid=False,
)

conditions = Table(
    "conditions",
    METADATA,
    Column("collection", Text, primary_key=True),
    _required("is_failing", SmallInteger),  # whether the last try at an item of it failed
    _required("at", BigInteger),  # when one failed last
    Column("reason", Integer),  # text
    sqlite_with_rowid=False,
)

shares = Table(
    "shares",
    METADATA,
    Column("order_ref", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", LargeBinary, primary_key=True),  # of the share id
    Column("grantee", Integer),  # text; NULL for whoever has the link
    _required("created", BigInteger),
    _required("until", BigInteger),
    Column("secret_hash", LargeBinary),  # SHA-256 of the secret in the link; NULL for a named user
    _partial("shares_grantee", "grantee", "order_ref", where="grantee IS NOT NULL"),
    _partial("shares_secret", "secret_hash", where="secret_hash IS NOT NULL", unique=True),
    sqlite_with_rowid=False,
)
