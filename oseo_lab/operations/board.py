"""The operators' board, and orders as operators see them; for operators only.

Beside the standard. The board is read from one snapshot in bounded work, whatever the store holds: from
indexes, from counts kept on orders, and from what the dispatcher of this process heard last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from oseo_lab.model.desk import (
    SHOWN,
    SILENCE,
    Board,
    CollectionState,
    Look,
    StuckItem,
    Workers,
)
from oseo_lab.model.errors import NotAuthorized, NotFound
from oseo_lab.model.names import name_of
from oseo_lab.model.order import Order, OrderItem, order_uuid
from oseo_lab.model.status import Status
from oseo_lab.operations.context import Context
from oseo_lab.operations.reading import Reading
from oseo_lab.operations.view import view_of
from oseo_lab.ports import Held, UnitOfWork

__all__ = ["anybodys_order", "board", "check_operator", "look", "silent_in_work"]

#: Most orders and items of each kind that are counted or looked at for one board.
MOST = 10_000
#: Most items somebody holds that are looked at: there are as many as dispatchers may hold.
MOST_HELD = 5000


def board(context: Context) -> Board:
    """Return the board as it stands.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    """
    check_operator(context, "see the order desk")
    now = context.now()
    with context.store.read() as snapshot:
        desk = snapshot.desk
        held = desk.in_work(MOST_HELD)
        silent = _silent(held, now, context)
        waiting = desk.waiting(SHOWN)
        failing = desk.failing()
        states = [
            CollectionState(
                collection_id=each.id,
                provider=each.provider,
                is_ok=each.id not in failing,
                reason=failing[each.id][0] if each.id in failing else None,
                at=failing[each.id][1] if each.id in failing else None,
            )
            for each in context.collections.values()
        ]
        return Board(
            title=context.service.title,
            as_of=now,
            waiting=tuple(waiting),
            waiting_count=len(waiting) if len(waiting) < SHOWN else desk.count_waiting(MOST),
            stuck=_stuck(snapshot, silent),
            stuck_count=len(silent),
            queue=desk.queue(MOST * 10),
            workers=Workers(
                busy=sum(each.status is Status.IN_PRODUCTION for each in held), total=context.workers
            ),
            disk_free=context.disk(),
            failures=desk.failures(now.date()),
            collections=tuple(sorted(states, key=lambda each: (each.is_ok, each.collection_id))),
            quotations_waiting=desk.quotations_waiting(MOST),
            announcement=desk.announcement(now),
        )


def silent_in_work(snapshot: UnitOfWork, order_id: str, context: Context) -> list[int]:
    """Return the numbers of an order's items that are stuck."""
    held = [each for each in snapshot.desk.in_work(MOST_HELD) if each.order_id == order_id]
    return [number for _, number in _silent(held, context.now(), context)]


def _silent(held: Iterable[Held], now: datetime, context: Context) -> dict[tuple[str, int], datetime]:
    """Return since when nothing was heard of items in work, where that is too long; the longest first."""
    found = {}
    for each in held:
        key = each.order_id, each.number
        heard = context.heard(*key)
        told = each.updated if each.status is Status.IN_PRODUCTION else None  # else: it was in a queue
        since = max((at for at in (heard, told) if at is not None), default=None)
        if since is not None and now - since > SILENCE:
            found[key] = since
    return dict(sorted(found.items(), key=lambda each: each[1]))


def _stuck(snapshot: UnitOfWork, silent: dict[tuple[str, int], datetime]) -> tuple[StuckItem, ...]:
    shown = dict(list(silent.items())[:SHOWN])
    items = {each.key: each for each in snapshot.desk.items(shown)}
    orders = snapshot.orders.get_many({order_id for order_id, _ in items})
    return tuple(
        _stuck_item(items[key], orders[key[0]], since) for key, since in shown.items() if key in items
    )


def _stuck_item(item: OrderItem, order: Order, since: datetime) -> StuckItem:
    return StuckItem(
        order_id=order.order_id,
        owner=order.owner,
        name=name_of(order),
        number=item.number,
        item_id=item.specification.item_id,
        collection_id=item.collection_id,
        status=item.status.status,
        attempt=item.attempt,
        since=since,
        info=item.status.additional,
    )


def look(order_id: str, context: Context) -> Look:
    """Return anybody's order as operators see it: what was asked, where it stands; no files, no addresses.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    NotFound
        If there is no such order.
    """
    check_operator(context, "look at orders of others")
    with context.store.read() as snapshot:
        order = anybodys_order(snapshot, order_id)
        view = view_of(snapshot, Reading(order=order), context)
        items = snapshot.items.of(order.order_id, limit=SHOWN)
    asked = replace(
        order.specification,
        items=tuple(replace(each.specification, payment=None) for each in items),
        delivery_information=None,
        invoice_address=None,
    )
    rows = tuple(replace(each, href=None, name=None) for each in view.rows)
    return Look(
        view=replace(view, rows=rows, actions=(), package_href=None), asked=asked, approval=order.approval
    )


def check_operator(context: Context, what: str) -> None:
    """Raise NotAuthorized for who is no operator, NotAuthenticated for who is nobody in particular."""
    who = context.caller  # nobody in particular is asked who they are
    if not context.is_operator:
        raise NotAuthorized(
            f"only operators {what}, which {who!r} is not; the setting `operators` names them"
        )


def anybodys_order(work: UnitOfWork, order_id: str) -> Order:
    """Return anybody's order."""
    order = work.orders.get(order_id) if order_uuid(order_id) else None
    if order is None:
        raise NotFound(f"there is no order {order_id[:100]!r}", locator="orderId")
    return order
