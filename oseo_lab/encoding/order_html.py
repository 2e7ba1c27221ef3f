"""One order and tables of orders as HTML that tells the story without a kernel or a server.

What a saved notebook, an exported page and a shared link show: the same words as the live card
(``widgets/labextension/static/card.js``), drawn from the same `oseo_lab.model.view`. Everything is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from html import escape
from urllib.parse import urlsplit

from oseo_lab.encoding.html import ROWS, bar, card, colour, mark, size, when
from oseo_lab.model import archive
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.names import short_id
from oseo_lab.model.plain import plain_line
from oseo_lab.model.status import DELIVERED, Status, Wanted
from oseo_lab.model.view import FailureGroup, ItemRow, LogLine, OrderSummary, OrderView

__all__ = ["in_words", "month_text", "order_html", "order_text", "orders_html", "status_words"]

_FAILED = (Status.FAILED, Status.TERMINATED)

_LINE = "padding:.25em .7em;margin:.2em 0;border-left:3px solid {};background:rgba(128,128,128,.12)"
_SHADE = "background:rgba(128,128,128,.25)"


def order_html(view: OrderView) -> str:
    """Return the card of an order as it stood: status, counts, bar, rows, failures, history."""
    summary = view.summary
    parts = [
        f"<div>{_chip(summary)} {escape(in_words(summary.counts))}{_ready(view)}</div>",
        bar(summary.counts, _running(view)),
        f"<div>{escape(summary.info)}</div>" if summary.info and not view.failures else "",
        _rows(view),
        "".join(_failure(each) for each in view.failures[:ROWS]),
        f'<div class="quiet">{escape(" · ".join(_facts(view)))}</div>',
        _log(view),
    ]
    title = f"{summary.name} · {short_id(summary.order_id)}"
    return card(title, "".join(parts), f"as of {when(view.as_of)}")


def orders_html(summaries: Iterable[OrderSummary], total: int | None = None) -> str:
    """Return a table of orders, of at most `ROWS` rows; ``total`` says how many there are altogether."""
    listed = list(summaries)
    count = len(listed) if total is None else total
    names = ("order", "status", "items", "size", "ordered", "kept until")
    head = "".join(f'<th scope="col">{each}</th>' for each in names)
    lines = "".join(_order_line(each) for each in listed[:ROWS])
    beyond = count - min(len(listed), ROWS)
    more = f'<div class="quiet">and {beyond} more</div>' if beyond > 0 else ""
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>{more}" if listed else ""
    return card(_counted(count, "order") if listed else "no orders", body)


def order_text(view: OrderView) -> str:
    """Return the card of an order as lines of text, for terminals."""
    summary = view.summary
    lines = [
        f"{summary.name} · {short_id(summary.order_id)} · {mark(summary.status)} {status_words(summary)}",
        in_words(summary.counts) + _ready_words(view),
    ]
    lines += [f"  {mark(each.status)} {each.item_id}  {_progress(each)}".rstrip() for each in view.rows[:10]]
    lines += [f"  {_counted(each.count, 'item')}: {each.reason}" for each in view.failures]
    lines.append(" · ".join([*_facts(view), f"as of {when(view.as_of)}"]))
    return "\n".join(map(plain_line, lines))


def status_words(summary: OrderSummary) -> str:
    """Return an order's status; Completed without some is "partly", a Suspended subscription mostly waits."""
    counts = summary.counts
    missing = sum(counts.get(each, 0) for each in (*_FAILED, Status.CANCELLED))
    partly = summary.status in DELIVERED and missing and any(counts.get(each) for each in DELIVERED)
    is_standing = summary.order_type is OrderType.SUBSCRIPTION_ORDER and summary.wanted is Wanted.COMPLETED
    if is_standing and summary.status is Status.SUSPENDED:
        return f"{summary.status}, waiting for products"
    return f"{summary.status}, partly" if partly else str(summary.status)


def in_words(counts: Mapping[Status, int]) -> str:
    """Return counts by status as a sentence: what is delivered first."""
    total = sum(counts.values())
    if not total:
        return "no products yet"
    said = [f"{sum(counts.get(each, 0) for each in DELIVERED)} of {total} delivered"]
    rest = (
        ("failed", _FAILED),
        ("running", (Status.IN_PRODUCTION,)),
        ("waiting", (Status.SUBMITTED, Status.ACCEPTED)),
        ("suspended", (Status.SUSPENDED,)),
        ("cancelled", (Status.CANCELLED,)),
    )
    for word, statuses in rest:
        if count := sum(counts.get(each, 0) for each in statuses):
            said.append(f"{count} {word}")
    return " · ".join(said)


def _chip(summary: OrderSummary) -> str:
    status = summary.status
    shape = f'<span style="color:{colour(status)}" aria-hidden="true">{mark(status)}</span>'
    return f"{shape} <b>{escape(status_words(summary))}</b>"


def _running(view: OrderView) -> float:
    return sum(each.fraction for each in view.rows if each.status is Status.IN_PRODUCTION)


def _ready(view: OrderView) -> str:
    return f'<span class="quiet">{escape(_ready_words(view))}</span>'


def _ready_words(view: OrderView) -> str:
    """Return when everything was likely to be ready, and from when to when that may be."""
    if view.remaining is None or view.summary.status.is_final:
        return ""
    low, typical, high = (
        f"{view.as_of + timedelta(seconds=each):%H:%M}"
        for each in (view.remaining.low, view.remaining.typical, view.remaining.high)
    )
    return f" · ready ≈ {typical} UTC" + (f" ({low} to {high})" if low != high else "")


