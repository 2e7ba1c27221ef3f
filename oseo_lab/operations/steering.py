"""What a user does to an order that runs or is over, beyond the standard: pause, resume, try again.

All three write what is wanted, of orders of every type, and answer at once; `oseo_lab.dispatch.wishes` moves
the items. Pausing holds back what nobody works on yet; what a worker has begun is finished. Trying again
takes the same item of the same order to its next attempt; what it drew and was given back is drawn again in
the transaction of the wish, so it is paid or not tried.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from oseo_lab.model.approval import Decided
from oseo_lab.model.errors import Conflict, InvalidState, Problem, ValidationError
from oseo_lab.model.identifiers import SubscriptionId
from oseo_lab.model.job import FailureClass, can_retry
from oseo_lab.model.limits import in_bytes, kept_limits
from oseo_lab.model.order import LOCAL, Order, OrderItem
from oseo_lab.model.status import DELIVERED, Status, Wanted
from oseo_lab.model.subscription import is_massive
from oseo_lab.operations.charging import draw_again
from oseo_lab.operations.context import Context, order_of
from oseo_lab.ports import UnitOfWork

__all__ = ["MOST_NAMED", "pause", "resume", "retry"]

#: Most items that are tried again by name at once; all that failed need not be named.
MOST_NAMED = 10_000
#: Statuses of items that can be tried again.
_UNMADE = (Status.FAILED, Status.CANCELLED, Status.TERMINATED)
_PAGE = 500


# ---------------------------------------------------------------------------------------- pause and resume


def pause(order_id: str, context: Context) -> Order:
    """Let nothing more of an order begin until it is resumed; what is being made is finished.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    Conflict
        If it is final, is to be cancelled, or was passed on to others who cannot pause it.
    """
    return _want(order_id, Wanted.SUSPENDED, context)


def resume(order_id: str, context: Context) -> Order:
    """Let a paused order go on where it was; what a subscription missed comes. Raises as `pause`."""
    return _want(order_id, Wanted.COMPLETED, context)


def _want(order_id: str, wanted: Wanted, context: Context) -> Order:
    owner, now = context.caller, context.now()

    def write(work: UnitOfWork) -> Order:
        order = order_of(work, order_id, owner)
        _check_open(order)
        if order.wanted is wanted:
            return order
        if wanted is Wanted.SUSPENDED:
            _check_ours(order)
        work.items.want(order_id, wanted, now)
        work.orders.save(replace(order, wanted=wanted, updated=now))
        return work.orders.get(order_id) or order

    order = context.store.write(write)
    context.wake()
    return order


def _check_open(order: Order) -> None:
    if order.status.status.is_final:
        raise InvalidState(
            f"the order is {order.status.status} already",
            locator="orderId",
            status=str(order.status.status),
            allowed_actions=("retry", "reorder"),
        )
    if order.wanted is Wanted.CANCELLED:
        raise InvalidState("the order is being cancelled", locator="orderId", status=str(order.status.status))


def _check_ours(order: Order) -> None:
    """Raise Conflict if all of an order is in the hands of others: OSEO has nothing by which to pause it."""
    parts = order.provider_orders
    if parts and all(each.provider != LOCAL and each.tracking_id is not None for each in parts):
        names = ", ".join(sorted(each.provider for each in parts))
        raise InvalidState(
            f"the order was passed on to {names}, which cannot pause it; cancel it, or let it go on",
            locator="orderId",
            status=str(order.status.status),
            allowed_actions=("cancel",),
        )


# ------------------------------------------------------------------------------------------------ try again


def retry(order_id: str, item_ids: Sequence[str] | None, context: Context) -> Order:
    """Try items of an order again that were not made.

    Parameters
    ----------
    order_id : str
        Of an order of the caller's.
    item_ids : sequence of str or None
        Which items, whatever they failed of, cancelled ones too; None for all that failed and may be helped
        by it. Items that are in work again already are left alone.
    context : Context
        Of the request.

    Raises
    ------
    NotFound
        If the order is unknown or not the caller's.
    ValidationError
        If it has no item of a name; locator ``item_ids``.
    Conflict
        If nothing can be tried again, an item was delivered, is made elsewhere or was stopped by the order's
        ``max_bytes``, the order is being cancelled, or what trying again costs cannot be paid or is over the
        order's limit. Then nothing is changed.
    """
    if item_ids is not None and not 1 <= len(item_ids) <= MOST_NAMED:
        raise ValidationError(
            f"{len(item_ids)} items are named; allowed: 1 to {MOST_NAMED}, null for all that may be helped",
            locator="item_ids",
        )
    owner, now = context.caller, context.now()
    # Looked for before it is this one's turn to write: of thousands of items nobody else need wait for that.
    with context.store.read() as snapshot:
        chosen = _chosen(snapshot, order_of(snapshot, order_id, owner), item_ids)
    order = context.store.write(partial(_retry, chosen=chosen, item_ids=item_ids, now=now))
    context.wake()
    return order


@dataclass(frozen=True)
class _Chosen:
    """What is to be tried again, as of a revision of its order."""

    order: Order
    items: Sequence[OrderItem]


def _chosen(work: UnitOfWork, order: Order, item_ids: Sequence[str] | None) -> _Chosen:
    if order.wanted is Wanted.CANCELLED and not order.status.status.is_final:
        raise Conflict(
            "the order is being cancelled; once it is Cancelled its items can be tried again by name",
            locator="orderId",
        )
    _check_approved(order)
    items = _failed(work, order) if item_ids is None else _named(work, order, item_ids)
    return _Chosen(order, items)


def _check_approved(order: Order) -> None:
    """Raise Conflict for an order that operators have not approved: trying again does not lead past them."""
    approval = order.approval
    if approval is None or approval.decided is Decided.APPROVED:
        return
    if approval.decided is Decided.WAITING and not order.status.status.is_final:
        return  # nothing of it has failed; one that is being rejected may have cancelled items already
    why = approval.sentence if approval.decided is Decided.REJECTED else "it was cancelled before approval"
    raise InvalidState(
        f"nothing of the order was approved, so nothing is tried again ({why}); order it anew",
        locator="orderId",
        status=str(order.status.status),
        allowed_actions=("reorder",),
    )


def _retry(work: UnitOfWork, chosen: _Chosen, item_ids: Sequence[str] | None, now: datetime) -> Order:
    order = order_of(work, chosen.order.order_id, chosen.order.owner)
    if order.revision != chosen.order.revision:
        chosen = _chosen(work, order, item_ids)
    if not chosen.items:
        return order  # in work again already: a second click
    draw_again(work, order, chosen.items)
    wanted = Wanted.SUSPENDED if order.wanted is Wanted.SUSPENDED else Wanted.COMPLETED
    work.items.want_again(order.order_id, [each.number for each in chosen.items], wanted, now)
    if order.wanted is Wanted.CANCELLED:
        work.orders.save(replace(order, wanted=Wanted.COMPLETED, updated=now))
    return work.orders.get(order.order_id) or order


def _failed(work: UnitOfWork, order: Order) -> list[OrderItem]:
    """Return all that failed and may be helped by trying again.

    Raises
    ------
    Conflict
        If there is none, and nothing is in work.
    """
    failed = list(_of_status(work, order.order_id, Status.FAILED))
    package = work.items.get(order.order_id, 0)
    if package is not None and package.status.status is Status.FAILED:
        failed.append(package)
    asked_before = [each for each in failed if each.retry_at is not None]
    ours = [each for each in failed if each.retry_at is None and not _obstacle(each, order)]
    classes = work.views.failure_classes(ours)
    found = [each for each in ours if can_retry(classes.get(each.number))]
    is_in_work = asked_before or not (failed or order.status.status.is_final)
    if not found and not is_in_work:
        limits = _stopped_by_limit(work, order, failed)
        of_limit = next(iter(limits.values())) if len(limits) == len(failed) > 0 else None
        raise Conflict(of_limit or _nothing(failed), locator="item_ids")
    return found


def _nothing(failed: Sequence[OrderItem]) -> str:
    if not failed:
        return "nothing of the order failed; cancelled items are tried again where they are named"
    names = ", ".join(each.specification.item_id for each in failed[:5])
    more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
    return (
        f"trying again would not help what failed ({names}{more}): their status says why; "
        "name items to try them all the same, or order them anew with other options"
    )


def _named(work: UnitOfWork, order: Order, item_ids: Sequence[str]) -> list[OrderItem]:
    """Return the items of these names that are not in work.

    Raises
    ------
    ValidationError, Conflict
        With every name that is none, or is of an item that cannot be tried again.
    """
    wanted = set(item_ids)
    candidates = (each for status in _UNMADE for each in _of_status(work, order.order_id, status))
    found = [each for each in candidates if each.specification.item_id in wanted]
    stopped = _stopped_by_limit(work, order, found)
    problems = [
        Problem(code=Conflict.code, locator="item_ids", text=text, item_id=each.specification.item_id)
        for each in found
        if (text := _obstacle(each, order) or stopped.get(each.number))
    ]
    if rest := wanted - {each.specification.item_id for each in found}:
        problems += _others(work, order, rest)
    if problems:
        kind = Conflict if all(each.item_id for each in problems) else ValidationError
        text = "; ".join(str(each) for each in problems)
        raise kind(text, locator="item_ids", problems=problems)
    return [each for each in found if each.retry_at is None]


def _stopped_by_limit(work: UnitOfWork, order: Order, items: Sequence[OrderItem]) -> dict[int, str]:
    """Say of items that the order's ``max_bytes`` stopped that it stands; by number."""
    limit = kept_limits(order.specification).max_bytes
    if limit is None:
        return {}
    text = (
        f"the order's limit stopped it, max_bytes={limit} ({in_bytes(limit)}), which stands as long as the "
        "order: raise it by a new order of what is left (in Python: order.reorder(max_bytes=...))"
    )
    failed = [each for each in items if each.status.status is Status.FAILED]
    classes = work.views.failure_classes(failed)
    return {number: text for number, kind in classes.items() if kind == FailureClass.LIMIT.value}


