"""Who may read a shared order, until when, and what stays its owner's alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.errors import Conflict, NotFound, ValidationError
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    FilteringCriteria,
    GetStatus,
    Presentation,
    SubFunction,
)
from oseo_lab.model.order import ResultFile
from oseo_lab.operations import perform, shares
from oseo_lab.operations.shares import (
    MOST_SHARES,
    NewShare,
    hash_of,
    list_shares,
    share,
    shared_results,
    shared_view,
    unshare,
)
from oseo_lab.operations.standing import would_match
from oseo_lab.operations.view import order_view
from tests.operations.orders import item, order

DAY = timedelta(days=1)


@pytest.fixture
def order_id(context):
    return perform(order(item("a", "S2_1"), item("b", "S2_2")), context()).order_id


@pytest.fixture
def with_ben(context, clock, order_id):
    return share(order_id, NewShare(until=clock() + DAY, grantee="ben"), context()).share


def _reads(order_id, context):
    return [
        lambda: order_view(order_id, context),
        lambda: perform(GetStatus(order_id=order_id), context),
        lambda: perform(GetStatus(order_id=order_id, presentation=Presentation.FULL), context),
        lambda: perform(DescribeResultAccess(order_id=order_id, sub_function=SubFunction.ALL_READY), context),
    ]


def _changes(order_id, context, now):
    return [
        lambda: perform(Cancel(order_id=order_id), context),
        lambda: perform(
            DescribeResultAccess(order_id=order_id, sub_function=SubFunction.NEXT_READY), context
        ),
        lambda: share(order_id, NewShare(until=now + DAY, grantee="carla"), context),
        lambda: share(order_id, NewShare(until=now + DAY), context),
        lambda: list_shares(order_id, context),
        lambda: unshare(order_id, "00000000-0000-4000-8000-000000000001", context),
        lambda: would_match(order_id, context),
    ]


def _refusal(call):
    with pytest.raises(NotFound) as refused:
        call()
    return refused.value


@pytest.mark.usefixtures("with_ben")
def test_a_grantee_reads_the_order_and_changes_nothing(context, clock, order_id):
    for read in _reads(order_id, context("ben")):
        read()
    for change in _changes(order_id, context("ben"), clock()):
        _refusal(change)
    view = order_view(order_id, context("ben"))
    assert view.actions == () and view.cost == () and view.summary.owner == "anna"
    assert order_view(order_id, context()).actions != ()


@pytest.mark.usefixtures("with_ben")
def test_nobody_else_reads_it_and_is_told_as_of_an_unknown_order(context, clock, order_id):
    unknown = "urn:uuid:00000000-0000-4000-8000-000000000001"
    for owner in ("carla", "Ben", "ben "):
        for mine, none in zip(
            _reads(order_id, context(owner)) + _changes(order_id, context(owner), clock()),
            _reads(unknown, context(owner)) + _changes(unknown, context(owner), clock()),
            strict=True,
        ):
            refused, as_unknown = _refusal(mine), _refusal(none)
            assert str(refused).replace(order_id, "X") == str(as_unknown).replace(unknown, "X")
            assert refused.problems == as_unknown.problems or refused.code == as_unknown.code


def test_what_is_over_or_taken_back_is_as_unknown(context, clock, order_id, with_ben):
    clock.advance(days=1)
    for read in _reads(order_id, context("ben")):
        _refusal(read)
    again = share(order_id, NewShare(until=clock() + DAY, grantee="ben"), context()).share
    assert [each.share_id for each in list_shares(order_id, context())] == [again.share_id]
    unshare(order_id, again.share_id, context())
    for read in _reads(order_id, context("ben")):
        _refusal(read)
    _refusal(lambda: unshare(order_id, again.share_id, context()))
    assert with_ben.share_id != again.share_id


@pytest.mark.usefixtures("with_ben")
def test_shared_orders_are_not_among_ones_own(context):
    own = perform(GetStatus(filtering_criteria=FilteringCriteria()), context("ben"))
    assert own.orders == ()


def test_a_link_opens_its_order_and_only_the_hash_of_its_secret_is_kept(context, clock, order_id, store):
    made = share(order_id, NewShare(until=clock() + DAY), context())
    assert made.secret is not None and len(made.secret) >= 43
    assert made.share.secret_hash is None, "it does not leave the service"
    with store.read() as snapshot:
        (kept,) = snapshot.shares.of(order_id, clock())
    assert kept.secret_hash == hash_of(made.secret) and made.secret not in repr(kept)
    nobody = context(None)
    view = shared_view(made.secret, nobody)
    assert view.summary.order_id == order_id and view.actions == ()
    assert shared_results(made.secret, nobody).urls == ()
    assert [each.secret_hash for each in list_shares(order_id, context())] == [None]
    clock.advance(days=1)
    _refusal(lambda: shared_view(made.secret, nobody))
    _refusal(lambda: shared_results(made.secret, nobody))


def test_no_text_is_a_secret_by_chance(context, clock, order_id):
    made = share(order_id, NewShare(until=clock() + DAY), context())

    @given(secret=st.text() | st.sampled_from([made.secret[:-1], made.secret + "a", hash_of(made.secret)]))
    def guess(secret):
        with pytest.raises(NotFound):
            shared_view(secret, context(None))

    guess()


def test_links_made_for_a_share_end_with_it(context, clock, order_id, with_ben, store):
    asked = []

    def link(order, number, name, expires, share=None):
        asked.append((expires, share))
        return "http://localhost/f"

    file = ResultFile(
        order_id=order_id,
        number=1,
        attempt=1,
        name="a.tif",
        size=1,
        sha256="00" * 32,
        media_type="image/tiff",
        expires=clock() + 10 * DAY,
    )
    store.write(lambda work: work.results.add([file]))
    for owner in ("ben", "anna"):
        request = DescribeResultAccess(order_id=order_id, sub_function=SubFunction.ALL_READY)
        perform(request, replace(context(owner), link=link))
    assert asked == [(with_ben.until, with_ben.share_id), (file.expires, None)]


@pytest.mark.parametrize(
    ("days", "grantee", "says"),
    [
        (0, "ben", "later than now"),
        (-1, None, "later than now"),
        (400, "ben", "366 days"),
        (1, "anna", "is yours"),
        (1, "", "no user's name"),
        (1, " ben", "no user's name"),
        (1, "b\nen", "no user's name"),
        (1, "b" * 300, "no user's name"),
    ],
)
def test_what_cannot_be_shared_so_is_said(context, clock, order_id, days, grantee, says):
    with pytest.raises(ValidationError, match=says):
        share(order_id, NewShare(until=clock() + days * DAY, grantee=grantee), context())


def test_an_order_has_so_many_shares_at_most(context, clock, order_id, monkeypatch):
    monkeypatch.setattr(shares, "MOST_SHARES", 2)
    assert MOST_SHARES == 100
    for grantee in ("ben", "carla", "ben"):
        share(order_id, NewShare(until=clock() + DAY, grantee=grantee), context())
    for grantee in ("dora", None):
        with pytest.raises(Conflict, match="2 shares"):
            share(order_id, NewShare(until=clock() + DAY, grantee=grantee), context())
