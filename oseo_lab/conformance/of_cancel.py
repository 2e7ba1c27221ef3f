"""Checks of Cancel (06-141r6 clause 16): requirements 113 to 118, T-CAN-1 and T-CAN-2."""

from __future__ import annotations

from typing import Any

from oseo_lab.conformance.of_order_types import standing
from oseo_lab.conformance.of_status import UNKNOWN
from oseo_lab.conformance.subject import Subject, new_message_id
from oseo_lab.conformance.verdicts import Check, Failed, NotRun, demand
from oseo_lab.encoding.callbacks_xml import decode_callback
from oseo_lab.encoding.xmltree import OSEO
from oseo_lab.model.messages import Cancel
from oseo_lab.model.order import StatusNotification
from oseo_lab.model.status import Status

__all__ = ["CHECKS"]

#: Items of an order that is to be cancelled before it is done.
_MANY = 20
#: How an order that was asked to be cancelled may end: what was done already stays done.
_ENDS = (Status.CANCELLED, Status.COMPLETED, Status.DOWNLOADED, Status.TERMINATED)


def _need(subject: Subject) -> None:
    subject.need("cancel", "Cancel")


def _running(subject: Subject) -> str:
    """Return an order that takes a while."""
    most = subject.contents.max_number_of_products or _MANY
    return subject.place(subject.specification(*map(subject.item, range(1, min(_MANY, most) + 1))))


def _exists(subject: Subject) -> None:
    _need(subject)
    problems = subject.probe.ask(Cancel(order_id=UNKNOWN)).fault()
    demand(problems[0].code != "OperationNotSupported", "Cancel is announced, and not implemented")


def _request_checked(subject: Subject) -> None:
    _need(subject)
    head = f'<Cancel xmlns="{OSEO}" service="OS" version="1.0.0">'
    order = f"<orderId>{UNKNOWN}</orderId>"
    for wrong in ("", order, f"{order}<statusNotification>Perhaps</statusNotification>"):
        subject.probe.send(f"{head}{wrong}</Cancel>", "Cancel").fault()


def _cancelled(subject: Subject) -> str:
    _need(subject)
    acknowledged = 0
    for _ in range(5):
        order_id = _running(subject)
        answer = subject.probe.ask(Cancel(order_id=order_id))
        if answer.refusal() is not None and subject.order(order_id).status.status.is_final:
            continue  # it was done before it could be cancelled
        ack = answer.message()
        acknowledged += 1
        order = subject.finished(order_id)
        status = order.status.status
        demand(status in _ENDS, f"acknowledged with {ack.status}, the order ends {status}")
        untouched = [each for each in order.items if each.status.status not in (*_ENDS, Status.FAILED)]
        demand(not untouched, f"{len(untouched)} items of the cancelled order are not final")
        ended = sum(each.status.status is Status.CANCELLED for each in order.items)
        is_whole = ended == len(order.items)
        demand(not is_whole or status is Status.CANCELLED, f"every item is cancelled, and the order {status}")
        if ended:
            return f"acknowledged with {ack.status}, then {status}: {ended} of its items cancelled"
    demand(not acknowledged, f"acknowledged {acknowledged} times, and every order was made all the same")
    raise NotRun("orders complete before they can be cancelled")


def _untouched(subject: Subject) -> str:
    """Return an order of which nothing is done yet: a subscription, where they are taken."""
    if subject.contents.subscription_orders:
        return subject.place(standing(subject))
    return _running(subject)


def _success(subject: Subject) -> str:
    """Demand that a Cancel that nothing stands in the way of is acknowledged with success."""
    _need(subject)
    for _ in range(5):
        order_id = _untouched(subject)
        answer = subject.probe.ask(Cancel(order_id=order_id))
        if answer.refusal() is not None:
            continue
        ack = answer.message()
        if ack.status.value == "success":
            return "success"
        ends = {each.status.status for each in subject.finished(order_id).items}
        demand(ends - {Status.CANCELLED}, f"acknowledged with {ack.status}, and every item was cancelled")
    raise NotRun("orders are partly done before they can be cancelled")


def _unknown(subject: Subject) -> None:
    _need(subject)
    subject.probe.ask(Cancel(order_id=UNKNOWN)).fault("InvalidOrderIdentifier", "orderId")


def _final(subject: Subject) -> None:
    _need(subject)
    order = subject.completed
    subject.probe.ask(Cancel(order_id=order.order_id)).fault()
    after = subject.order(order.order_id).status.status
    demand(after is not Status.CANCELLED, "a completed order was cancelled after all")


def _no_address(subject: Subject) -> None:
    _need(subject)
    order_id = _running(subject)
    for policy in (StatusNotification.FINAL, StatusNotification.ALL):
        asked = Cancel(order_id=order_id, status_notification=policy)
        subject.probe.ask(asked, message_id=new_message_id()).fault("InvalidNotificationValue", "ws-address")
    after = subject.order(order_id).status.status
    demand(after is not Status.CANCELLED, "the Cancel was refused, and the order cancelled")


def _told(subject: Subject) -> str:
    _need(subject)
    subject.need("cancel_asynchronous", "asynchronous Cancel")
    listener = subject.listener
    for _ in range(5):
        order_id, message_id = _running(subject), new_message_id()
        asked = Cancel(order_id=order_id, status_notification=StatusNotification.ALL)
        answer = subject.probe.ask(asked, reply_to=listener.url, message_id=message_id)
        if answer.refusal() is not None and subject.order(order_id).status.status.is_final:
            continue
        answer.message()
        heard = listener.wait(
            lambda each, wanted=message_id: (  # type: ignore[misc]
                each.relates_to == wanted and _is_over(each.payload)
            ),
            subject.plan.wait,
            "CancelResponse with RelatesTo = MessageID and a final order",
        )
        demand(not heard.complaints, f"CancelResponse is not valid: {'; '.join(heard.complaints)}")
        demand(heard.name == "CancelResponse", f"{heard.name} came in answer to Cancel")
        order = decode_callback(heard.payload).order
        demand(order.order_id == order_id, f"CancelResponse is about {order.order_id}")
        return f"{len(listener.heard(message_id))} CancelResponse, the last {order.status.status}"
    raise Failed("orders could not be cancelled before they were done")


def _is_over(payload: Any) -> bool:
    order = getattr(decode_callback(payload), "order", None)
    return order is not None and order.status.status.is_final


CHECKS = (
    Check("B9-113", "Req 113: /req/Cancellation/Cancel", "the operation is there", _exists),
    Check("B9-114", "Req 114: …/req/schema", "requests that are not valid: a fault", _request_checked),
    Check(
        "T-CAN-1",
        "Req 115, 116, 118: …/req/sync, …/ack_schema, …/function",
        "Cancel with None: a valid CancelAck; GetStatus says Cancelled later",
        _cancelled,
    ),
    Check("B9-117", "Req 117: …/ack", "accepted: the status is success", _success),
    Check(
        "T-CAN-2",
        "Req 119 and following; clause 17",
        "Cancel with All: CancelResponse with RelatesTo = MessageID",
        _told,
    ),
    Check("B9-unknown", "16.4.4", "an unknown order: InvalidOrderIdentifier, orderId", _unknown),
    Check("B9-final", "16.1", "a completed order: a fault, and it stays completed", _final),
    Check(
        "B9-address",
        "16.4.4",
        "Final and All without an address: InvalidNotificationValue, and nothing is cancelled",
        _no_address,
    ),
)
