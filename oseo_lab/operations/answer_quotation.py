"""An operator's answer to a quotation that a person gives (the off-line mode of 06-141r6 10).

No operation of the standard: the JSON API's door calls it. The answer is kept with the quotation, which
`oseo_lab.dispatch.quoting` then completes with what other quoters say, and sends to whom it is owed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from oseo_lab.model.errors import Conflict, NotAuthorized, Problem, ValidationError
from oseo_lab.model.order import ItemSpecification
from oseo_lab.model.quotation import (
    MOST_PRICE,
    QUOTATION_DAYS,
    ItemGroupPrice,
    ItemPrice,
    Price,
    ProviderName,
    QuotationAnswer,
    QuotationMode,
    QuotationRecord,
    QuotationState,
    compose,
    decimal_of,
)
from oseo_lab.operations.context import Context
from oseo_lab.operations.get_quotation import mode_of, quotation_of
from oseo_lab.operations.order_types import collection_for

__all__ = ["answer_quotation"]


def answer_quotation(quotation_id: str, answer: QuotationAnswer, context: Context) -> QuotationRecord:
    """Answer a quotation that waits for a person, or refuse it with a reason.

    Raises
    ------
    NotAuthorized
        If the caller is no operator.
    ValidationError
        If there is no such quotation, or with everything wrong with the answer.
    Conflict
        If it does not wait for an answer.
    """
    if not context.is_operator:
        raise NotAuthorized("only operators answer quotations", locator="quotationId")
    with context.store.read() as snapshot:
        record = quotation_of(snapshot.quotations.get(quotation_id))
    if record.state is not QuotationState.WAITING:
        raise Conflict(
            f"this quotation is {record.state}: it does not wait for a person's answer; "
            "`oseo-lab quotations list --waiting` shows those that do",
            locator="quotationId",
        )
    answered = _answered(record, answer, context)
    if not context.store.write(lambda work: work.quotations.save(record, answered)):
        raise Conflict("somebody else has just answered this quotation", locator="quotationId")
    context.wake()
    return answered


def _answered(record: QuotationRecord, answer: QuotationAnswer, context: Context) -> QuotationRecord:
    if answer.problem is not None:
        return replace(record, state=QuotationState.FAILED, problem=answer.problem)
    items = [each for each in record.specification.items if _is_off_line(each, record, context)]
    problems = list(_problems(answer, items, context))
    if problems:
        raise ValidationError.of(problems)
    groups = [_group(answer, part) for part in _by_method(items).values()]
    quotation = compose(record.quotation_id, groups, record.specification)
    return replace(record, state=QuotationState.PENDING, quotation=quotation)


def _is_off_line(item: ItemSpecification, record: QuotationRecord, context: Context) -> bool:
    collection = collection_for(item.identifier, record.specification.order_type, context)
    return not isinstance(collection, Problem) and mode_of(collection, context) is QuotationMode.OFF_LINE


def _problems(
    answer: QuotationAnswer, items: Sequence[ItemSpecification], context: Context
) -> Sequence[Problem]:
    found = []
    ids = {each.item_id for each in items}
    unknown = [each for each in answer.item_prices if each not in ids]
    if unknown:
        text = f"item_prices names {', '.join(unknown[:10])}; allowed: {', '.join(sorted(ids)[:10])}"
        found.append(Problem(code="InvalidParameterValue", locator="item_prices", text=text))
    if not ids:
        text = "none of its items waits for a person's price any more; refuse it with a problem"
        found.append(Problem(code="InvalidParameterValue", locator="quotationId", text=text))
    is_mixed = len(_by_method(items)) > 1
    if ids - set(answer.item_prices) and (is_mixed or answer.price is None):
        text = "say a price for the items together, or one for each of them in item_prices"
        if is_mixed:
            text = "the items are paid by several methods: say a price for each of them in item_prices"
        found.append(Problem(code="MissingParameterValue", locator="price", text=text))
    elif is_mixed and answer.price is not None:
        text = "the items are paid by several methods: leave price out, item_prices say all"
        found.append(Problem(code="InvalidParameterValue", locator="price", text=text))
    if not 1 <= len(answer.currency) <= 10:
        text = f"currency {answer.currency[:20]!r} is not allowed; allowed: an ISO 4217 code or a quota unit"
        found.append(Problem(code="InvalidParameterValue", locator="currency", text=text))
    prices = (*answer.item_prices.values(), answer.price or 0, sum(answer.item_prices.values()))
    if any(not 0 <= value <= MOST_PRICE for value in prices):
        text = f"a price is from 0 to {MOST_PRICE:.0f}, and so is what the items cost together"
        found.append(Problem(code="InvalidParameterValue", locator="price", text=text))
    until, now = answer.validity_time, context.now()
    if until is not None and not now < until <= now + timedelta(days=QUOTATION_DAYS):
        text = f"validity_time is over, or too far away; name a moment in the next {QUOTATION_DAYS} days"
        found.append(Problem(code="InvalidParameterValue", locator="validity_time", text=text))
    return found


def _by_method(items: Sequence[ItemSpecification]) -> dict[str | None, list[ItemSpecification]]:
    """Part items by how they are paid: what is paid in one way is a group."""
    parts: dict[str | None, list[ItemSpecification]] = {}
    for each in items:
        parts.setdefault(each.payment.payment_method if each.payment else None, []).append(each)
    return parts


def _group(answer: QuotationAnswer, items: Sequence[ItemSpecification]) -> ItemGroupPrice:
    ids = {each.item_id for each in items}
    own: Mapping[str, Price] = {
        name: Price(value=value, currency=answer.currency)
        for name, value in answer.item_prices.items()
        if name in ids
    }
    value = answer.price
    if value is None:
        value = float(sum((decimal_of(each) for each in own.values()), Decimal()))
    return ItemGroupPrice(
        provider=ProviderName(service_name="", organization=""),
        price=Price(value=value, currency=answer.currency),
        validity_time=answer.validity_time,
        contract_information=answer.contract_information,
        items=tuple(
            ItemPrice(
                item_id=each.item_id,
                identifier=each.identifier,
                price=own.get(each.item_id),
                price_information=answer.price_information,
            )
            for each in items
        ),
    )
