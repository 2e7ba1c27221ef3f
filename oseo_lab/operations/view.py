"""The view of an order: all that a card shows, read from one snapshot in bounded work.

However many items an order has, counts come from its row and at most `ROWS` items are read, those that matter
most; how far running ones are is what workers said last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.job import FailureClass, Progress, can_retry, job_key
from oseo_lab.model.limits import kept_limits, month_of
from oseo_lab.model.order import LOCAL, Order, OrderItem, ResultFile, StatusChange
from oseo_lab.model.status import DELIVERED, Status, Wanted
from oseo_lab.model.view import (
    LOG_LINES,
    ROWS,
    Action,
    FailureGroup,
    ItemRow,
    LogLine,
    OrderView,
)
from oseo_lab.operations.context import Context
from oseo_lab.operations.outlook import remaining
from oseo_lab.operations.reading import Reading, file_url, reading_of
from oseo_lab.ports import UnitOfWork

__all__ = ["order_view", "view_of"]


def order_view(order_id: str, context: Context) -> OrderView:
    """Return an order as a card shows it.

    Raises
    ------
    NotFound
        If it is unknown, or neither the caller's nor shared with the caller.
    """
    with context.store.read() as snapshot:
        return view_of(snapshot, reading_of(snapshot, order_id, context.caller, context.now()), context)


def view_of(snapshot: UnitOfWork, reading: Reading, context: Context) -> OrderView:
    """Return the view of an order that may be read."""
    order, now = reading.order, context.now()
    summary = snapshot.views.summary(order)
    waiting = FailureClass.WAITING.value  # for an archive: nothing has failed
    failures = [each for each in snapshot.views.failures(order.order_id) if each.failure != waiting]
    items = _items(snapshot, order, summary.counts)
    heard = context.progress(order.order_id)
    rows = _rows(snapshot, items, reading, context, heard)
    running = [row.fraction for row in rows if row.status is Status.IN_PRODUCTION and row.retry_at is None]
    lines = snapshot.views.lines(order.order_id, LOG_LINES)
    return OrderView(
        summary=summary,
        revision=order.revision,
        as_of=now,
        rows=rows,
        failures=tuple(failures),
        remaining=remaining(snapshot, order, summary.counts, items, running, context),
        log=_log(snapshot, order, items, lines),
        log_length=max(snapshot.views.count_lines(order.order_id), len(lines)),
        actions=_actions(order, failures) if reading.is_own else (),
        limits=kept_limits(order.specification),
        cost=tuple(snapshot.views.cost(order.order_id)) if reading.is_own else (),
        joined=_joined(snapshot, order, now),
        batches=snapshot.views.last_batch(order.order_id),
        workers=context.workers,
        package_href=_package(snapshot, reading, context),
        dashboard=context.dashboard() if context.is_operator else None,
    )


def _joined(snapshot: UnitOfWork, order: Order, now: datetime) -> int | None:
    """Return how many products joined an order this month, where that is limited."""
    if kept_limits(order.specification).max_items_per_month is None:
        return None
    return snapshot.matches.count_since(order.order_id, month_of(now))


# ---------------------------------------------------------------------------------------------- the items


def _items(snapshot: UnitOfWork, order: Order, counts: Mapping[Status, int]) -> list[OrderItem]:
    """Return the products that matter most, at most `ROWS`: of each kind some, then by urgency."""

    def latest(*statuses: Status, newest: bool = True) -> list[OrderItem]:
        found = [
            item
            for status in statuses
            if counts.get(status)
            for item in snapshot.views.latest(order, status, ROWS, newest=newest)
        ]
        return sorted(found, key=_changed, reverse=newest)

    retried = snapshot.views.retried(order.order_id, ROWS)
    waiting = {each.number for each in retried}
    kinds: list[tuple[int, Sequence[OrderItem]]] = [
        (15, latest(Status.FAILED, Status.TERMINATED)),
        (15, [each for each in latest(Status.IN_PRODUCTION) if each.number not in waiting]),
        (5, retried),
        (5, [e for e in latest(Status.ACCEPTED, newest=False) if e.number not in waiting]),
        (5, latest(Status.SUSPENDED, Status.SUBMITTED, newest=False)),
        (5, latest(*DELIVERED)),
        (0, latest(Status.CANCELLED)),
    ]
    room = ROWS - sum(min(least, len(found)) for least, found in kinds)
    chosen: list[OrderItem] = []
    for least, found in kinds:
        more = min(max(0, len(found) - least), room)
        room -= more
        chosen += found[: least + more]
    return chosen


def _changed(item: OrderItem) -> tuple[float, int]:
    return item.updated.timestamp() if item.updated else 0.0, item.number


def _rows(
    snapshot: UnitOfWork,
    items: Sequence[OrderItem],
    reading: Reading,
    context: Context,
    heard: Mapping[int, Progress],
) -> tuple[ItemRow, ...]:
    failed = [each for each in items if each.status.status is Status.FAILED or each.retry_at is not None]
    classes = snapshot.views.failure_classes(failed)
    delivered = [each.number for each in items if each.status.status in DELIVERED]
    files = snapshot.views.files(reading.order.order_id, delivered)
    now = context.now()

    def href(file: ResultFile) -> str | None:
        packed = reading.order.specification.packaging is not None
        return None if packed or file.is_gone(now) else file_url(file, reading, context)

    return tuple(
        _row(item, heard.get(item.number), classes.get(item.number), files.get(item.number, ()), href)
        for item in items
    )


def _row(
    item: OrderItem,
    heard: Progress | None,
    failure: str | None,
    files: Sequence[ResultFile],
    href: Callable[[ResultFile], str | None],
) -> ItemRow:
    status = item.status.status
    is_running = status is Status.IN_PRODUCTION and item.retry_at is None
    if heard is None or not is_running or heard.key != job_key(item.order_id, item.number, item.attempt):
        heard = None
    return ItemRow(
        number=item.number,
        item_id=item.specification.item_id,
        identifier=_identifier(item),
        status=status,
        info=item.status.additional,
        stage=heard.stage if heard else None,
        fraction=1.0 if status in DELIVERED else heard.fraction if heard else 0.0,
        passed=heard.passed if heard else (),
        ahead=heard.ahead if heard else (),
        provider=None if item.provider == LOCAL else item.provider,
        since=item.updated,
        attempt=item.attempt,
        retry_at=item.retry_at if status in (Status.ACCEPTED, Status.IN_PRODUCTION) else None,
        failure=failure,
        can_retry=status is Status.FAILED and can_retry(failure) and item.provider == LOCAL,
        size=sum(each.size for each in files),
        href=href(files[0]) if files else None,
        name=files[0].name if files else None,
    )


def _identifier(item: OrderItem) -> str:
    identifier = item.product or item.specification.identifier
    if isinstance(identifier, ProductId):
        return identifier.identifier
    return identifier.collection_id if isinstance(identifier, SubscriptionId) else identifier.id


def _package(snapshot: UnitOfWork, reading: Reading, context: Context) -> str | None:
    """Return where the package of the whole order lies."""
    order_id = reading.order.order_id
    if reading.order.specification.packaging is None:
        return None
    files = snapshot.views.files(order_id, [0]).get(0, ())
    now = context.now()
    kept = [each for each in files if not each.is_gone(now)]
    return file_url(kept[0], reading, context) if kept else None


# ------------------------------------------------------------------------------------------ around them


def _log(
    snapshot: UnitOfWork, order: Order, items: Iterable[OrderItem], lines: Sequence[StatusChange]
) -> tuple[LogLine, ...]:
    """Return the newest lines; items are called as their user calls them."""
    names = {each.number: each.specification.item_id for each in items}
    for number in {each.number for each in lines} - names.keys() - {0}:
        item = snapshot.items.get(order.order_id, number)
        names[number] = item.specification.item_id if item else str(number)
    return tuple(
        LogLine(
            at=each.at,
            status=each.status,
            author=each.author,
            item_id=names[each.number] if each.number else None,
            info=each.info,
        )
        for each in lines
    )


def _actions(order: Order, failures: Iterable[FailureGroup]) -> tuple[Action, ...]:
    """Return what its owner may do with an order as it stands."""
    is_open, wanted = not order.status.status.is_final, order.wanted
    allowed = {
        Action.CANCEL: is_open and wanted is not Wanted.CANCELLED,
        Action.PAUSE: is_open and wanted is Wanted.COMPLETED and not _is_passed_on(order),
        Action.RESUME: is_open and wanted is Wanted.SUSPENDED,
        Action.RETRY: any(each.can_retry for each in failures)
        and not (is_open and wanted is Wanted.CANCELLED),
        Action.SHARE: True,
    }
    return tuple(action for action, is_allowed in allowed.items() if is_allowed)


def _is_passed_on(order: Order) -> bool:
    """Whether all of an order is in the hands of others, who cannot be asked to pause."""
    parts = order.provider_orders
    return bool(parts) and all(each.provider != LOCAL and each.tracking_id is not None for each in parts)
