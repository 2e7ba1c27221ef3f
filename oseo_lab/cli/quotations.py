"""``oseo-lab quotations``: what orders would cost; operators answer those that a person gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from oseo_lab.cli.output import AsJson, Token, Url, connected, pairs, print_json, print_table, say, usage
from oseo_lab.model.identifiers import ItemIdentifier, ProductId, SubscriptionId

__all__ = ["app"]

app = typer.Typer(help="What orders would cost.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Id of the quotation.")]


@app.command("list")
def list_quotations(
    waiting: Annotated[
        bool, typer.Option(help="For operators: those that wait for a person's answer, oldest first.")
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List your quotations, newest first."""
    with connected(url, token) as lab:
        found = lab.quotations.records(waiting=waiting)
    if as_json:
        print_json(found)
        return
    rows = []
    for each in found:
        quotation = each.quotation
        price = quotation.price if quotation is not None else None
        said = f"{price.value:,.2f} {price.currency}" if price is not None else ""
        until = quotation.validity_time if quotation is not None else None
        state = "ordered" if each.order_id else str(each.state)
        rows.append((each.owner, state, said, f"{until:%Y-%m-%d %H:%M}" if until else "", each.quotation_id))
    print_table(("owner", "state", "price", "valid until (UTC)", "id"), rows)


def _uuid(quotation_id: str) -> str:
    try:
        return str(UUID(quotation_id.removeprefix("urn:uuid:")))
    except ValueError:
        raise usage(
            f"{quotation_id[:60]!r} is no quotation's id; `oseo-lab quotations list` shows them"
        ) from None


def _wanted(identifier: ItemIdentifier) -> str:
    """Return what an item asks for: a product, coming ones of a collection, or an acquisition."""
    if isinstance(identifier, ProductId):
        return identifier.identifier
    return identifier.collection_id if isinstance(identifier, SubscriptionId) else identifier.id


@app.command()
def show(quotation: Id, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show one quotation, item by item."""
    from oseo_lab.encoding.json_form import from_plain
    from oseo_lab.model.estimates import in_words
    from oseo_lab.model.quotation import QuotationRecord

    path = f"quotations/{_uuid(quotation)}"
    with connected(url, token) as lab:
        found = lab.transport.ask("GET", path)
    if as_json:
        print_json(found)
        return
    record = from_plain(QuotationRecord, found)
    say(
        f"{record.quotation_id}: {record.state}"
        + (f", ordered as {record.order_id}" if record.order_id else "")
    )
    for text in filter(None, (record.problem, record.partial)):
        say(text)
    if record.quotation is None:
        print_table(
            ("item", ""), [(each.item_id, _wanted(each.identifier)) for each in record.specification.items]
        )
        return
    rows = [
        (
            each.item_id,
            f"{each.price.value:,.2f} {each.price.currency}" if each.price else "in the group's",
            in_words(each.size, each.duration),
            each.price_information or "",
        )
        for group in record.quotation.groups
        for each in group.items
    ]
    print_table(("item", "price", "likely", "how"), rows)
    for group in record.quotation.groups:
        say(f"together {group.price.value:,.2f} {group.price.currency}")


@app.command()
def answer(
    quotation: Id,
    price: Annotated[float | None, typer.Option(min=0, help="Of all items together.")] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code, or a quota unit.")] = "EUR",
    item: Annotated[
        list[str] | None, typer.Option("--item", help="Price of one item, itemId=price; may repeat.")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0, help="Days it holds from now on.")] = 30.0,
    information: Annotated[str | None, typer.Option(help="How the price came about.")] = None,
    contract: Annotated[str | None, typer.Option(help="What else is agreed.")] = None,
    refuse: Annotated[str | None, typer.Option(help="Why there is no quotation.")] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Answer a quotation that waits for a person (for operators)."""
    from oseo_lab.model.quotation import QuotationAnswer

    if refuse is None and price is None and not item:
        raise usage("say --price for all items together, --item itemId=price for each, or --refuse and why")
    if refuse is not None and (price is not None or item):
        raise usage("a refused quotation has no price: leave out --price and --item, or --refuse")
    given = QuotationAnswer(
        currency=currency,
        price=price,
        item_prices={name: _number(value) for name, value in pairs(item or (), "--item").items()},
        validity_time=datetime.now(UTC) + timedelta(days=days) if days else None,
        price_information=information,
        contract_information=contract,
        problem=refuse,
    )
    path = f"quotations/{_uuid(quotation)}/answer"
    with connected(url, token) as lab:
        lab.transport.ask("POST", path, body=given)
    say(f"{quotation} is {'refused' if refuse else 'answered'}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise usage(f"{text[:40]!r} is no price; write a number") from None
