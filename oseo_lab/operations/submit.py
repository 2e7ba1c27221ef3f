"""Submit (OGC 06-141r6 clause 12): check everything at once, make the order, save it, wake the dispatcher.

Step 6 of the walk. Decides nothing about what happens next: the order's first status is written as part of
making the record, and that is all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from oseo_lab.model.errors import Conflict, Problem, ValidationError
from oseo_lab.model.messages import Submit, SubmitAck
from oseo_lab.model.order import MESSAGE_ID_DAYS, Callback, CallbackKind, Order, OrderSpecification
from oseo_lab.model.quotation import Charge, QuotationRecord
from oseo_lab.operations.charging import charges_of, orderable, save_ordered
from oseo_lab.operations.checking import check_specification
from oseo_lab.operations.context import Context
from oseo_lab.operations.order_types import check_order_type, make_order
from oseo_lab.operations.replying import callback_of
from oseo_lab.ports import UnitOfWork

__all__ = ["submit"]


def submit(request: Submit, context: Context) -> SubmitAck:
    """Accept an order, or refuse it whole.

    Raises
    ------
    ValidationError
        With every problem of the order.
    NotSupported
        If its type is not taken here.
    """
    owner = context.caller
    digest = _digest_of(request) if context.message_id else None
    if context.message_id:
        with context.store.read() as snapshot:
            first = snapshot.orders.by_message(owner, context.message_id)
        if first is not None:
            return _again(first, digest, request, context)
    specification, quoted = _asked(request, context)
    check_order_type(specification.order_type, context)
    callback = callback_of(request.status_notification, CallbackKind.SUBMIT_RESPONSE, context)
    problems = (callback,) if isinstance(callback, Problem) else ()
    collections = check_specification(specification, context, problems)
    order = make_order(specification, collections, owner, context.message_id, digest, context.now())
    if quoted is not None:
        order = replace(order, quotation_id=quoted.quotation_id)
    charges = charges_of(order, quoted, context)
    to_call = callback if isinstance(callback, Callback) else None
    try:
        context.store.write(lambda work: _save(work, order, to_call, quoted, charges))
    except Conflict:
        with context.store.read() as snapshot:
            first = snapshot.orders.by_message(owner, context.message_id or "")
        if first is None:
            raise
        return _again(first, digest, request, context)
    context.wake()
    return SubmitAck(order_id=order.order_id, order_reference=specification.order_reference)


def _digest_of(request: Submit) -> str:
    """Return SHA-256 of what a Submit orders, item after item: of thousands the text would be megabytes."""
    specification = request.specification
    items = () if specification is None else specification.items
    head = None if specification is None else replace(specification, items=())
    digest = hashlib.sha256(repr((head, request.quotation_id)).encode())
    for item in items:
        digest.update(repr(item).encode())
    return digest.hexdigest()


def _asked(request: Submit, context: Context) -> tuple[OrderSpecification, QuotationRecord | None]:
    """Return what is ordered, and the quotation it is ordered by, if it is."""
    if request.quotation_id is not None:
        return orderable(request.quotation_id, context)
    if request.specification is None:
        raise ValidationError(
            "Submit needs an orderSpecification or a quotationId",
            code="MissingParameterValue",
            locator="orderSpecification",
        )
    return request.specification, None


def _again(first: Order, digest: str | None, request: Submit, context: Context) -> SubmitAck:
    """Answer a Submit whose MessageID has been seen: with the first acknowledgement, if it orders the same.

    Whom to call is no part of what is ordered: a notebook that was started anew listens elsewhere.
    """
    if first.created is not None and context.now() - first.created > timedelta(days=MESSAGE_ID_DAYS):
        raise ValidationError(
            "this MessageID was used by an order long ago; use a new one", locator="MessageID"
        )
    if first.request_digest != digest:
        raise ValidationError(
            f"this MessageID belongs to order {first.order_id}, which says something else; use a new one",
            locator="MessageID",
        )
    callback = callback_of(request.status_notification, CallbackKind.SUBMIT_RESPONSE, context)
    if isinstance(callback, Problem):
        raise ValidationError.of([callback])
    if isinstance(callback, Callback) and not first.status.status.is_final:
        context.store.write(lambda work: work.callbacks.add(first.order_id, callback))
    return SubmitAck(order_id=first.order_id, order_reference=first.specification.order_reference)


def _save(
    work: UnitOfWork,
    order: Order,
    callback: Callback | None,
    quoted: QuotationRecord | None,
    charges: Sequence[Charge],
) -> None:
    """Save everything a new order consists of, in one transaction."""
    work.orders.add(order)
    if quoted is not None:
        save_ordered(work, quoted, order.order_id)
    if callback is not None:
        work.callbacks.add(order.order_id, callback)
    if charges:
        work.balances.draw(charges)
