"""Orders and provider orders: rows to dataclasses and back.

Tuples are in the order of the column lists beside them. What of an order's specification has no column is
an `OrderRest`, stored as a text. Passwords of on-line addresses lie in ``orders.secrets`` and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from oseo_lab.model.approval import Approval, Decided
from oseo_lab.model.delivery import DeliveryAddress, DeliveryInformation, DeliveryOptions, Packaging, Secret
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import LOCAL, Face, Order, OrderSpecification, Priority, ProviderOrder
from oseo_lab.model.status import ProviderOrderState
from oseo_lab.store.documents import dump, load
from oseo_lab.store.session import Session, order_id_of, uuid_of
from oseo_lab.store.values import (
    STATUS,
    WANTED,
    WANTEDS,
    from_micros,
    micros,
    packed_or_none,
    read_document,
    status_of,
    unpacked_or_none,
)

__all__ = [
    "ORDER_COLUMNS",
    "ORDER_TYPE",
    "PRIORITIES",
    "PROVIDER_ORDER_COLUMNS",
    "RANK",
    "OrderRest",
    "approval_columns",
    "collections_text",
    "order_from_row",
    "order_row",
    "provider_order_from_row",
    "provider_order_row",
    "secrets_of",
    "with_secrets",
    "without_secrets",
]

_FACE = {Face.OSEO: 0, Face.ECHO: 1}
_FACES = {number: face for face, number in _FACE.items()}
ORDER_TYPE = {OrderType.PRODUCT_ORDER: 0, OrderType.SUBSCRIPTION_ORDER: 1, OrderType.TASKING_ORDER: 2}
_TYPES = {number: order_type for order_type, number in ORDER_TYPE.items()}
_PRIORITY = {Priority.STANDARD: 0, Priority.FAST_TRACK: 1}
#: Of the items of an order: which are claimed first.
RANK: dict[Priority | None, int] = {Priority.FAST_TRACK: 0, Priority.STANDARD: 1, None: 1}
PRIORITIES = {number: priority for priority, number in _PRIORITY.items()}
_STATE = {
    ProviderOrderState.SUBMITTING: 0,
    ProviderOrderState.SUBMIT_REJECTED: 1,
    ProviderOrderState.PROCESSING: 2,
    ProviderOrderState.CANCELLING: 3,
    ProviderOrderState.CANCELLED: 4,
    ProviderOrderState.CLOSED: 5,
}
_STATES = {number: state for state, number in _STATE.items()}
#: An order that no person need approve has none of these.
_DECIDED = {Decided.WAITING: 0, Decided.APPROVED: 1, Decided.REJECTED: 2}
_WAITING = Approval()


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRest:
    """What of an order's specification has no column, without its secrets."""

    order_remark: str | None = None
    delivery_information: DeliveryInformation | None = None
    invoice_address: DeliveryAddress | None = None
    packaging: Packaging | None = None
    options: tuple[ParameterData, ...] = ()
    delivery_options: DeliveryOptions | None = None
    extensions: tuple[str, ...] = ()


_NO_REST = OrderRest()

ORDER_COLUMNS = (
    "uuid",
    "owner",
    "status",
    "info",
    "mission",
    "created",
    "updated",
    "revision",
    "wanted",
    "face",
    "next_ready",
    "message",
    "request_digest",
    "order_type",
    "priority",
    "reference",
    "rest",
    "secrets",
    "quotation",
    "approval",
    "decision",
)


def order_row(order: Order, session: Session) -> tuple[Any, ...]:
    """Return an order's columns (`ORDER_COLUMNS`)."""
    identifier = uuid_of(order.order_id)
    if identifier is None:
        text = f"order id {order.order_id!r} is not urn:uuid: and a UUID in lower case"
        raise ValidationError(text, locator="orderId")
    specification = order.specification
    rest = _rest_of(specification)
    priority = specification.priority
    return (
        identifier,
        session.ref(order.owner),
        STATUS[order.status.status],
        session.ref(order.status.additional),
        session.ref(order.status.mission_specific),
        micros(order.created),
        micros(order.updated),
        order.revision,
        WANTED[order.wanted],
        _FACE[order.face],
        order.next_ready,
        packed_or_none(order.message_id),
        packed_or_none(order.request_digest),
        ORDER_TYPE[specification.order_type],
        None if priority is None else _PRIORITY[priority],
        specification.order_reference,
        None if rest == _NO_REST else session.ref(dump(rest)),
        secrets_of(specification.delivery_information),
        packed_or_none(order.quotation_id),
        *approval_columns(order.approval, session),
    )


def approval_columns(approval: Approval | None, session: Session) -> tuple[int | None, int | None]:
    """Return the columns ``approval`` and ``decision``: what, and the text of who, when and why."""
    if approval is None:
        return None, None
    said = None if approval == _WAITING else session.ref(dump(approval))
    return _DECIDED[approval.decided], said


