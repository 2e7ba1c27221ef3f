"""Rows to dataclasses and back: the only mapping between the tables and the model.

The tuples here are in the order of the column lists beside them. What items of an order usually share
(their collection and everything they select) is one `Choice`, stored once as a text; the rest of an
order's specification is an `OrderRest`. Passwords of on-line addresses lie in ``orders.secrets`` and
nowhere else. Card numbers are not stored at all: nothing here charges a card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from oseo_lab.encoding.quick import maker
from oseo_lab.model.delivery import DeliveryAddress, DeliveryInformation, DeliveryOptions, Packaging, Secret
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import (
    LOCAL,
    Attempt,
    Face,
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    Payment,
    Priority,
    ProviderOrder,
    ResultFile,
    StatusChange,
    StatusInfo,
)
from oseo_lab.model.status import ProviderOrderState, Status, Wanted
from oseo_lab.ports import Account
from oseo_lab.store.documents import dump, load
from oseo_lab.store.session import Session, order_id_of, uuid_of

__all__ = [
    "ATTEMPT_COLUMNS",
    "EVENT_COLUMNS",
    "ITEM_COLUMNS",
    "ORDER_COLUMNS",
    "ORDER_TYPE",
    "PRIORITIES",
    "PROVIDER_ORDER_COLUMNS",
    "RANK",
    "RESULT_COLUMNS",
    "STATUS",
    "STATUSES",
    "WANTED",
    "Choice",
    "OrderRest",
    "account_from_row",
    "account_row",
    "attempt_from_row",
    "attempt_row",
    "due",
    "event_from_row",
    "event_row",
    "from_micros",
    "item_rows",
    "items_from_rows",
    "micros",
    "order_from_row",
    "order_row",
    "pack",
    "product_text",
    "provider_order_from_row",
    "provider_order_row",
    "result_from_row",
    "result_row",
    "secrets_of",
    "unpack",
    "with_secrets",
    "without_card",
    "without_secrets",
]

#: What orders of thousands of items are made of.
_make_item = maker(OrderItem)
_make_item_specification = maker(ItemSpecification)
_make_product_id = maker(ProductId)
_make_change = maker(StatusChange)
_make_file = maker(ResultFile)

# --------------------------------------------------------------------------------------- small things

#: Open statuses are below 10, final ones above: the indexes of `tables` say so too.
STATUS: dict[Status, int] = {
    Status.SUBMITTED: 0,
    Status.ACCEPTED: 1,
    Status.IN_PRODUCTION: 2,
    Status.SUSPENDED: 3,
    Status.CANCELLED: 10,
    Status.COMPLETED: 11,
    Status.FAILED: 12,
    Status.TERMINATED: 13,
    Status.DOWNLOADED: 14,
}
STATUSES = {number: status for status, number in STATUS.items()}
WANTED = {Wanted.COMPLETED: 0, Wanted.SUSPENDED: 1, Wanted.CANCELLED: 2}
_WANTEDS = {number: wanted for wanted, number in WANTED.items()}
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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime | None) -> int | None:
    """Return microseconds since 1970 UTC; a moment without a zone is UTC."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(number: int | None) -> datetime | None:
    """Return the moment, in UTC."""
    return None if number is None else _EPOCH + timedelta(microseconds=number)


def moment(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)


def pack(text: str) -> bytes:
    """Return a text as bytes, identifiers of known shape in half the room; one to one."""
    if len(text) == 45 and (identifier := uuid_of(text)) is not None:
        return b"u" + identifier
    packed: bytes | None = None
    with suppress(ValueError):
        packed = bytes.fromhex(text)
    if packed is not None and packed.hex() == text:
        return b"x" + packed
    return b"t" + text.encode(errors="surrogatepass")


def unpack(packed: bytes) -> str:
    """Return the text that `pack` was given."""
    kind, content = packed[:1], packed[1:]
    if kind == b"u":
        return order_id_of(content)
    return content.hex() if kind == b"x" else content.decode(errors="surrogatepass")


def _packed(text: str | None) -> bytes | None:
    return None if text is None else pack(text)


def _unpacked(packed: bytes | None) -> str | None:
    return None if packed is None else unpack(packed)


