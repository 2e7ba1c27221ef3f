"""Order items: rows to dataclasses and back.

What items of an order usually share (their collection and everything they select) is one `Choice`, stored
once as a text. Card numbers are not stored at all: nothing here charges a card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from oseo_lab.encoding.quick import maker
from oseo_lab.model.delivery import DeliveryOptions
from oseo_lab.model.identifiers import ItemIdentifier, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import LOCAL, ItemSpecification, OrderItem, Payment, StatusInfo
from oseo_lab.model.status import Status, Wanted
from oseo_lab.store.documents import dump, load
from oseo_lab.store.session import Session
from oseo_lab.store.values import (
    STATUS,
    WANTED,
    WANTEDS,
    from_micros,
    micros,
    moment_of,
    read_document,
    status_of,
)

__all__ = [
    "CLAIMABLE",
    "ITEM_COLUMNS",
    "LOOK",
    "Choice",
    "condensed",
    "due",
    "expanded",
    "item_rows",
    "items_from_rows",
    "product_text",
    "status_writer",
]

#: What orders of thousands of items are made of.
_make_item = maker(OrderItem)
_make_item_specification = maker(ItemSpecification)
_make_product_id = maker(ProductId)


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


#: ``due`` of items of which their users want something else: looked at by a dispatcher, started by none.
LOOK = -1


def due(item: OrderItem, wanted: Wanted) -> int | None:
    """Return from when on an item wanted so can be claimed; `LOOK` where a wish waits, None for never.

    A wish waits where a final item is to be tried again, and a paused one to go on: both have a ``retry_at``;
    and where an item that nobody works on is to be paused.
    """
    status = item.status.status
    if item.provider != LOCAL:
        return None
    if status not in CLAIMABLE:
        is_wished = item.retry_at is not None and (
            status.is_final or (status is Status.SUSPENDED and wanted is Wanted.COMPLETED)
        )
        return LOOK if is_wished else None
    if wanted is Wanted.CANCELLED:
        return None
    if item.lease_owner is None:
        if wanted is Wanted.SUSPENDED:
            return LOOK
        return 0 if item.retry_at is None else micros(item.retry_at)
    return max(micros(item.lease_until) or 0, micros(item.retry_at) or 0)


def product_text(item: OrderItem) -> str | None:
    """Return the product an item is made from as JSON, where its identifier is none."""
    return None if item.product is None else dump(item.product)


def item_rows(
    order_ref: int, rank: int, items: Sequence[OrderItem], session: Session
) -> list[tuple[Any, ...]]:
    """Return the columns (`ITEM_COLUMNS`) of an order's items."""
    choice_ref, status_columns = _choice_writer(session), status_writer(session)
    return [
        (
            order_ref,
            item.number,
            item.specification.item_id,
            _identifier_text(item.specification.identifier),
            item.specification.remark,
            choice_ref(item),
            session.ref(item.provider),
            *status_columns(item.status),
            WANTED[item.wanted],
            item.attempt,
            item.failures,
            micros(item.updated),
            None if item.retry_at is None else micros(item.retry_at),
            None if item.lease_owner is None else session.ref(item.lease_owner),
            None if item.lease_until is None else micros(item.lease_until),
            due(item, item.wanted),
            rank,
            item.batch,
            None if item.product is None else product_text(item),
        )
        for item in items
    ]


def items_from_rows(rows: Sequence[tuple[Any, ...]], session: Session) -> list[OrderItem]:
    """Return the items of `ITEM_COLUMNS`; what they refer to is read, and what they share made, once."""
    texts: dict[Any, str] = session.texts(ref for row in rows for ref in (*row[5:7], *row[8:10], row[15]))
    names = session.order_ids({row[0] for row in rows})
    statuses = {
        (status, info, mission): status_of(status, info, mission, session)
        for status, info, mission in {row[7:10] for row in rows}
    }
    choices = {
        ref: read_document(Choice, session.caches.choices, ref, session) for ref in {row[5] for row in rows}
    }
    return [
        _make_item(
            specification=_item_specification(choices[row[5]], *row[2:5]),
            status=statuses[row[7:10]],
            order_id=names[row[0]],
            number=row[1],
            collection_id=choices[row[5]].collection_id,
            provider=texts[row[6]],
            wanted=WANTEDS[row[10]],
            attempt=row[11],
            failures=row[12],
            updated=from_micros(row[13]),
            retry_at=None if row[14] is None else moment_of(row[14]),
            lease_owner=None if row[15] is None else texts[row[15]],
            lease_until=None if row[16] is None else moment_of(row[16]),
            batch=row[19],
            product=None if row[20] is None else load(ProductId, row[20]),
        )
        for row in rows
    ]


def _item_specification(
    choice: Choice, item_id: str, identifier: str, remark: str | None
) -> ItemSpecification:
    return _make_item_specification(
        item_id=item_id,
        identifier=_identifier(choice, identifier),
        product_order_options_id=choice.product_order_options_id,
        remark=remark,
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


def _choice_of(specification: ItemSpecification, collection_id: str = "") -> tuple[Any, ...]:
    """Return the fields of an item's `Choice`."""
    identifier = specification.identifier
    return (
        collection_id,
        _KINDS[type(identifier)],
        identifier.collection_id if isinstance(identifier, ProductId) else None,
        specification.product_order_options_id,
        specification.options,
        specification.scene_selections,
        specification.delivery_options,
        None if specification.payment is None else _without_card(specification.payment),
        specification.extensions,
    )


def _choice_writer(session: Session) -> Callable[[OrderItem], int | None]:
    """Return what gives an item's choice its number; mostly an item chooses as the one before it did."""
    last: tuple[Any, ...] = ()
    last_ref: int | None = None

    def ref(item: OrderItem) -> int | None:
        nonlocal last, last_ref
        choice = _choice_of(item.specification, item.collection_id)
        if choice != last:
            last, last_ref = choice, _choice_ref(choice, session)
        return last_ref

    return ref


def status_writer(session: Session) -> Callable[[StatusInfo], tuple[int, int | None, int | None]]:
    """Return what gives a status its three columns; mostly items of an order share theirs."""
    last: StatusInfo | None = None
    columns: tuple[int, int | None, int | None] = (0, None, None)

    def columns_of(status: StatusInfo) -> tuple[int, int | None, int | None]:
        nonlocal last, columns
        if status is not last:
            said = session.ref(status.additional), session.ref(status.mission_specific)
            last, columns = status, (STATUS[status.status], *said)
        return columns

    return columns_of


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


def condensed(items: Iterable[ItemSpecification]) -> dict[str, Any]:
    """Return items, without cards, as JSON can hold them, what they share once: `expanded` reads it."""
    places: dict[str, int] = {}
    last: tuple[Any, ...] = ()
    place = 0
    rows = []
    for item in items:
        choice = _choice_of(item)
        if choice != last:
            last, place = choice, places.setdefault(_choice_text(choice), len(places))
        rows.append((item.item_id, _identifier_text(item.identifier), item.remark, place))
    return {"choices": list(places), "items": rows}


def expanded(plain: Mapping[str, Any]) -> tuple[ItemSpecification, ...]:
    """Return the items that `condensed` was given."""
    choices = [load(Choice, text) for text in plain["choices"]]
    return tuple(_item_specification(choices[place], *rest) for *rest, place in plain["items"])


def _without_card(payment: Payment) -> Payment:
    """Return what is kept of how something is paid."""
    return replace(payment, credit_card_info=None)
