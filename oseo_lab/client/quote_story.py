"""What a quotation says, in the order in which it matters: for its card, live or not.

The card of a notebook (`oseo_lab.widgets.quote`) and the HTML that stays in a saved one say the same, from
the same rows.
"""

from __future__ import annotations

from html import escape

from oseo_lab.client import display
from oseo_lab.client.delivered_before import delivered_before, reusable
from oseo_lab.client.found import size_of
from oseo_lab.client.prices import Quoted, counted, money, prices
from oseo_lab.model.archive import about, restore_words
from oseo_lab.model.estimates import in_words
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.quotation import ItemPrice, Price, decimal_of

__all__ = ["COLUMNS", "facts", "lead", "reusing_label", "rows", "story", "title"]

#: Columns of the items' table; those that nobody fills are left out.
COLUMNS = ("item", "input", "output", "work", "price", "note")


def title(quotation: Quoted) -> str:
    """Return what stands above it."""
    return f"quotation {quotation.id.removeprefix('urn:uuid:')[:8]}"


def lead(quotation: Quoted) -> str:
    """Return the whole in one line: how many items, size, time, price."""
    price = prices(quotation.groups) if quotation.price is None else money(quotation.price)
    likely = in_words(quotation.size, quotation.duration) or "nothing is known of size and time yet"
    sizes = [size_of(each) for each in quotation.composed.products.values()]
    whole = sum(each or 0 for each in sizes) if len(sizes) == len(quotation.items) and all(sizes) else 0
    made_from = f" (from {display.size(whole)})" if whole else ""
    restore = quotation.record.restore
    after = "" if restore is None else f", after {about(restore)} for the archive"
    return f"{counted(len(quotation.items))} · {price}{_of_balance(quotation)} · {likely}{made_from}{after}"


def _of_balance(quotation: Quoted) -> str:
    """Return what there is to pay it from: `` of 88.00``; empty where nothing limits it."""
    groups = quotation.groups
    last = groups[-1].balance if groups else None
    if quotation.price is None or last is None or last.currency != quotation.price.currency:
        return ""
    there = decimal_of(last) + sum(decimal_of(each.price) for each in groups)
    return f" of {money(Price(value=float(there), currency='')).rstrip()}"


def reusing_label(quotation: Quoted) -> str:
    """Return what is written on what orders it with what was delivered already; empty where nothing was."""
    count = reusable(quotation)
    return "" if not count or quotation.is_reusing else f"Submit, reusing {count}"


def facts(quotation: Quoted) -> list[tuple[str, str]]:
    """Return what there is to say beside: prices of groups, what is left of the balance, what is left out."""
    found: list[tuple[str, str]] = []
    for group in quotation.groups:
        provider = group.provider.service_name or group.provider.organization
        several = len(quotation.groups) > 1
        leaves = "" if group.balance is None else f", which leaves {money(group.balance)}"
        if several or leaves:
            found.append((f"price ({provider})" if several else "price", money(group.price) + leaves))
        if group.contract_information:
            found.append(("contract", group.contract_information))
    less = quotation.record.price_reusing
    if less is not None and (count := reusable(quotation)):
        found.append((f"reusing {count}", money(less)))
    if quotation.record.needs_approval is not None:
        needed = "needed: an operator looks at the order before it begins"
        found.append(("moderation", needed if quotation.record.needs_approval else "not needed"))
    if quotation.left_out:
        found.append(("left out", quotation.left_out))
    return found


def rows(quotation: Quoted) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of the items' table, without columns that are empty."""
    shared = {each.price_information for each in quotation.items}
    known, products = delivered_before(quotation), quotation.composed.products
    every = [
        _row(each, len(shared) > 1, known.get(each.item_id, ""), products.get(each.item_id))
        for each in quotation.items
    ]
    kept = [at for at, _ in enumerate(COLUMNS) if any(row[at] for row in every)]
    return [COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in every]


def notes(quotation: Quoted) -> list[str]:
    """Return what is said of all prices alike: how they came about."""
    said = {each.price_information for each in quotation.items}
    return [each for each in said if each] if len(said) == 1 else []


def _row(item: ItemPrice, note: bool, known: str, product: CatalogueItem | None) -> list[str]:
    price = money(item.price) if item.price is not None else "in the group's"
    offline = ""
    if item.restore is not None:
        offline = restore_words(item.restore)
    elif product is not None and product.offline is not None and not _is_taken(item):
        offline = restore_words(product.offline.usually)
    said = [known, offline, item.price_information if note else "", item.contract_information]
    size = None if product is None else size_of(product)
    return [
        item.item_id,
        display.size(size) if size else "",
        in_words(item.size, None).removeprefix("about "),
        in_words(None, item.duration).replace(" of work", ""),
        price,
        " · ".join(filter(None, said)),
    ]


def _is_taken(item: ItemPrice) -> bool:
    """Whether it is delivered from a result: nothing need be restored for that."""
    return item.reuse is not None and item.reuse.is_taken


def story(quotation: Quoted) -> str:
    """Return a quotation as HTML."""
    if not quotation.is_ready:
        return display.card(title(quotation), "<code>quotation.wait()</code>", "not ready yet")
    head, lines = rows(quotation)
    said = facts(quotation)
    body = f"<div>{escape(lead(quotation))}</div>" + (display.facts(said) if said else "")
    body += display.table(head, lines)
    body += "".join(f'<div class="quiet">{escape(each)}</div>' for each in notes(quotation))
    body += _what_to_do(quotation)
    return display.card(title(quotation), body, quotation.holds())


def _what_to_do(quotation: Quoted) -> str:
    """Return what would be cheaper, as far as it was asked, and the statements that order it."""
    if quotation.is_lapsed:
        return ""
    body = "".join(f"<div>less: {escape(each.text)}</div>" for each in quotation.hints)
    said = ["<code>quote.submit()</code>"]
    if label := reusing_label(quotation):
        said.append(f"<code>quote.submit(reuse=True)</code> ({escape(label.partition(', ')[2])})")
    return body + f'<div class="quiet">{" · ".join(said)}</div>'
