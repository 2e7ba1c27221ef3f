"""Checks of standing and tasking orders, and of how a selection is written: T-SUB-7, T-SUB-8, Req 7, 16.1."""

from __future__ import annotations

from oseo_lab.conformance import choices
from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.verdicts import Check, NotApplicable, NotRun, demand
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.delivery import DeliveryInformation, OnlineAddress, Protocol, Secret
from oseo_lab.model.identifiers import OrderType, SubscriptionId, TaskingRequestId
from oseo_lab.model.messages import Cancel, GetStatus, Presentation, Submit
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.status import Status
from oseo_lab.model.text_selections import encoded_as_text

__all__ = ["CHECKS", "standing"]


def standing(subject: Subject) -> OrderSpecification:
    """Return a subscription order, as plain as it may be."""
    subject.need("subscription_orders", "subscription orders")
    group = subject.group(subject.subscription, OrderType.SUBSCRIPTION_ORDER)
    return subject.of_type(
        OrderType.SUBSCRIPTION_ORDER,
        SubscriptionId(collection_id=subject.subscription),
        product_order_options_id=group.product_order_options_id,
        options=choices.selection(**choices.needed(group.options)),
    )


def _subscription(subject: Subject) -> str:
    order = subject.order(subject.place(standing(subject)))
    status = order.status.status
    demand(order.specification.order_type is OrderType.SUBSCRIPTION_ORDER, "its order type is another")
    demand(status.value not in ("Failed", "Cancelled", "Terminated"), f"the subscription is {status}")
    return f"the subscription is {status}"


def _unsubscribed(subject: Subject) -> str:
    subject.need("cancel", "Cancel")
    order_id = subject.place(standing(subject))
    subject.probe.ask(Cancel(order_id=order_id)).message()
    status = subject.finished(order_id).status.status
    demand(status in (Status.CANCELLED, Status.TERMINATED), f"the cancelled subscription is {status}")
    return f"the subscription is {status}"


def _tasking(subject: Subject) -> str:
    subject.need("programming_orders", "tasking orders")
    if subject.plan.tasking_id is None:
        raise NotRun("needs a tasking request that the server knows: --tasking-id")
    identifier = TaskingRequestId(id=subject.plan.tasking_id)
    specification = subject.of_type(OrderType.TASKING_ORDER, identifier)
    order = subject.order(subject.place(specification))
    demand(order.items and order.items[0].specification.identifier == identifier, "it lost its tasking id")
    return f"the tasking order is {order.status.status}"


def _in_text(group: OrderOptions) -> ParameterData:
    """Return a selection of one option as a row of tokens."""
    by_name = {each.name: each.component for each in group.options}
    for name, one, _ in choices.switchable(group):
        try:
            return encoded_as_text(group.options, {name: by_name[name].parse(one)})
        except ValueError:
            continue
    raise NotApplicable("no option can be written as tokens")


def _encodings(subject: Subject) -> str:
    encodings = subject.contents.encodings
    group = subject.group(subject.collection)
    selections = {"XMLEncoding": subject.item().options}
    if "TextEncoding" in encodings:
        selections["TextEncoding"] = (_in_text(group),)
    for name, options in selections.items():
        if name in encodings:
            subject.place(subject.specification(subject.item(options=options)))
    return ", ".join(encodings)


_PASSWORD = "kept-to-itself"


def _secrets(subject: Subject) -> str:
    """Demand that the password of a delivery address is not given back."""
    address = OnlineAddress(
        protocol=Protocol.FTP,
        server_address="ftp.example.org",
        user_name="anna",
        user_password=Secret(_PASSWORD),
    )
    information = DeliveryInformation(online_addresses=(address,))
    answer = subject.probe.ask(Submit(specification=subject.specification(delivery_information=information)))
    if answer.refusal() is not None:
        raise NotApplicable("the server takes no address to deliver to")
    order_id = answer.message().order_id
    subject.remember(order_id)
    for presentation in Presentation:
        said = subject.probe.ask(GetStatus(order_id=order_id, presentation=presentation))
        said.message()
        demand(_PASSWORD.encode() not in said.body, f"GetStatus {presentation} gives the password back")
    return "the address is known by its name alone"


CHECKS = (
    Check("T-SUB-7", "7.3.5", "a subscription order is taken and stands", _subscription),
    Check("T-SUB-8", "7.3.5", "a tasking order is taken and keeps its tasking id", _tasking),
    Check(
        "B9-subscription", "16.1", "Cancel of a subscription: it is Cancelled, or Terminated", _unsubscribed
    ),
    Check("F-secrets", "F; our reading", "GetStatus does not give userPassword back", _secrets),
    Check("B5-encoding", "Req 7; 7.3.9", "each encoding that is announced is taken by Submit", _encodings),
)
