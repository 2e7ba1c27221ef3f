"""Order types: what each collection takes, whose product an item is, how an order begins."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from oseo_lab.model.collection import Collection, OrderOptions, SubscriptionRule, TaskingRule
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.errors import NotSupported, ValidationError
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.messages import GetStatus, Presentation, Submit
from oseo_lab.model.options import (
    CategoryRange,
    DataArray,
    Encoding,
    Field,
    OptionDefinition,
    ParameterData,
    Text,
    encoded_as_text,
)
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.status import ProviderOrderState, Status
from oseo_lab.model.subscription import standing_of
from oseo_lab.operations import perform

PLAIN = Collection(id="plain", pattern=r"S2_\d+", batch=2)
STANDING = Collection(
    id="standing", pattern=r"S1_\d+", subscription=SubscriptionRule(max_days=100), product_orders=False
)
TASKED = Collection(id="tasked", pattern=r"T_\d+", tasking=TaskingRule(pattern=r"urn:task:\d+", use="file"))
ALL = {each.id: each for each in (PLAIN, STANDING, TASKED)}
PRODUCT = ProductId(identifier="S2_1")
SUBSCRIPTION, TASK = SubscriptionId(collection_id="standing"), TaskingRequestId(id="urn:task:1")
PERIOD = ("dateRange", (("min", "2026-01-01T00:00:00Z"), ("max", "2026-03-01T00:00:00Z")))


@pytest.fixture
def submit(context):
    def send(*identifiers, order_type=OrderType.PRODUCT_ORDER, collections=ALL, sps="https://sps/", **more):
        options = more.pop("options", ())
        items = tuple(
            ItemSpecification(item_id=f"i{place}", identifier=each, options=options)
            for place, each in enumerate(identifiers)
        )
        specification = OrderSpecification(order_type=order_type, items=items, **more)
        here = replace(context(), collections=collections, sps_url=sps)
        return perform(Submit(specification=specification), here).order_id

    return send


@pytest.fixture
def full(context):
    return lambda order_id: perform(
        GetStatus(order_id=order_id, presentation=Presentation.FULL), context()
    ).orders[0]


def chosen(*values):
    return (ParameterData(values=values),)


@pytest.mark.parametrize(
    ("order_type", "identifier", "collections", "sps", "code"),
    [
        (OrderType.PRODUCT_ORDER, PRODUCT, (STANDING,), None, "ProductOrderingNotSupported"),
        (OrderType.SUBSCRIPTION_ORDER, SUBSCRIPTION, (PLAIN, TASKED), None, "SubscriptionNotSupported"),
        (OrderType.TASKING_ORDER, TASK, (PLAIN, STANDING), "https://sps/", "FutureProductNotSupported"),
        (OrderType.TASKING_ORDER, TASK, (TASKED,), None, "FutureProductNotSupported"),
    ],
)
def test_a_type_that_nothing_is_ordered_by_is_refused(
    submit, store, order_type, identifier, collections, sps, code
):
    with pytest.raises(NotSupported) as refused:
        submit(
            identifier, order_type=order_type, collections={each.id: each for each in collections}, sps=sps
        )
    assert (refused.value.code, refused.value.locator) == (code, "orderType")
    with store.read() as snapshot:
        assert snapshot.events.last_id() == 0


@pytest.mark.parametrize(
    ("order_type", "identifier", "code", "locator"),
    [
        (OrderType.PRODUCT_ORDER, SUBSCRIPTION, "InvalidParameterValue", "orderType"),
        (OrderType.SUBSCRIPTION_ORDER, PRODUCT, "InvalidParameterValue", "orderType"),
        (OrderType.TASKING_ORDER, PRODUCT, "InvalidParameterValue", "orderType"),
        (
            OrderType.PRODUCT_ORDER,
            ProductId(identifier="S1_1", collection_id="standing"),
            "ProductOrderingNotSupported",
            "orderType",
        ),
        (
            OrderType.SUBSCRIPTION_ORDER,
            SubscriptionId(collection_id="plain"),
            "SubscriptionNotSupported",
            "orderType",
        ),
        (
            OrderType.SUBSCRIPTION_ORDER,
            SubscriptionId(collection_id="none"),
            "UnsupportedCollection",
            "collectionId",
        ),
        (
            OrderType.TASKING_ORDER,
            TaskingRequestId(id="urn:other:1"),
            "InvalidParameterValue",
            "taskingRequestId",
        ),
    ],
)
def test_an_item_that_its_collection_does_not_take_is_named(submit, order_type, identifier, code, locator):
    with pytest.raises(ValidationError) as refused:
        submit(identifier, order_type=order_type)
    assert [(each.code, each.locator, each.item_id) for each in refused.value.problems] == [
        (code, locator, "i0")
    ]


def test_a_tasking_request_of_two_collections_is_refused(submit):
    twin = replace(TASKED, id="twin")
    with pytest.raises(ValidationError, match="may belong to tasked, twin"):
        submit(TASK, order_type=OrderType.TASKING_ORDER, collections={"tasked": TASKED, "twin": twin})


def test_a_subscription_waits_for_products(submit, full):
    found = full(submit(SUBSCRIPTION, order_type=OrderType.SUBSCRIPTION_ORDER, options=chosen(PERIOD)))
    assert (found.status.status, found.status.additional) == (Status.SUSPENDED, "subscription is active")
    assert [(each.number, each.status.status, each.batch) for each in found.items] == [
        (1, Status.SUSPENDED, 0)
    ]
    assert [each.state for each in found.provider_orders] == [ProviderOrderState.PROCESSING]


@pytest.mark.parametrize(
    ("values", "locator", "text"),
    [
        ((), "dateRange", "required"),
        (
            (("dateRange", (("min", "2020-01-01T00:00:00Z"), ("max", "2020-02-01T00:00:00Z"))),),
            "dateRange",
            "is over since 2020-02-01",
        ),
        (
            (("dateRange", (("min", "2026-01-01T00:00:00Z"), ("max", "2026-12-01T00:00:00Z"))),),
            "dateRange",
            "allowed: 100 days",
        ),
        (
            (
                PERIOD,
                (
                    "regionOfInterest",
                    tuple(("point", (("latitude", "1"), ("longitude", "1"))) for _ in range(4)),
                ),
            ),
            "regionOfInterest",
            "no surface",
        ),
        ((PERIOD, ("cloudCover", "3")), "cloudCover", "no option"),
    ],
)
def test_a_subscription_that_cannot_be_served_is_refused(submit, values, locator, text):
    with pytest.raises(ValidationError, match=text) as refused:
        submit(SUBSCRIPTION, order_type=OrderType.SUBSCRIPTION_ORDER, options=chosen(*values))
    assert {each.locator.partition(".")[0] for each in refused.value.problems} == {locator}


@pytest.mark.parametrize(
    ("component", "value", "locator"),
    [
        (Text(), "whenever", "dateRange"),
        (CategoryRange(), (("min", "soon"), ("max", "later")), "option"),
        (DataArray(element=Field(name="at", component=Text())), "a b", "dateRange"),
    ],
)
def test_a_date_range_of_an_operators_own_making_is_read_or_refused(submit, component, value, locator):
    own = OrderOptions(
        product_order_options_id="own",
        order_type=OrderType.SUBSCRIPTION_ORDER,
        options=(OptionDefinition(name="dateRange", component=component),),
    )
    here = {"standing": replace(STANDING, groups=(own,))}
    with pytest.raises(ValidationError) as refused:
        submit(
            SUBSCRIPTION,
            order_type=OrderType.SUBSCRIPTION_ORDER,
            options=chosen(("dateRange", value)),
            collections=here,
        )
    assert refused.value.locator == locator


def test_a_tasking_order_waits_for_its_service(submit, full):
    found = full(submit(TASK, order_type=OrderType.TASKING_ORDER))
    assert found.status.status is Status.SUSPENDED
    assert found.status.additional == "waiting for the tasking service"
    assert found.items[0].collection_id == "tasked"


def test_items_above_the_batch_wait_for_the_ones_before(submit, full):
    found = full(submit(*(ProductId(identifier=f"S2_{number}") for number in range(5))))
    assert found.status.status is Status.ACCEPTED
    assert [(each.batch, each.status.status, each.status.additional) for each in found.items] == [
        (1, Status.ACCEPTED, None),
        (1, Status.ACCEPTED, None),
        (2, Status.SUSPENDED, "waits for batch 1"),
        (2, Status.SUSPENDED, "waits for batch 1"),
        (3, Status.SUSPENDED, "waits for batch 2"),
    ]


def test_items_that_others_make_are_in_no_batch(submit, full):
    away = replace(PLAIN, provider="ELSEWHERE", provider_plugin="oseo")
    found = full(
        submit(*(ProductId(identifier=f"S2_{number}") for number in range(5)), collections={"plain": away})
    )
    assert Counter((each.batch, each.status.status) for each in found.items) == {(0, Status.ACCEPTED): 5}


def test_an_order_that_needs_approval_waits_for_that_first(submit, full):
    strict = replace(PLAIN, automatic=False)
    found = full(
        submit(*(ProductId(identifier=f"S2_{number}") for number in range(3)), collections={"plain": strict})
    )
    assert {each.status.status for each in found.items} == {Status.SUBMITTED}
    assert found.status.status is Status.SUBMITTED


def test_each_product_of_a_subscription_is_packed_by_itself(submit, store):
    order_id = submit(
        SUBSCRIPTION,
        order_type=OrderType.SUBSCRIPTION_ORDER,
        options=chosen(PERIOD),
        packaging=Packaging.ZIP,
        collections={"standing": replace(STANDING, delivery=replace(STANDING.delivery, scope="order"))},
    )
    with store.read() as snapshot:
        assert snapshot.items.get(order_id, 0) is None


@pytest.mark.parametrize(
    "value",
    [
        (("min", "2026-01-01T00:00:00Z"), ("max", "2026-02-01T00:00:00Z")),
        (("start", "2026-01-01T00:00:00Z"), ("stop", "2026-02-01T00:00:00Z")),
        "2026-01-01T00:00:00Z 2026-02-01T00:00:00Z",
        "start: 2026-01-01T00:00:00 stop: 2026-02-01T00:00:00",
    ],
)
@pytest.mark.parametrize("name", ["dateRange", "DateRange"])
def test_a_massive_order_says_its_date_range_in_any_form_in_use(submit, full, name, value):
    found = full(
        submit(
            ProductId(identifier="plain", collection_id="plain"),
            order_reference="Massive order",
            options=chosen((name, value)),
        )
    )
    assert found.status.status is Status.SUSPENDED
    assert found.items[0].specification.options == chosen((name, value))


@pytest.mark.parametrize("value", ["2026-01-01", "soon", (("min", "2026-02-01"), ("max", "2026-01-01"))])
def test_a_massive_order_without_a_date_range_is_refused(submit, value):
    with pytest.raises(ValidationError) as refused:
        submit(PRODUCT, order_reference="Massive order", options=chosen(("dateRange", value)))
    assert (refused.value.code, refused.value.locator) == ("MissingParameterValue", "dateRange")


def test_a_massive_order_of_somebody_elses_products_is_refused(submit):
    away = replace(PLAIN, provider="ELSEWHERE", provider_plugin="oseo")
    with pytest.raises(ValidationError, match="own collections"):
        submit(PRODUCT, order_reference="Massive order", options=chosen(PERIOD), collections={"plain": away})


def test_several_items_called_a_massive_order_are_an_ordinary_one(submit, full):
    found = full(submit(PRODUCT, ProductId(identifier="S2_2"), order_reference="Massive order"))
    assert {each.status.status for each in found.items} == {Status.ACCEPTED}


def test_a_subscription_may_be_said_in_text_encoding(submit, store):
    group = STANDING.option_groups(OrderType.SUBSCRIPTION_ORDER)[0]
    square = [{"latitude": north, "longitude": east} for east, north in ((0, 0), (9, 0), (9, 9), (0, 0))]
    period = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    chosen = {
        "regionOfInterest": square,
        "dateRange": period,
        "frequencyObservation": {"numberOfObservations": 4},
    }
    said = encoded_as_text(group.options, chosen)
    assert said.encoding is Encoding.TEXT and said.text
    order_id = submit(SUBSCRIPTION, order_type=OrderType.SUBSCRIPTION_ORDER, options=(said,))
    with store.read() as snapshot:
        order, item = snapshot.orders.get(order_id), snapshot.items.get(order_id, 1)
    standing = standing_of(
        order.specification, item, STANDING.awaited(order.specification, item.specification)
    )
    assert (standing.ring, standing.observations) == (((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)), 4)
    assert (standing.start.month, standing.end.month) == (1, 3)