# --------------------------------------------------------------------------------------------- orders


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
        _packed(order.message_id),
        _packed(order.request_digest),
        ORDER_TYPE[specification.order_type],
        None if priority is None else _PRIORITY[priority],
        specification.order_reference,
        None if rest == _NO_REST else session.ref(dump(rest)),
        secrets_of(specification.delivery_information),
        _packed(order.quotation_id),
    )


def order_from_row(row: Sequence[Any], session: Session, parts: Sequence[Sequence[Any]]) -> Order:
    """Return the order of `ORDER_COLUMNS`, without items, with the provider orders of their rows."""
    order_id = order_id_of(row[0])
    rest = _NO_REST if row[16] is None else _read(OrderRest, session.caches.rests, row[16], session)
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
        status=_status(row[2], row[3], row[4], session),
        created=from_micros(row[5]),
        updated=from_micros(row[6]),
        owner=session.text(row[1]) or "",
        revision=row[7],
        wanted=_WANTEDS[row[8]],
        face=_FACES[row[9]],
        next_ready=row[10],
        message_id=_unpacked(row[11]),
        request_digest=_unpacked(row[12]),
        provider_orders=tuple(provider_order_from_row(part, order_id, session) for part in parts),
        quotation_id=_unpacked(row[18]),
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


def _status(number: int, info: int | None, mission: int | None, session: Session) -> StatusInfo:
    return StatusInfo(
        status=STATUSES[number],
        additional=None if info is None else session.text(info),
        mission_specific=None if mission is None else session.text(mission),
    )


def _read(cls: type[Any], cache: dict[int, Any], ref: int, session: Session) -> Any:
    """Return what a stored document reads as; kept, for documents never change."""
    found = cache.get(ref)
    if found is None:
        found = load(cls, session.text(ref) or "{}")
        session.remember(cache, ref, found)
    return found


# ------------------------------------------------------------------------------------- provider orders

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


# ---------------------------------------------------------------------------------------------- items


class _Kind(StrEnum):
    PRODUCT = "product"
    SUBSCRIPTION = "subscription"
    TASKING = "tasking"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What items of an order usually share: where they come from and all they select."""

    collection_id: str = ""
    kind: _Kind = _Kind.PRODUCT
    named_collection: str | None = None
    product_order_options_id: str | None = None
    options: tuple[ParameterData, ...] = ()
    scene_selections: tuple[ParameterData, ...] = ()
    delivery_options: DeliveryOptions | None = None
    payment: Payment | None = None
    extensions: tuple[str, ...] = ()


ITEM_COLUMNS = (
    "order_ref",
    "number",
    "item_id",
    "identifier",
    "remark",
    "choice",
    "provider",
    "status",
    "info",
    "mission",
    "wanted",
    "attempt",
    "failures",
    "updated",
    "retry_at",
    "lease_owner",
    "lease_until",
    "due",
    "rank",
    "batch",
    "product",
)


#: Statuses of items that can be started; Submitted ones wait for a person, Suspended ones for others.
CLAIMABLE = frozenset({Status.ACCEPTED, Status.IN_PRODUCTION})


def due(item: OrderItem) -> int | None:
    """Return from when on an item that is wanted completed can be claimed; None for never."""
    if item.status.status not in CLAIMABLE or item.provider != LOCAL:
        return None
    lease = micros(item.lease_until) if item.lease_owner is not None else None
    return max(lease or 0, micros(item.retry_at) or 0)


def product_text(item: OrderItem) -> str | None:
    """Return the product an item is made from as JSON, where its identifier is none."""
    return None if item.product is None else dump(item.product)


def item_rows(
    order_ref: int, rank: int, items: Sequence[OrderItem], session: Session
) -> list[tuple[Any, ...]]:
    """Return the columns (`ITEM_COLUMNS`) of an order's items."""
    choice_ref = _choice_writer(session)
    return [
        (
            order_ref,
            item.number,
            item.specification.item_id,
            _identifier_text(item.specification.identifier),
            item.specification.remark,
            choice_ref(item),
            session.ref(item.provider),
            STATUS[item.status.status],
            session.ref(item.status.additional),
            session.ref(item.status.mission_specific),
            WANTED[item.wanted],
            item.attempt,
            item.failures,
            micros(item.updated),
            micros(item.retry_at),
            session.ref(item.lease_owner),
            micros(item.lease_until),
            due(item) if item.wanted is Wanted.COMPLETED else None,
            rank,
            item.batch,
            product_text(item),
        )
        for item in items
    ]


