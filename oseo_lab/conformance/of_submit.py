"""Checks of Submit (06-141r6 clause 12): T-SUB-1 to 5 and the rules of B.5."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from oseo_lab.conformance import choices
from oseo_lab.conformance.probe import ANONYMOUS
from oseo_lab.conformance.subject import Subject, new_message_id
from oseo_lab.conformance.verdicts import Check, Failed, NotApplicable, NotRun, demand
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.messages import Submit
from oseo_lab.model.order import OrderSpecification, StatusNotification

__all__ = ["CHECKS"]

#: Order types: flag of Contents, code for where it is not taken, and an item that names something.
_TYPES = {
    OrderType.PRODUCT_ORDER: ("product_orders", "ProductOrderingNotSupported"),
    OrderType.SUBSCRIPTION_ORDER: ("subscription_orders", "SubscriptionNotSupported"),
    OrderType.TASKING_ORDER: ("programming_orders", "FutureProductNotSupported"),
}
#: Most items of an order that is only there to be refused.
_MOST_ITEMS = 50_000


def _stored(subject: Subject, reference: str | None) -> int:
    return len(subject.search(order_reference=reference))


def _refused(
    subject: Subject, specification: OrderSpecification, code: str | None, locator: str | None = None
) -> None:
    """Demand that an order is refused for a reason, and not kept."""
    subject.probe.ask(Submit(specification=specification)).fault(code, locator)
    demand(not _stored(subject, specification.order_reference), "the refused order is kept all the same")


def _minimal(subject: Subject) -> str:
    subject.need("product_orders", "product orders")
    specification = subject.specification()
    ack = subject.probe.ask(Submit(specification=specification)).message()
    demand(ack.status.value == "success", f"the acknowledgement says {ack.status}: {ack.error_message}")
    reference = specification.order_reference
    demand(ack.order_reference in (None, reference), f"the reference came back as {ack.order_reference}")
    order = subject.order(ack.order_id)
    demand(order.order_id == ack.order_id, f"asked for {ack.order_id}, got {order.order_id}")
    demand(len(order.items) == 1, f"the order has {len(order.items)} items, not one")
    return f"orderId {ack.order_id}"


def _before_production(subject: Subject) -> str:
    subject.need("product_orders", "product orders")
    before = datetime.now(UTC) - timedelta(minutes=5)
    order = subject.order(subject.place())
    demand(order.status.status.value not in ("Failed", "Cancelled", "Terminated"), f"it is {order.status}")
    after = datetime.now(UTC) + timedelta(minutes=5)
    when = order.created
    demand(when is None or before <= when <= after, f"orderDateTime {when} is not the time of the Submit")
    return f"{order.status.status} right after the acknowledgement"


def _unknown_quotation(subject: Subject) -> None:
    subject.probe.ask(Submit(quotation_id="urn:uuid:00000000-0000-4000-8000-000000000000")).fault()


def _unknown_option(subject: Subject) -> None:
    item = subject.item()
    name = "noSuchOptionAnywhere"
    wrong = replace(item, options=(*item.options, *choices.selection(**{name: "1"})))
    _refused(subject, subject.specification(wrong), "InvalidParameterValue", name)


def _wrong_value(subject: Subject) -> str:
    for option in subject.group(subject.collection).options:
        value = choices.forbidden(option.component)
        if value is not None:
            item = subject.item()
            kept = [pair for each in item.options for pair in each.values if pair[0] != option.name]
            wrong = replace(item, options=choices.selection(**dict(kept), **{option.name: value}))
            _refused(subject, subject.specification(wrong), "InvalidParameterValue", option.name)
            return f"{option.name} = {value!r}"
    raise NotApplicable(f"{subject.collection} has no option that constrains its values")


def _item_over_order(subject: Subject) -> str:
    if not (subject.contents.global_order_options and subject.contents.local_order_options):
        raise NotApplicable("the server does not announce options at both levels")
    tried = 0
    for name, one, other in choices.switchable(subject.group(subject.collection)):
        item = subject.item(options=choices.selection(**{name: other}))
        required = {
            pair[0]: pair[1] for each in subject.item().options for pair in each.values if pair[0] != name
        }
        specification = subject.specification(
            item, subject.item(2, options=()), options=choices.selection(**required, **{name: one})
        )
        tried += 1
        answer = subject.probe.ask(Submit(specification=specification))
        if answer.refusal() is not None and tried < 10:
            continue  # this one may go at one level only
        order = subject.order(answer.message().order_id)
        said = dict(pair for each in order.specification.options for pair in each.values).get(name)
        item_said = dict(pair for each in order.items[0].specification.options for pair in each.values)
        demand(said == one, f"{name} was {one!r} for the order and is {said!r}")
        demand(item_said.get(name) == other, f"{name} was {other!r} for the item: {item_said.get(name)!r}")
        return f"{name}: {other!r} over {one!r}"
    raise NotApplicable(f"{subject.collection} has no option with two values that goes at both levels")


def _levels(subject: Subject) -> str:
    """Demand that a level announced as unsupported is refused."""
    contents = subject.contents
    flags = {
        "globalOrderOptions": contents.global_order_options,
        "localOrderOptions": contents.local_order_options,
        "globalDeliveryOptions": contents.global_delivery_options,
        "localDeliveryOptions": contents.local_delivery_options,
    }
    off = [name for name, value in flags.items() if not value]
    if not off:
        raise NotApplicable("options and delivery options are announced at both levels")
    item = subject.item()
    given = item.options or choices.selection(
        **{name: one for name, one, _ in choices.switchable(subject.group(subject.collection))}
    )
    delivery = subject.specification().delivery_options
    orders = {
        "globalOrderOptions": subject.specification(item, options=given),
        "localOrderOptions": subject.specification(replace(item, options=given)),
        "globalDeliveryOptions": subject.specification(item, delivery_options=delivery),
        "localDeliveryOptions": subject.specification(replace(item, delivery_options=delivery)),
    }
    for name in off:
        _refused(subject, orders[name], None)
    return f"refused as announced: {', '.join(off)}"


def _too_many(subject: Subject) -> str:
    most = subject.contents.max_number_of_products
    if most is None:
        raise NotApplicable("the server announces no maxNumberOfProducts")
    if most > _MOST_ITEMS:
        raise NotRun(f"an order of more than {most} items is not sent")
    items = [replace(subject.item(1), item_id=f"item {number}") for number in range(most + 1)]
    _refused(subject, subject.specification(*items), None)
    return f"{most + 1} items are refused"


def _unsupported_types(subject: Subject) -> str:
    identifiers: dict[OrderType, ItemIdentifier] = {
        OrderType.PRODUCT_ORDER: ProductId(identifier="x"),
        OrderType.SUBSCRIPTION_ORDER: SubscriptionId(collection_id=subject.collection),
        OrderType.TASKING_ORDER: TaskingRequestId(id="urn:task:1"),
    }
    refused = []
    for order_type, (flag, code) in _TYPES.items():
        if not getattr(subject.contents, flag):
            _refused(subject, subject.of_type(order_type, identifiers[order_type]), code, "orderType")
            refused.append(order_type.value)
    if not refused:
        raise NotApplicable("the server takes every order type")
    return f"refused: {', '.join(refused)}"


def _no_address(subject: Subject) -> str:
    """Demand that Final and All without an address are refused before anything is kept."""
    for policy in (StatusNotification.FINAL, StatusNotification.ALL):
        for address in (None, ANONYMOUS, "not an address"):
            specification = subject.specification()
            message = Submit(specification=specification, status_notification=policy)
            answer = subject.probe.ask(message, reply_to=address, message_id=new_message_id())
            answer.fault("InvalidNotificationValue", "ws-address")
            kept = _stored(subject, specification.order_reference)
            demand(not kept, f"{policy} to {address or 'nobody'} was refused, and the order made")
    return "no address, the anonymous one and what is no address are refused"


def _wrong_kind(subject: Subject) -> None:
    subject.need("product_orders", "product orders")
    wrong = subject.of_type(OrderType.PRODUCT_ORDER, SubscriptionId(collection_id=subject.collection))
    _refused(subject, wrong, "InvalidParameterValue", "orderType")


def _same_item_id(subject: Subject) -> None:
    item = subject.item()
    _refused(subject, subject.specification(item, item), "InvalidParameterValue", "itemId")


def _unknown_group(subject: Subject) -> None:
    wrong = subject.item(product_order_options_id="no such group")
    _refused(subject, subject.specification(wrong), "InvalidParameterValue", "productOrderOptionsId")


def _unknown_collection(subject: Subject) -> None:
    wrong = subject.item(
        identifier=ProductId(identifier=subject.products[0], collection_id="urn:no:such:collection")
    )
    _refused(subject, subject.specification(wrong), "UnsupportedCollection", "collectionId")


def _extensions(subject: Subject) -> str:
    specification = replace(
        subject.specification(), extensions=("kept & given back",), order_remark="a remark"
    )
    try:
        order = subject.order(subject.place(specification))
    except Failed as refused:
        raise Failed(f"an order with extension and remark: {refused}") from None
    demand(order.specification.order_remark == "a remark", "the orderRemark is lost")
    demand(order.specification.extensions == ("kept & given back",), "the extension is lost")
    return "extension and remark came back"


CHECKS = (
    Check(
        "T-SUB-1",
        "12.3",
        "the smallest order: SubmitAck success, and its orderId can be asked for at once",
        _minimal,
    ),
    Check(
        "T-SUB-2",
        "B.5 rule 4; 7.3.7",
        "an option at item level overrides the order's, seen in GetStatus full",
        _item_over_order,
    ),
    Check(
        "T-SUB-3",
        "12.4.4",
        "each order type that is not announced: its own code, locator orderType",
        _unsupported_types,
    ),
    Check(
        "T-SUB-4",
        "B.5 rule 6; 12.4.4",
        "Final and All without a good address: InvalidNotificationValue, ws-address, and no order",
        _no_address,
    ),
    Check(
        "T-SUB-5",
        "B.5 rule 3; 7.3.7",
        "a value that the option's descriptor does not allow: InvalidParameterValue, its name",
        _wrong_value,
    ),
    Check(
        "B5-1", "B.5 rule 1; 12.1", "the acknowledgement comes at once, production after", _before_production
    ),
    Check("B5-2", "B.5 rule 2", "an unknown quotationId: a fault", _unknown_quotation),
    Check("B5-3", "B.5 rule 3", "an option nobody offered: InvalidParameterValue, its name", _unknown_option),
    Check("B5-4", "B.5 rule 4", "a level that is announced as unsupported: a fault", _levels),
    Check("B5-5", "B.5 rule 5", "more items than maxNumberOfProducts: a fault, nothing kept", _too_many),
    Check("B5-7", "B.5 rule 7", "an item of another kind than the order type: orderType", _wrong_kind),
    Check("B5-8", "B.5 rule 8", "an itemId twice: InvalidParameterValue, itemId", _same_item_id),
    Check("B5-group", "7.3.7", "an unknown productOrderOptionsId: a fault", _unknown_group),
    Check("B5-collection", "12.4.4", "an unknown collectionId: UnsupportedCollection", _unknown_collection),
    Check("B5-echo", "C.1", "extension and orderRemark are given back", _extensions),
)
