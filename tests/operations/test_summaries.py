"""Orders at a glance: by name, status, collection and time; page by page; mine, or shared with me."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oseo_lab.model.errors import ValidationError
from oseo_lab.model.names import reference_of
from oseo_lab.model.status import Status
from oseo_lab.operations import perform, summaries
from oseo_lab.operations.shares import NewShare, share
from oseo_lab.operations.summaries import SummaryQuery, list_summaries
from tests.operations.orders import item, order


@pytest.fixture
def made(context, clock):
    """Three orders of anna's, an hour apart, one of berta's."""
    found = []
    for name, product in (("lake-garda", "S2_1"), ("lake-como", "S2_91"), ("po valley " * 5, "S2_3")):
        reference, extensions = reference_of(name)
        submit = order(
            item("a", product, collection_id="any" if product == "S2_91" else "optical", options=())
            if product == "S2_91"
            else item("a", product),
            order_reference=reference,
            extensions=extensions,
        )
        found.append(perform(submit, context()).order_id)
        clock.advance(hours=1)
    perform(order(item("a", "S2_4"), order_reference="lake-iseo"), context("berta"))
    return found


def _names(context, **query):
    return [each.name for each in list_summaries(SummaryQuery(**query), context).orders]


def test_orders_are_found_by_what_is_known_of_them(context, clock, made):
    mine = context()
    assert _names(mine) == ["po valley " * 5, "lake-como", "lake-garda"]
    assert _names(mine, name="lake-*") == ["lake-como", "lake-garda"]
    assert _names(mine, name="lake-garda") == ["lake-garda"]
    assert _names(mine, name="po valley " * 5) == ["po valley " * 5]
    assert _names(mine, name="lake") == []
    assert _names(mine, collection="any") == ["lake-como"]
    assert _names(mine, statuses={Status.ACCEPTED}) == _names(mine)
    assert _names(mine, statuses={Status.COMPLETED}) == []
    assert _names(
        mine, since=clock() - timedelta(hours=2, minutes=30), until=clock() - timedelta(hours=1)
    ) == [
        "po valley " * 5,
        "lake-como",
    ]
    first = list_summaries(SummaryQuery(name="lake-garda"), mine).orders[0]
    assert first.order_id == made[0] and first.counts == {Status.ACCEPTED: 1}


def test_pages_follow_each_other_and_end(context, made, monkeypatch):
    monkeypatch.setattr(summaries, "PIECE", 2)
    page = list_summaries(SummaryQuery(limit=2), context())
    assert [each.order_id for each in page.orders] == [made[2], made[1]] and page.cursor == made[1]
    page = list_summaries(SummaryQuery(limit=2, cursor=page.cursor), context())
    assert [each.order_id for each in page.orders] == [made[0]] and page.cursor is None


def test_a_page_looks_at_so_many_orders_and_says_where_to_go_on(context, made, monkeypatch):
    monkeypatch.setattr(summaries, "PIECE", 1)
    monkeypatch.setattr(summaries, "MOST_LOOKED_AT", 2)
    page = list_summaries(SummaryQuery(name="lake-garda"), context())
    assert page.orders == () and page.cursor == made[1]
    page = list_summaries(SummaryQuery(name="lake-garda", cursor=page.cursor), context())
    assert [each.order_id for each in page.orders] == [made[0]]


def test_what_is_shared_is_called_by_its_owner_too(context, clock, made):
    share(made[0], NewShare(until=clock() + timedelta(days=1), grantee="ben"), context())
    ben = context("ben")
    assert _names(ben) == []
    assert _names(ben, shared=True) == ["lake-garda"]
    assert _names(ben, shared=True, name="anna/lake-*") == ["lake-garda"]
    assert _names(ben, shared=True, name="berta/*") == []
    clock.advance(days=1)
    assert _names(ben, shared=True) == []


def test_patterns_hold_nobody_up(context, made):
    mine = context()
    assert _names(mine, name="lake[a-z*") == []  # * and ? alone stand for anything
    assert _names(mine, name="*[a" * 300) == []
    for pattern in ("[a" * 20_000 + "*", "*" * 1001):  # the first took a service minutes
        with pytest.raises(ValidationError, match="at most 1000"):
            _names(mine, name=pattern)
    assert _names(mine, name="[a" * 20_000) == []
