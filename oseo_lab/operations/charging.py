"""What an order draws from its owner's balance, in the transaction that saves it; and ordering by quotation.

An order by quotation draws what was quoted. One by specification draws what the quoters say now, if its owner
has a balance at all; then what takes its time to be quoted has to be ordered by quotation. What failed or was
cancelled is given back by `oseo_lab.dispatch.accounting`. Standing orders (subscriptions, massive ones) draw
nothing here: each product that comes of them draws what was quoted for one, when it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from oseo_lab.model.errors import Conflict, Unavailable, ValidationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.limits import kept_limits, over_price
from oseo_lab.model.order import Order, OrderItem, OrderSpecification
from oseo_lab.model.quotation import (
    Charge,
    ItemGroupPrice,
    QuotationMode,
    QuotationRecord,
    QuotationState,
    anew_prices,
    new_quotation_id,
    price_of,
    shares,
)
from oseo_lab.model.subscription import is_massive, stems_from
from oseo_lab.operations.context import Context
from oseo_lab.operations.get_quotation import mode_of, quotation_of
from oseo_lab.ports import ProcessingFailed, UnitOfWork

__all__ = ["charges_of", "draw_again", "orderable", "save_ordered"]


def orderable(quotation_id: str, context: Context) -> tuple[OrderSpecification, QuotationRecord]:
    """Return what was quoted, to be ordered as it was quoted, and its record.

    Items that could not be quoted are left out: the quotation said so.

    Raises
    ------
    ValidationError
        If it is unknown, not made yet, failed, lapsed or ordered already; locator ``quotationId``.
    """
    with context.store.read() as snapshot:
        record = quotation_of(snapshot.quotations.get(quotation_id, context.caller))
    wrong = _obstacle(record, context)
    if wrong is not None:
        raise ValidationError(wrong, locator="quotationId")
    assert record.quotation is not None
    quoted = {each.item_id for group in record.quotation.groups for each in group.items}
    items = tuple(each for each in record.specification.items if each.item_id in quoted)
    return replace(record.specification, items=items), record


def _obstacle(record: QuotationRecord, context: Context) -> str | None:
    """Say why a quotation cannot be ordered, and what to do then."""
    anew = "send GetQuotation with the same orderSpecification for a new one"
    if record.order_id is not None:
        return f"this quotation was ordered already, as {record.order_id}; {anew}"
    if record.state is QuotationState.FAILED:
        return f"this quotation could not be made: {record.problem}; {anew}"
    if record.quotation is None or record.state is not QuotationState.READY:
        return "this quotation is not ready yet; ask for it with GetQuotation and its quotationId"
    until = record.quotation.validity_time
    if until is not None and until < context.now():
        return f"this quotation lapsed on {until:%Y-%m-%d %H:%M:%S} UTC; {anew}"
    return None


def save_ordered(work: UnitOfWork, record: QuotationRecord, order_id: str) -> None:
    """Note in the order's transaction what the quotation has become: it is ordered once.

    Raises
    ------
    Conflict
        If somebody was first.
    """
    if not work.quotations.save(record, replace(record, order_id=order_id)):
        raise Conflict(
            "this quotation has just been ordered; GetStatus lists your orders", locator="quotationId"
        )


def charges_of(order: Order, quoted: QuotationRecord | None, context: Context) -> Sequence[Charge]:
    """Return what an order's items draw: what was quoted, or what its quoters say now.

    Raises
    ------
    ValidationError
        If the owner has a balance, or the order a ``max_price``, and what it costs cannot be said now; or if
        it costs more than that.
    """
    charges = _drawn(order, quoted, context)
    costs = [(each.currency, each.amount) for each in charges if not each.is_given_back]
    if quoted is not None and _is_standing(order):
        groups = quoted.quotation.groups if quoted.quotation else ()
        each_one = [(amount, each.price.currency) for each in groups for amount in shares(each).values()]
        costs = [(currency, amount) for amount, currency in sorted(each_one)[:1]]  # one must fit at least
    over = over_price(kept_limits(order.specification), (), costs)
    if over is not None:
        raise ValidationError(over, locator="max_price")
    return charges


def _drawn(order: Order, quoted: QuotationRecord | None, context: Context) -> Sequence[Charge]:
    is_standing = _is_standing(order)
    if quoted is not None and quoted.quotation is not None:
        return () if is_standing else _charges(order, quoted.quotation.groups)
    modes = {
        each: mode_of(context.collections[each], context)
        for each in dict.fromkeys(item.collection_id for item in order.items)
    }
    if not any(modes.values()):
        return ()
    has_limit = kept_limits(order.specification).max_price is not None
    with context.store.read() as snapshot:
        has_balance = bool(snapshot.balances.of(order.owner))
    if not (has_limit or has_balance):
        return ()
    slow = [each for each, mode in modes.items() if mode not in (None, QuotationMode.SYNCHRONOUS)]
    if slow or is_standing:
        why = (
            f"what {', '.join(slow)} costs takes its time to say" if slow else "each product to come is paid"
        )
        limited = "your account has a balance" if has_balance else "the order has a max_price"
        raise ValidationError(
            f"{why}, and {limited}: "
            "send GetQuotation first, then Submit with its quotationId "
            "(in Python: draft.quote().wait().submit())",
            code="MissingParameterValue",
            locator="quotationId",
        )
    return _charges(order, _groups_now(order, {each for each, mode in modes.items() if mode}, context))


def _is_standing(order: Order) -> bool:
    """Whether an order's items stand for products to come."""
    specification = order.specification
    is_massive_one = is_massive(specification) and sum(1 for each in order.items if each.number) == 1
    return specification.order_type is OrderType.SUBSCRIPTION_ORDER or is_massive_one