def _others(work: UnitOfWork, order: Order, names: set[str]) -> Iterator[Problem]:
    """Say what is wrong with names of items that did not fail; those in work are left alone."""
    items = {each.specification.item_id: each for each in work.items.of(order.order_id)}
    for name in sorted(names):
        item = items.get(name)
        if item is None:
            near = difflib.get_close_matches(name[:80], items, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            text = f"the order has no item {name[:80]!r}{hint}"
            yield Problem(code=ValidationError.code, locator="item_ids", text=text)
        elif item.status.status in DELIVERED:
            text = "it was delivered; order it anew if its files are gone, or with other options"
            yield Problem(code=Conflict.code, locator="item_ids", text=text, item_id=name)


def _obstacle(item: OrderItem, order: Order) -> str | None:
    """Say why an item that was not made cannot be tried again; None where it can."""
    if item.provider != LOCAL:
        return f"{item.provider} makes it, who is asked by new orders only: order it anew"
    if isinstance(item.specification.identifier, SubscriptionId):
        return "it stands for products to come, and has run its course: subscribe anew"
    if is_massive(order.specification) and item.number and not item.batch and not item.attempt:
        return "it stands for the products that were found for it: name those, or order anew"
    return None


def _of_status(work: UnitOfWork, order_id: str, status: Status) -> Iterable[OrderItem]:
    after = 0
    while page := work.items.of_status(order_id, status, after=after, limit=_PAGE):
        yield from page
        after = page[-1].number
