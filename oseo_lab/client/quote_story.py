"""What a quotation says, in the order in which it matters: for its card, live or not.

The card of a notebook (`oseo_lab.widgets.quote`) and the HTML that stays in a saved one say the same, from
the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from oseo_lab.client import display
from oseo_lab.client.prices import Quoted, counted, money, prices
from oseo_lab.model.estimates import in_words
from oseo_lab.model.quotation import ItemPrice

__all__ = ["COLUMNS", "facts", "lead", "rows", "story", "title"]

#: Columns of the items' table; those that nobody fills are left out.
COLUMNS = ("item", "size", "work", "price", "note")


def title(quotation: Quoted) -> str:
    """Return what stands above it."""
    return f"quotation {quotation.id.removeprefix('urn:uuid:')[:8]}"


def lead(quotation: Quoted) -> str:
    """Return the whole in one line: how many items, size, time, price."""
    price = prices(quotation.groups) if quotation.price is None else money(quotation.price)
    likely = in_words(quotation.size, quotation.duration) or "nothing is known of size and time yet"
    return f"{counted(len(quotation.items))} · {price} · {likely}"


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
    if quotation.left_out:
        found.append(("left out", quotation.left_out))
    return found


def rows(quotation: Quoted, known: Mapping[str, str] | None = None) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of the items' table, without columns that are empty.

    ``known`` is what else is to be said of items, by item id.
    """
    shared = {each.price_information for each in quotation.items}
    more = known or {}
    every = [_row(each, len(shared) > 1, more.get(each.item_id, "")) for each in quotation.items]
    kept = [at for at, _ in enumerate(COLUMNS) if any(row[at] for row in every)]
    return [COLUMNS[at] for at in kept], [[row[at] for at in kept] for row in every]


def notes(quotation: Quoted) -> list[str]:
    """Return what is said of all prices alike: how they came about."""
    said = {each.price_information for each in quotation.items}
    return [each for each in said if each] if len(said) == 1 else []


def _row(item: ItemPrice, note: bool, known: str) -> list[str]:
    price = money(item.price) if item.price is not None else "in the group's"
    said = [known, item.price_information if note else "", item.contract_information]
    return [
        item.item_id,
        in_words(item.size, None).removeprefix("about "),
        in_words(None, item.duration).replace(" of work", ""),
        price,
        " · ".join(filter(None, said)),
    ]


def story(quotation: Quoted) -> str:
    """Return a quotation as HTML."""
    if not quotation.is_ready:
        return display.card(title(quotation), "<code>quotation.wait()</code>", "not ready yet")
    head, lines = rows(quotation)
    said = facts(quotation)
    body = f"<div>{escape(lead(quotation))}</div>" + (display.facts(said) if said else "")
    body += display.table(head, lines)
    body += "".join(f'<div class="quiet">{escape(each)}</div>' for each in notes(quotation))
    return display.card(title(quotation), body, quotation.holds())