def items_from_rows(rows: Sequence[tuple[Any, ...]], session: Session) -> list[OrderItem]:
    """Return the items of `ITEM_COLUMNS`; what they refer to is read, and what they share made, once."""
    texts: dict[Any, str] = session.texts(ref for row in rows for ref in (*row[5:7], *row[8:10], row[15]))
    names = session.order_ids({row[0] for row in rows})
    statuses = {
        (status, info, mission): _status(status, info, mission, session)
        for status, info, mission in {row[7:10] for row in rows}
    }
    choices = {ref: _read(Choice, session.caches.choices, ref, session) for ref in {row[5] for row in rows}}
    return [
        _make_item(
            specification=_item_specification(choices[row[5]], row),
            status=statuses[row[7:10]],
            order_id=names[row[0]],
            number=row[1],
            collection_id=choices[row[5]].collection_id,
            provider=texts[row[6]],
            wanted=_WANTEDS[row[10]],
            attempt=row[11],
            failures=row[12],
            updated=from_micros(row[13]),
            retry_at=None if row[14] is None else moment(row[14]),
            lease_owner=None if row[15] is None else texts[row[15]],
            lease_until=None if row[16] is None else moment(row[16]),
            batch=row[19],
            product=None if row[20] is None else load(ProductId, row[20]),
        )
        for row in rows
    ]


def _item_specification(choice: Choice, row: Sequence[Any]) -> ItemSpecification:
    return _make_item_specification(
        item_id=row[2],
        identifier=_identifier(choice, row[3]),
        product_order_options_id=choice.product_order_options_id,
        remark=row[4],
        options=choice.options,
        scene_selections=choice.scene_selections,
        delivery_options=choice.delivery_options,
        payment=choice.payment,
        extensions=choice.extensions,
    )


def _identifier_text(identifier: ItemIdentifier) -> str:
    if isinstance(identifier, ProductId):
        return identifier.identifier
    return identifier.collection_id if isinstance(identifier, SubscriptionId) else identifier.id


def _identifier(choice: Choice, identifier: str) -> ItemIdentifier:
    if choice.kind is _Kind.PRODUCT:
        return _make_product_id(identifier=identifier, collection_id=choice.named_collection)
    if choice.kind is _Kind.SUBSCRIPTION:
        return SubscriptionId(collection_id=identifier)
    return TaskingRequestId(id=identifier)


_KINDS = {
    ProductId: _Kind.PRODUCT,
    SubscriptionId: _Kind.SUBSCRIPTION,
    TaskingRequestId: _Kind.TASKING,
}


def _choice_of(item: OrderItem) -> tuple[Any, ...]:
    """Return the fields of an item's `Choice`."""
    specification, identifier = item.specification, item.specification.identifier
    return (
        item.collection_id,
        _KINDS[type(identifier)],
        identifier.collection_id if isinstance(identifier, ProductId) else None,
        specification.product_order_options_id,
        specification.options,
        specification.scene_selections,
        specification.delivery_options,
        None if specification.payment is None else without_card(specification.payment),
        specification.extensions,
    )


def _choice_writer(session: Session) -> Callable[[OrderItem], int | None]:
    """Return what gives an item's choice its number; mostly an item chooses as the one before it did."""
    last: tuple[Any, ...] = ()
    last_ref: int | None = None

    def ref(item: OrderItem) -> int | None:
        nonlocal last, last_ref
        choice = _choice_of(item)
        if choice != last:
            last, last_ref = choice, _choice_ref(choice, session)
        return last_ref

    return ref


def _choice_ref(choice: tuple[Any, ...], session: Session) -> int | None:
    try:
        found = session.caches.ref_of_choice.get(choice)
    except TypeError:  # values from JSON may hold lists, which cannot be looked up
        return session.ref(_choice_text(choice))
    if found is None:
        found = session.ref(_choice_text(choice))
        session.remember(session.caches.ref_of_choice, choice, found)
    return found


def _choice_text(choice: tuple[Any, ...]) -> str:
    names = (each.name for each in fields(Choice))
    return dump(Choice(**dict(zip(names, choice, strict=True))))