def _groups_now(order: Order, priced: set[str], context: Context) -> Sequence[ItemGroupPrice]:
    """Return what the quoters say of the items that are priced at all."""
    items = tuple(each.specification for each in order.items if each.number and each.collection_id in priced)
    asked = QuotationRecord(
        quotation_id=new_quotation_id(),
        owner=order.owner,
        specification=replace(order.specification, items=items),
        state=QuotationState.PENDING,
        requested=context.now(),
    )
    try:
        record = context.quote(asked)
    except ProcessingFailed as failed:
        raise Unavailable(f"the price could not be said now: {failed.reason}; submit again soon") from failed
    if record.quotation is None or record.partial is not None:
        raise ValidationError(
            f"what this costs is limited, and cannot be said: {record.partial or record.problem}; "
            "order the rest, or ask the operator",
            locator="payment",
        )
    return record.quotation.groups


def _charges(order: Order, groups: Iterable[ItemGroupPrice]) -> list[Charge]:
    """Return what items draw; of those to be reused what they would, given back from the beginning."""
    numbers = {each.specification.item_id: each.number for each in order.items if each.number}
    charges = []
    for group in groups:
        anew = anew_prices(group)
        for item_id, amount in (shares(group) | anew).items():
            if amount and item_id in numbers:
                charge = Charge(
                    order_id=order.order_id,
                    number=numbers[item_id],
                    owner=order.owner,
                    currency=group.price.currency,
                    amount=amount,
                    is_given_back=item_id in anew,
                )
                charges.append(charge)
    return charges


def draw_again(work: UnitOfWork, order: Order, items: Sequence[OrderItem]) -> None:
    """Draw again what items were given back; what a standing order could not pay before, for the first time.

    Raises
    ------
    Conflict
        If the balance does not suffice, or the order would cost more than its limit.
    """
    kept = work.balances.charges(order.order_id)
    numbers = {each.number for each in items}
    charges = [
        replace(each, is_given_back=False) for each in kept if each.is_given_back and each.number in numbers
    ]
    known = {each.number for each in kept}
    charges += _first_charges(work, order, [each for each in items if each.number not in known])
    drawn = ((each.currency, each.amount) for each in kept if not each.is_given_back)
    more = ((each.currency, each.amount) for each in charges)
    over = over_price(kept_limits(order.specification), drawn, more)
    if over is not None:
        raise Conflict(over, locator="max_price")
    if charges:
        work.balances.draw(charges)


def _first_charges(work: UnitOfWork, order: Order, items: Sequence[OrderItem]) -> list[Charge]:
    """Return what products of a standing order cost that could not be paid when they came."""
    record = work.quotations.get(order.quotation_id) if order.quotation_id else None
    of_batches = [each for each in items if each.batch]
    if record is None or not of_batches:
        return []
    charges = []
    standing = [each.specification for each in work.items.of_batch(order.order_id, 0) if each.number]
    for item in of_batches:
        parent = next((each for each in standing if stems_from(item.specification, each)), None)
        price = price_of(record.quotation, parent.item_id) if parent is not None else None
        if price is not None:
            currency, amount = price
            charges.append(
                Charge(
                    order_id=item.order_id,
                    number=item.number,
                    owner=order.owner,
                    currency=currency,
                    amount=amount,
                )
            )
    return charges