def _rows(view: OrderView) -> str:
    if not view.rows:
        return ""
    head = "".join(f'<th scope="col">{each}</th>' for each in ("status", "item", "", "result"))
    lines = "".join(_row(each) for each in view.rows[:ROWS])
    beyond = sum(view.summary.counts.values()) - min(len(view.rows), ROWS)
    more = f'<div class="quiet">and {beyond} more</div>' if beyond > 0 else ""
    return (
        f'<div class="rows"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>{more}'
    )


def _row(row: ItemRow) -> str:
    shape = f'<span style="color:{colour(row.status)}" aria-hidden="true">{mark(row.status)}</span>'
    cells = (f"{shape} {escape(row.status)}", escape(row.item_id), escape(_progress(row)), _result(row))
    return "<tr>" + "".join(f"<td>{each}</td>" for each in cells) + "</tr>"


def _progress(row: ItemRow) -> str:
    """Return how far an item is, or what is said of it."""
    if archive.waits(row.info) and row.retry_at is not None:
        return row.info or ""
    if row.retry_at is not None:
        return f"tried again at {when(row.retry_at)}" + (f": {row.info}" if row.info else "")
    if row.provider is not None and not row.status.is_final:
        is_made = row.status is Status.IN_PRODUCTION
        who = f"{row.provider} works on it" if is_made else f"waits for {row.provider}"
        since = f" since {when(row.since)}" if row.since else ""
        return f"{who}{since}" + (f": {row.info}" if row.info else "")
    if row.status is Status.IN_PRODUCTION:
        passed = "".join(f"{each} ✔ " for each in row.passed[-5:])
        ahead = "".join(f" → {each}" for each in row.ahead)
        return f"{passed}{row.stage or 'starting'} {row.fraction:.0%}{ahead}"
    return row.info or ""


def _result(row: ItemRow) -> str:
    """Return size and name of what was delivered; a link where it lies on the web."""
    said = " ".join(each for each in (size(row.size) if row.size else "", row.name or "") if each)
    if row.href and _is_web(row.href):
        href = escape(row.href, quote=True)
        return f'<a href="{href}" rel="noopener">{escape(said or "open")}</a>'
    return escape(said)


def _is_web(href: str) -> bool:
    try:
        return urlsplit(href).scheme in ("http", "https")
    except ValueError:  # such as half an IPv6 host
        return False


def _failure(group: FailureGroup) -> str:
    shape = "↻" if group.can_retry else "✖"
    ids = ", ".join(group.item_ids[:3]) + (f" and {group.count - 3} more" if group.count > 3 else "")
    words = f"{shape} <b>{_counted(group.count, 'item')}</b> <bdi>{escape(group.reason)}</bdi>"
    return (
        f'<div style="{_LINE.format(colour(Status.FAILED))}">{words} '
        f'<span class="quiet">{escape(ids)}</span></div>'
    )


def _facts(view: OrderView) -> list[str]:
    summary = view.summary
    found = [size(summary.size)] if summary.size else []
    found += [f"{each.value:g} {each.currency}" for each in view.cost]
    if month := month_text(view):
        found.append(month)
    if summary.expires is not None:
        found.append(f"kept until {summary.expires:%Y-%m-%d}")
    if summary.created is not None:
        found.append(f"ordered {when(summary.created)}")
    found.append(f"lab.orders[{summary.name!r}]")
    return found


def month_text(view: OrderView) -> str:
    """Return how many products joined a subscription this month, of how many may; nothing where any may."""
    most = view.limits.max_items_per_month
    if most is None:
        return ""
    if view.joined is None:
        return f"at most {most} a month"
    return f"this month {view.joined} of {most}" + (
        "; further ones wait for the next" if view.joined >= most else ""
    )


def _log(view: OrderView) -> str:
    if not view.log:
        return ""
    lines = "".join(f"<div>{escape(_log_line(each))}</div>" for each in view.log[:ROWS])
    length = _counted(view.log_length or len(view.log), "line")
    return f'<details class="quiet"><summary>history ({length})</summary>{lines}</details>'


def _log_line(line: LogLine) -> str:
    why = f": {line.info}" if line.info else ""
    return f"{when(line.at)}  {mark(line.status)} {line.status}  {line.item_id or 'order'}{why}"


def _order_line(summary: OrderSummary) -> str:
    counts = summary.counts
    done, total = sum(counts.get(each, 0) for each in DELIVERED), sum(counts.values())
    width = 100 * done / total if total else 0
    part = f'<span style="display:block;height:6px;width:{width:.0f}%;background:{colour(Status.COMPLETED)}">'
    drawn = f'<span aria-hidden="true" style="display:inline-block;width:5em;{_SHADE}">{part}</span></span>'
    cells = (
        f"<b>{escape(summary.name)}</b> <span class=quiet>{escape(short_id(summary.order_id))}</span>",
        _chip(summary),
        f"{drawn} {done}/{total}",
        size(summary.size) if summary.size else "",
        when(summary.created),
        f"{summary.expires:%Y-%m-%d}" if summary.expires else "",
    )
    return "<tr>" + "".join(f"<td>{each}</td>" for each in cells) + "</tr>"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