def _approval(decided: int | None, said: int | None, session: Session) -> Approval | None:
    if decided is None:
        return None
    approval: Approval = _WAITING if said is None else load(Approval, session.text(said) or "{}")
    return approval


def collections_text(order: Order) -> str:
    """Return the collections a new order orders from, as the JSON list that is kept of them."""
    named = {item.collection_id for item in order.items if item.number}
    return json.dumps(sorted(named), ensure_ascii=False, separators=(",", ":"))


def order_from_row(row: Sequence[Any], session: Session, parts: Sequence[Sequence[Any]]) -> Order:
    """Return the order of `ORDER_COLUMNS`, without items, with the provider orders of their rows."""
    order_id = order_id_of(row[0])
    rest = _NO_REST if row[16] is None else read_document(OrderRest, session.caches.rests, row[16], session)
    specification = OrderSpecification(
        order_type=_TYPES[row[13]],
        order_reference=row[15],
        priority=None if row[14] is None else PRIORITIES[row[14]],
        order_remark=rest.order_remark,
        delivery_information=with_secrets(rest.delivery_information, row[17]),
        invoice_address=rest.invoice_address,
        packaging=rest.packaging,
        options=rest.options,
        delivery_options=rest.delivery_options,
        extensions=rest.extensions,
    )
    return Order(
        order_id=order_id,
        specification=specification,
        status=status_of(row[2], row[3], row[4], session),
        created=from_micros(row[5]),
        updated=from_micros(row[6]),
        owner=session.text(row[1]) or "",
        revision=row[7],
        wanted=WANTEDS[row[8]],
        face=_FACES[row[9]],
        next_ready=row[10],
        message_id=unpacked_or_none(row[11]),
        request_digest=unpacked_or_none(row[12]),
        provider_orders=tuple(provider_order_from_row(part, order_id, session) for part in parts),
        quotation_id=unpacked_or_none(row[18]),
        approval=_approval(row[19], row[20], session),
    )


def _rest_of(specification: OrderSpecification) -> OrderRest:
    return OrderRest(
        order_remark=specification.order_remark,
        delivery_information=without_secrets(specification.delivery_information),
        invoice_address=specification.invoice_address,
        packaging=specification.packaging,
        options=specification.options,
        delivery_options=specification.delivery_options,
        extensions=specification.extensions,
    )


def without_secrets(information: DeliveryInformation | None) -> DeliveryInformation | None:
    """Return where to deliver without the passwords for it."""
    if information is None or not information.online_addresses:
        return information
    addresses = tuple(replace(each, user_password=None) for each in information.online_addresses)
    return replace(information, online_addresses=addresses)


def secrets_of(information: DeliveryInformation | None) -> str | None:
    """Return the passwords of on-line addresses as JSON, in their order; None where there is none."""
    if information is None:
        return None
    passwords = [
        None if each.user_password is None else each.user_password.reveal()
        for each in information.online_addresses
    ]
    return json.dumps(passwords, ensure_ascii=False) if any(each is not None for each in passwords) else None


def with_secrets(information: DeliveryInformation | None, secrets: str | None) -> DeliveryInformation | None:
    """Return where to deliver with the passwords that `secrets_of` took out."""
    if information is None or secrets is None:
        return information
    addresses = tuple(
        replace(address, user_password=None if password is None else Secret(password))
        for address, password in zip(information.online_addresses, json.loads(secrets), strict=True)
    )
    return replace(information, online_addresses=addresses)


PROVIDER_ORDER_COLUMNS = ("order_ref", "provider", "state", "tracking_id", "updated", "closed", "watched")
_ENDED = frozenset(
    {ProviderOrderState.SUBMIT_REJECTED, ProviderOrderState.CANCELLED, ProviderOrderState.CLOSED}
)


def provider_order_row(order_ref: int, part: ProviderOrder, session: Session) -> tuple[Any, ...]:
    """Return a provider order's columns (`PROVIDER_ORDER_COLUMNS`)."""
    return (
        order_ref,
        session.ref(part.provider),
        _STATE[part.state],
        part.tracking_id,
        micros(part.updated),
        micros(part.closed),
        _watched(part),
    )


def _watched(part: ProviderOrder) -> int | None:
    """Return when it last changed, if it is another provider's and open; None for the others."""
    if part.provider == LOCAL or part.closed is not None or part.state in _ENDED:
        return None
    return micros(part.updated) or 0


def provider_order_from_row(row: Sequence[Any], order_id: str, session: Session) -> ProviderOrder:
    """Return the provider order of `PROVIDER_ORDER_COLUMNS`."""
    return ProviderOrder(
        order_id=order_id,
        provider=session.text(row[1]) or "",
        state=_STATES[row[2]],
        tracking_id=row[3],
        updated=from_micros(row[4]),
        closed=from_micros(row[5]),
    )
