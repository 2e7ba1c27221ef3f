"""The operators' board as HTML and as lines of text: what a page without a kernel, and a terminal, show.

The same words as the live board in the browser, drawn from the same `oseo_lab.model.desk`. Everything is
escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape

from oseo_lab.encoding.html import ago, card, facts, size, table, when
from oseo_lab.encoding.json_values import plain_values
from oseo_lab.encoding.order_html import order_html, order_text
from oseo_lab.model.desk import Board, CollectionState, Look, StuckItem, WaitingOrder
from oseo_lab.model.names import short_id
from oseo_lab.model.options import ParameterData
from oseo_lab.model.plain import plain_line

__all__ = ["board_html", "board_text", "look_html", "look_text"]

_OK, _WARNING = "✔", "⚠"
#: Most characters of options.
_MOST = 2000


def board_html(board: Board) -> str:
    """Return the board as it stood."""
    parts = [
        f"<div>{escape(_counts(board))}</div>",
        table(("", "owner", "items", "ordered from", "since", "id"), map(_waiting, board.waiting))
        if board.waiting
        else "",
        table(
            ("", "item", "status", "heard last", "what was said", "id"),
            (_stuck(e, board) for e in board.stuck),
        )
        if board.stuck
        else "",
        *(f"<div>{escape(line)}</div>" for line in _lines(board)),
    ]
    return card(_title(board), "".join(parts), f"as of {when(board.as_of)}")


def board_text(board: Board) -> str:
    """Return the board as lines of text, for terminals."""
    lines = (
        _title(board),
        _counts(board),
        *("  " + " · ".join(str(each) for each in _waiting(order) if each) for order in board.waiting),
        *("  " + " · ".join(str(each) for each in _stuck(item, board) if each) for item in board.stuck),
        *_lines(board),
        f"as of {when(board.as_of)}",
    )
    return "\n".join(map(plain_line, lines))


def look_html(look: Look) -> str:
    """Return an order as operators see it: its card, and what was asked."""
    return order_html(look.view) + card("what was asked", facts(_asked(look)))


def look_text(look: Look) -> str:
    """Return an order as operators see it as lines of text."""
    return "\n".join((order_text(look.view), *(plain_line(f"{name}: {said}") for name, said in _asked(look))))


def _asked(look: Look) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of an order before it is decided of, by name."""
    asked = look.asked
    yield "owner", look.view.summary.owner
    yield "ordered from", ", ".join(look.view.summary.collections)
    if asked.order_remark:
        yield "remark", asked.order_remark
    yield "options", _chosen(asked.options) or "the collection's defaults"
    own = {each.item_id: _chosen(each.options) for each in asked.items}
    for name, said in own.items():
        if said:
            yield f"options of {name}", said
    limits = look.view.limits
    if limits.max_price is not None:
        yield "costs at most", f"{limits.max_price:g}"
    if limits.max_bytes is not None:
        yield "delivers at most", size(limits.max_bytes)
    if (approval := look.approval) is not None and approval.operator is not None:
        why = f": {approval.reason}" if approval.reason else ""
        yield "decided", f"{approval.decided} by {approval.operator}, {when(approval.at)}{why}"


def _chosen(options: Iterable[ParameterData]) -> str:
    found = [plain_values(each.values) for each in options]
    plain = [each for one in found for each in (one if isinstance(one, list) else [one])]
    said = [
        f"{name}={json.dumps(value, ensure_ascii=False)}" for each in plain for name, value in each.items()
    ]
    return ", ".join(said)[:_MOST]


def _title(board: Board) -> str:
    return f"operators · {board.title}"


def _counts(board: Board) -> str:
    return f"waiting for approval {board.waiting_count} · stuck > 30 min {board.stuck_count}"


def _lines(board: Board) -> Iterator[str]:
    """Yield what there is to say below the lists."""
    yield " · ".join(_health(board))
    if board.quotations_waiting:
        yield f"quotations that wait for an answer {board.quotations_waiting}"
    announcement = "none" if board.announcement is None else board.announcement.sentence
    yield f"announcement to users: {announcement}"
    yield "collections: " + ("  ".join(map(_state, board.collections)) or "none")


def _health(board: Board) -> Iterator[str]:
    queue, workers = board.queue, board.workers
    yield f"queue {queue.items} {'item' if queue.items == 1 else 'items'}"
    if queue.oldest is not None:
        yield f"oldest {_since(queue.oldest, board)}"
    yield f"workers {workers.busy}/{workers.total}" if workers.total else f"workers busy {workers.busy}"
    if board.disk_free is not None:
        yield f"disk {100 * (1 - board.disk_free):.0f} % full"
    kinds = ", ".join(f"{count} {kind}" for kind, count in board.failures.items())
    yield f"failures today {sum(board.failures.values())}" + (f" ({kinds})" if kinds else "")


def _since(moment: datetime | None, board: Board) -> str:
    return "" if moment is None else ago(max(0.0, (board.as_of - moment).total_seconds()))


def _state(state: CollectionState) -> str:
    if state.is_ok:
        return f"{state.collection_id} {_OK}"
    return f"{state.collection_id} {_WARNING} {(state.reason or 'failing')[:80]}"


def _waiting(order: WaitingOrder) -> tuple[object, ...]:
    """Return a waiting order as a row: name, owner, items, what from, since when, id."""
    items = f"{order.items} {'item' if order.items == 1 else 'items'}"
    from_ = ", ".join(order.collections)
    return order.name, order.owner, items, from_, when(order.since), short_id(order.order_id)


def _stuck(item: StuckItem, board: Board) -> tuple[object, ...]:
    """Return a stuck item as a row: order, item, status, silence, what was said, id of its order."""
    silence = f"{_since(item.since, board)} ago"
    return item.name, item.item_id, item.status, silence, item.info or "", short_id(item.order_id)
