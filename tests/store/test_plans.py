"""What is asked all the time walks an index of just that, whatever else the store holds."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.dialects import sqlite

from oseo_lab.store import (
    balances,
    callbacks,
    desk,
    earlier,
    item_statements,
    matches,
    notifications,
    orders,
    outbox,
    past,
    provider_orders,
    quotations,
    sendings,
    shares,
    subscribers,
    view_statements,
)

WALKS = [
    (orders._STANDING, "orders_standing"),
    (orders._MASSIVE, "orders_massive"),
    (item_statements.FRESH, "items_due"),
    (item_statements.LATE, "items_due"),
    (item_statements.ENDED, "items_ended"),
    (item_statements.WISHED, "items_due"),
    (item_statements.WISHED_LATE, "items_due"),
    (item_statements.IN_WORK, "PRIMARY KEY (order_ref=?)"),
    (item_statements.NEXT_BATCH, "items_held"),
    (item_statements.OF_BATCH, "items_batch (order_ref=? AND batch=?)"),
    (item_statements.LAST_NUMBER, "PRIMARY KEY (order_ref=?)"),
    (provider_orders._OPEN_PARTS, "provider_orders_watched"),
    (provider_orders._BY_TRACKING, "provider_orders_tracking"),
    (quotations._PENDING, "quotations_pending"),
    (quotations._WAITING, "quotations_waiting"),
    (quotations._UNANSWERED, "quotations_owner"),
    (quotations._FORGET, "quotations_unordered"),
    (quotations._OF, "quotations_owner"),
    (outbox._CLAIM, "outbox_due"),
    (outbox._WAITING, "outbox_queue"),
    (callbacks._OF[64], "PRIMARY KEY (order_ref=?)"),
    (balances._not_given_back(8), "PRIMARY KEY (order_ref=? AND number=?)"),
    (matches._KNOWN[64], "PRIMARY KEY (order_ref=?)"),
    (matches._COUNT, "PRIMARY KEY (order_ref=? AND number=?)"),
    (matches._COUNT_SINCE, "COVERING INDEX matches_joined (order_ref=? AND at>?)"),
    (notifications._OF[64], "PRIMARY KEY (order_ref=?)"),
    (notifications._EXPIRING, "results_kept (order_ref=? AND expires>? AND expires<?)"),
    (past._OF, "past_collection"),
    (past._LATEST, "past_collection"),
    (past._SCALES, "past_collection"),
    (past._TRIM, "past_collection"),
    (earlier.of_recipes(64), "items_recipe"),
    (subscribers._OF, "subscribers_owner"),
    (sendings._OF, "sendings_subject"),
    (sendings._LAST, "sendings_subject"),
    (view_statements.LATEST, "items_status (order_ref=? AND status=?)"),
    (view_statements.EARLIEST, "items_status (order_ref=? AND status=?)"),
    (view_statements.MOVED, "COVERING INDEX items_status"),
    (view_statements.FAILED_BY_REASON, "COVERING INDEX items_failed"),
    (view_statements.FAILED_OF_REASON, "items_failed (order_ref=? AND status=? AND info=?)"),
    (view_statements.RETRIED_BY_REASON, "COVERING INDEX items_retry"),
    (view_statements.RETRIED_OF_REASON, "items_retry (order_ref=? AND info=?)"),
    (view_statements.RETRIED, "COVERING INDEX items_retry"),
    (view_statements.EXPIRES[8], "results_kept (order_ref=?)"),
    (view_statements.lines(8), "events_item (order_ref=? AND number=?)"),
    (view_statements.LAST_BATCH, "items_batch (order_ref=?)"),
    (view_statements.OWN, "orders_owner (owner=? AND id<?)"),
    (view_statements.SHARED, "shares_grantee (grantee=?)"),
    (desk._WAITING, "orders_waiting"),
    (desk._COUNT_WAITING, "orders_waiting"),
    (desk._DECIDED, "orders_decided"),
    (desk._LATER, "items_due (rank=? AND due>?)"),
    (desk._QUEUED, "items_due (rank=? AND due=?)"),
    (desk._NEXT, "items_due (rank=? AND due=?)"),
    (desk._QUOTATIONS, "quotations_waiting"),
    (desk._held(8), "PRIMARY KEY (order_ref=? AND number=?)"),
    (desk._set_free(8), "PRIMARY KEY (order_ref=? AND number=?)"),
    (shares._GRANTED, "PRIMARY KEY (order_ref=?)"),
    (shares._BY_SECRET, "shares_secret"),
]


@pytest.mark.parametrize(("statement", "index"), WALKS, ids=[index for _, index in WALKS])
def test_what_is_asked_all_the_time_walks_an_index(kept_sqlite, statement, index):
    sql = statement.on(sqlite.dialect())[0]
    connection = sqlite3.connect(kept_sqlite)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))]
    connection.close()
    assert any(index in step for step in plan), plan
    scans = [step for step in plan if step.startswith("SCAN") and "USING" not in step]
    tables = [step for step in scans if not step.startswith("SCAN anon_")]  # rows found before, counted
    assert tables == [], "a table is walked from end to end"
