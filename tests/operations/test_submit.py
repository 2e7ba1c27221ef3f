"""Submit: everything wrong at once, all or nothing, and the same MessageID twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.model.delivery import (
    DeliveryOptions,
    MediaDelivery,
    OnlineDataAccess,
    PackageMedium,
    Packaging,
    Protocol,
)
from oseo_lab.model.errors import NotAuthenticated, NotSupported, ValidationError
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId
from oseo_lab.model.messages import GetStatus, Presentation, Submit
from oseo_lab.model.order import StatusNotification, order_uuid
from oseo_lab.model.status import Status
from oseo_lab.operations import perform
from tests.operations.orders import COLLECTIONS, item, order, selection


def stored(store, order_id):
    with store.read() as snapshot:
        return snapshot.orders.get(order_id), snapshot.items.of(order_id)


def test_an_order_is_stored_whole_before_the_acknowledgement(context, store, clock, woken):
    ack = perform(order(item("a"), item("b", "S2_2"), order_reference="mine"), context())
    assert order_uuid(ack.order_id)
    assert ack.order_reference == "mine"
    made, items = stored(store, ack.order_id)
    assert (made.owner, made.created, made.status.status) == ("anna", clock.time, Status.ACCEPTED)
    assert [(each.number, each.specification.item_id, each.collection_id) for each in items] == [
        (1, "a", "optical"),
        (2, "b", "optical"),
    ]
    with store.read() as snapshot:
        assert [each.provider for each in snapshot.provider_orders.of(ack.order_id)] == ["LOCAL"]
        assert snapshot.items.counts(ack.order_id) == {Status.ACCEPTED: 2}
    assert woken == [True]


def test_a_collection_that_needs_approval_leaves_the_order_submitted(context, store):
    ack = perform(order(item("a", "S1_1", options=())), context())
    made, items = stored(store, ack.order_id)
    assert made.status.status is Status.SUBMITTED
    assert {each.status.status for each in items} == {Status.SUBMITTED}


def test_a_package_of_the_whole_order_is_a_closing_item_nobody_sees(context, store):
    ack = perform(order(item("a", "S1_1", options=()), packaging=Packaging.ZIP), context())
    with store.read() as snapshot:
        package = snapshot.items.get(ack.order_id, 0)
    assert package.status.status is Status.SUSPENDED
    full = perform(GetStatus(order_id=ack.order_id, presentation=Presentation.FULL), context()).orders[0]
    assert [each.specification.item_id for each in full.items] == ["a"]


REFUSALS = {
    "an unknown option value": (
        order(item(options=selection(level="9Z"))),
        {("InvalidParameterValue", "level")},
    ),
    "an unknown option": (
        order(item(options=selection(level="2A", colour="red"))),
        {("InvalidParameterValue", "colour")},
    ),
    "a required option left out": (order(item(options=())), {("MissingParameterValue", "level")}),
    "a scene selection out of range": (
        order(item(scene_selections=selection(size="1000"))),
        {("InvalidParameterValue", "size")},
    ),
    "a foreign option group": (
        order(item(product_order_options_id="other")),
        {("InvalidParameterValue", "productOrderOptionsId")},
    ),
    "an unknown collection": (
        order(item(collection_id="nowhere")),
        {("UnsupportedCollection", "collectionId")},
    ),
    "a product of no collection": (order(item(identifier="X")), {("MissingParameterValue", "collectionId")}),
    "a product of two collections": (
        order(item(identifier="S2_99")),
        {("MissingParameterValue", "collectionId")},
    ),
    "a product the named collection cannot have": (
        order(item(identifier="X", collection_id="optical")),
        {("InvalidParameterValue", "identifier")},
    ),
    "two items of one name": (order(item("a"), item("a", "S2_2")), {("InvalidParameterValue", "itemId")}),
    "too many items": (
        order(*(item(str(number), f"S2_{number + 1}") for number in range(6))),
        {("InvalidParameterValue", "orderItem")},
    ),
    "a subscription id in a product order": (
        order(replace(item(), identifier=SubscriptionId(collection_id="optical"))),
        {("InvalidParameterValue", "orderType")},
    ),
    "packaging nobody should write": (
        order(packaging=Packaging.RAR),
        {("InvalidParameterValue", "packaging")},
    ),
    "packaging of items and of the whole order in one": (
        order(item("a"), item("b", "S1_1", options=()), packaging=Packaging.ZIP),
        {("InvalidParameterValue", "packaging")},
    ),
    "media delivery": (
        order(delivery_options=DeliveryOptions(delivery=MediaDelivery(package_medium=PackageMedium.DVD))),
        {("InvalidParameterValue", "deliveryOptions")},
    ),
    "a protocol that is not offered": (
        order(
            item(delivery_options=DeliveryOptions(delivery=OnlineDataAccess(protocol=Protocol.FTP))),
        ),
        {("InvalidParameterValue", "protocol")},
    ),
    "notifications": (
        replace(order(), status_notification=StatusNotification.ALL),
        {("InvalidNotificationValue", "ws-address")},
    ),
    "everything at once": (
        replace(
            order(
                item("a", options=selection(level="9Z", format="TIFF")),
                item("b", collection_id="nowhere"),
                packaging=Packaging.BZIP,
            ),
            status_notification=StatusNotification.FINAL,
        ),
        {
            ("InvalidNotificationValue", "ws-address"),
            ("UnsupportedCollection", "collectionId"),
            ("InvalidParameterValue", "packaging"),
            ("InvalidParameterValue", "level"),
            ("InvalidParameterValue", "format"),
        },
    ),
    "a quotation": (Submit(quotation_id="urn:q"), {("InvalidParameterValue", "quotationId")}),
}


@pytest.mark.parametrize("row", REFUSALS.values(), ids=REFUSALS.keys())
def test_refused_whole(row, context, store, woken):
    request, expected = row
    with pytest.raises(ValidationError) as refusal:
        perform(request, context())
    assert {(each.code, each.locator) for each in refusal.value.problems} == expected
    with store.read() as snapshot:
        assert snapshot.events.last_id() == 0
    assert woken == []


@pytest.mark.parametrize(
    ("order_type", "code"),
    [
        (OrderType.SUBSCRIPTION_ORDER, "SubscriptionNotSupported"),
        (OrderType.TASKING_ORDER, "FutureProductNotSupported"),
    ],
)
def test_each_other_order_type_has_its_own_refusal(order_type, code, context):
    with pytest.raises(NotSupported) as refusal:
        perform(order(order_type=order_type), context())
    assert (refusal.value.code, refusal.value.locator) == (code, "orderType")


def test_item_level_overrides_order_level(context, store):
    """06-141r6 7.3.7: what an item says wins over its order."""
    request = order(
        item("a", options=selection(level="1B")), item("b", "S2_2", options=()), options=selection(level="2A")
    )
    ack = perform(request, context())
    made, items = stored(store, ack.order_id)
    collection = context().collections["optical"]
    chosen = [collection.chosen(made.specification, each.specification) for each in items]
    assert [each["level"] for each in chosen] == ["1B", "2A"]
    assert {each["format"] for each in chosen} == {"COG"}


def test_the_same_message_again_gets_the_first_acknowledgement(context, store):
    first = perform(order(), context(message_id="urn:m1"))
    assert perform(order(), context(message_id="urn:m1")) == first
    other_owner = perform(order(), context("bert", message_id="urn:m1"))
    assert other_owner.order_id != first.order_id


def test_the_same_message_from_somewhere_else_is_called_back_there_from_now_on(context, store):
    def sent(address: str | None):
        policy = StatusNotification.ALL if address else StatusNotification.NONE
        request = replace(order(), status_notification=policy)
        return perform(request, replace(context(message_id="urn:m1"), reply_to=address))

    first = sent("http://here.example/1")
    assert sent("http://there.example/2") == first == sent(None)
    with store.read() as snapshot:
        (callback,) = snapshot.callbacks.of_many([first.order_id])[first.order_id]
    assert (callback.address, callback.message_id) == ("http://there.example/2", "urn:m1")
    with pytest.raises(ValidationError) as refusal:
        sent("ftp://nowhere")
    assert refusal.value.code == "InvalidNotificationValue"


def test_the_same_message_id_with_other_content_is_refused(context):
    perform(order(), context(message_id="urn:m1"))
    with pytest.raises(ValidationError) as refusal:
        perform(order(order_remark="other"), context(message_id="urn:m1"))
    assert refusal.value.locator == "MessageID"


def test_a_caller_without_identity_is_refused(context):
    with pytest.raises(NotAuthenticated):
        perform(order(), context(None))


def test_the_collection_may_be_named_or_found_by_pattern(context, store):
    named = perform(order(item(identifier="S2_91", collection_id="any", options=())), context())
    _, items = stored(store, named.order_id)
    assert items[0].collection_id == "any"
    assert items[0].specification.identifier == ProductId(identifier="S2_91", collection_id="any")


def test_more_items_than_all_collections_take_are_refused_before_any_is_looked_at(context):
    one = item(identifier="X")  # it would be refused too, as often as it is there
    count = sum(each.max_items for each in COLLECTIONS.values()) + 1
    with pytest.raises(ValidationError, match=f"{count} items are too many") as refused:
        perform(order(*[one] * count), context())
    [problem] = refused.value.problems
    assert (problem.code, problem.locator) == ("InvalidParameterValue", "orderItem")