def without_card(payment: Payment) -> Payment:
    """Return what is kept of how something is paid."""
    return replace(payment, credit_card_info=None)


# ----------------------------------------------------------------------------------- history, attempts

EVENT_COLUMNS = ("order_ref", "number", "status", "at", "author", "attempt", "info", "detail")


def event_row(order_ref: int, change: StatusChange, session: Session) -> tuple[Any, ...]:
    """Return a status change's columns (`EVENT_COLUMNS`); the database gives the id."""
    return (
        order_ref,
        change.number,
        STATUS[change.status],
        micros(change.at),
        session.ref(change.author),
        change.attempt,
        None if change.info is None else session.ref(change.info),
        change.detail,
    )


def event_from_row(row: Sequence[Any], order_id: str, session: Session) -> StatusChange:
    """Return the status change of `EVENT_COLUMNS` and its id."""
    return _make_change(
        order_id=order_id,
        number=row[1],
        status=STATUSES[row[2]],
        at=moment(row[3]),
        author=session.text(row[4]) or "",
        attempt=row[5],
        info=session.text(row[6]),
        detail=row[7],
        event_id=row[8],
    )


ATTEMPT_COLUMNS = ("order_ref", "number", "attempt", "started", "ended", "worker", "outcome", "detail")


def attempt_row(order_ref: int, attempt: Attempt, session: Session) -> tuple[Any, ...]:
    """Return an attempt's columns (`ATTEMPT_COLUMNS`)."""
    return (
        order_ref,
        attempt.number,
        attempt.attempt,
        micros(attempt.started),
        micros(attempt.ended),
        session.ref(attempt.worker),
        session.ref(attempt.outcome),
        attempt.detail,
    )


def attempt_from_row(row: Sequence[Any], order_id: str, session: Session) -> Attempt:
    """Return the attempt of `ATTEMPT_COLUMNS`."""
    return Attempt(
        order_id=order_id,
        number=row[1],
        attempt=row[2],
        started=from_micros(row[3]),
        ended=from_micros(row[4]),
        worker=session.text(row[5]),
        outcome=session.text(row[6]),
        detail=row[7],
    )


# --------------------------------------------------------------------------------------------- results

RESULT_COLUMNS = (
    "order_ref",
    "number",
    "attempt",
    "position",
    "name",
    "size",
    "sha256",
    "media_type",
    "is_data",
    "sequence",
    "expires",
    "removed",
    "fetched",
    "href",
)


def result_row(
    order_ref: int, position: int, sequence: int, file: ResultFile, session: Session
) -> tuple[Any, ...]:
    """Return a delivered file's columns (`RESULT_COLUMNS`)."""
    return (
        order_ref,
        file.number,
        file.attempt,
        position,
        file.name,
        file.size,
        pack(file.sha256),
        session.ref(file.media_type),
        int(file.is_data),
        sequence,
        micros(file.expires),
        int(file.removed),
        json.dumps(file.fetched) if file.fetched else None,
        file.href,
    )


def result_from_row(row: Sequence[Any], order_id: str, session: Session) -> ResultFile:
    """Return the delivered file of `RESULT_COLUMNS`."""
    return _make_file(
        order_id=order_id,
        number=row[1],
        attempt=row[2],
        name=row[4],
        size=row[5],
        sha256=unpack(row[6]),
        media_type=session.text(row[7]) or "",
        is_data=bool(row[8]),
        sequence=row[9],
        expires=from_micros(row[10]),
        removed=bool(row[11]),
        fetched=tuple((start, end) for start, end in json.loads(row[12])) if row[12] else (),
        href=row[13],
    )


# -------------------------------------------------------------------------------------------- accounts


def account_row(account: Account) -> tuple[Any, ...]:
    """Return an account's columns, in the order of its table."""
    return (
        account.name,
        account.owner,
        account.password_hash,
        account.digest_secret,
        int(account.disabled),
        micros(account.created),
    )


def account_from_row(row: Sequence[Any]) -> Account:
    """Return the account of a row of its table."""
    return Account(
        name=row[0],
        owner=row[1],
        password_hash=row[2],
        digest_secret=row[3],
        disabled=bool(row[4]),
        created=from_micros(row[5]),
    )
