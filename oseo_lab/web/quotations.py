"""The JSON API's quotations and balances: what an order would cost, who answers by hand, what is left.

Beside GetQuotation, which quotations are asked by, these paths hold what the standard has no message for: the
list, a person's answer, accounts' balances. Operators see and answer everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import unquote

from oseo_lab.encoding import json_form
from oseo_lab.model.errors import NotAuthorized, NotFound, ValidationError
from oseo_lab.model.messages import GetQuotation, GetQuotationAck
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.quotation import Charge, QuotationAnswer, QuotationRecord
from oseo_lab.operations.answer_quotation import answer_quotation
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JSON, PAGE, JsonHandler
from oseo_lab.web.rest import PartHandler
from oseo_lab.web.state import Services

__all__ = [
    "AnswerHandler",
    "BalanceHandler",
    "BalancesHandler",
    "ChargesHandler",
    "QuotationHandler",
    "QuotationsHandler",
]

#: Longest owner and currency of a balance, characters.
LONGEST_OWNER, LONGEST_CURRENCY = 255, 10
_CURRENCY = re.compile(rf"[^\s\x00-\x1f\x7f]{{1,{LONGEST_CURRENCY}}}")


class QuotationsHandler(JsonHandler):
    """``GET|POST api/v1/quotations``: your quotations; GetQuotation."""

    @door
    async def get(self) -> None:
        """List the caller's quotations, newest first; ``waiting``: those that operators answer."""
        services = await self.services()
        await self.authorize("read")
        limit = max(1, self.number("limit", PAGE, PAGE))
        waiting = self.get_query_argument("waiting", "") not in ("", "0", "false")
        if waiting and not services.is_operator(self.owner):
            raise NotAuthorized("only operators see the quotations that wait for an answer")

        def ask() -> bytes:
            with services.store.read() as snapshot:
                quotations = snapshot.quotations
                found = quotations.waiting(limit) if waiting else quotations.of(self.owner or "", limit)
            return json_form.encode({"quotations": [_brief(each) for each in found]})

        self.answer(await self.state.work(ask), JSON)

    @door
    async def post(self) -> None:
        """Ask what an order would cost: GetQuotation by specification."""
        specification = await self.state.work(json_form.decode, OrderSpecification, self.json_body())
        made: list[str] = []

        def encode(ack: GetQuotationAck) -> bytes:
            made.append(ack.quotation_id or (ack.quotation.quotation_id if ack.quotation else ""))
            return json_form.encode(ack)

        body = await self.perform(GetQuotation(specification=specification), encode, self.message_id)
        uuid = made[0].removeprefix("urn:uuid:")
        self.set_header("Location", f"{self.service_url}api/v1/quotations/{uuid}")
        self.answer(body, JSON, 201)


def _brief(record: QuotationRecord) -> QuotationRecord:
    """Return a record without its items, of which there may be thousands."""
    quotation = record.quotation
    groups = () if quotation is None else tuple(replace(each, items=()) for each in quotation.groups)
    return replace(
        record,
        specification=replace(record.specification, items=()),
        quotation=None if quotation is None else replace(quotation, groups=groups),
    )


class QuotationHandler(JsonHandler):
    """``GET api/v1/quotations/{uuid}``: one quotation, with what was asked and what became of it."""

    @door
    async def get(self, uuid: str) -> None:
        """Send one quotation."""
        services = await self.services()
        await self.authorize("read")
        owner = None if services.is_operator(self.owner) else self.owner

        def ask() -> bytes:
            with services.store.read() as snapshot:
                record = snapshot.quotations.get(f"urn:uuid:{uuid}", owner)
            if record is None:
                raise NotFound(
                    f"there is no quotation {uuid} of yours",
                    code="InvalidParameterValue",
                    locator="quotationId",
                )
            return json_form.encode(record)

        self.answer(await self.state.work(ask), JSON)


class AnswerHandler(JsonHandler):
    """``POST api/v1/quotations/{uuid}/answer``: an operator's prices, or why there are none."""

    @door
    async def post(self, uuid: str) -> None:
        """Answer a quotation that waits for a person."""
        services = await self.services()
        await self.authorize("write")
        answer = await self.state.work(json_form.decode, QuotationAnswer, self.json_body())
        context = services.context(self.owner, url=self.service_url)
        record = await self.state.work(answer_quotation, f"urn:uuid:{uuid}", answer, context)
        self.answer(await self.state.work(json_form.encode, record), JSON, 202)


class ChargesHandler(PartHandler):
    """``GET api/v1/orders/{id}/charges``: what the items of an order cost, and what was given back."""

    @door
    async def get(self, order: str) -> None:
        """Send the charges."""
        await self.read(
            order,
            lambda snapshot, found: {
                "charges": [_charge(each) for each in snapshot.balances.charges(found.order.order_id)]
            },
        )


def _charge(charge: Charge) -> dict[str, Any]:
    return {
        "number": charge.number,
        "amount": float(charge.amount),
        "currency": charge.currency,
        "is_given_back": charge.is_given_back,
    }


@dataclass(frozen=True, kw_only=True)
class NewBalance:
    """The body of a PUT: a balance, or null for none, which means no limit."""

    value: float | None


class BalancesHandler(JsonHandler):
    """``GET api/v1/balances``: what your account may still order; operators name another ``owner``."""

    @door
    async def get(self) -> None:
        """Send balances by currency."""
        services = await self.services()
        await self.authorize("read")
        owner = self.get_query_argument("owner", "") or self.owner or ""
        if owner != self.owner and not services.is_operator(self.owner):
            raise NotAuthorized("only operators see other accounts' balances")
        self.answer(await self.state.work(partial(_balances, services, owner)), JSON)


def _balances(services: Services, owner: str) -> bytes:
    with services.store.read() as snapshot:
        found: Mapping[str, Decimal] = snapshot.balances.of(owner)
    listed: Sequence[Mapping[str, Any]] = [
        {"owner": owner, "currency": currency, "value": float(value)} for currency, value in found.items()
    ]
    return json_form.encode({"balances": listed})


class BalanceHandler(JsonHandler):
    """``PUT api/v1/balances/{owner}/{currency}``: an operator sets what an account may still order."""

    @door
    async def put(self, owner: str, currency: str) -> None:
        """Set a balance, or lift its limit."""
        services = await self.services()
        await self.authorize("write")
        if not services.is_operator(self.owner):
            raise NotAuthorized("only operators set balances")
        name, unit = unquote(owner), unquote(currency)
        if not (name.isprintable() and _CURRENCY.fullmatch(unit)) or len(name) > LONGEST_OWNER:
            text = (
                f"an owner has at most {LONGEST_OWNER} characters, none of control; "
                f"a currency at most {LONGEST_CURRENCY}, none of them a space"
            )
            raise ValidationError(text, locator="currency")
        new = await self.state.work(json_form.decode, NewBalance, self.json_body())
        value = None if new.value is None else Decimal(repr(new.value))

        def save() -> bytes:
            services.store.write(lambda work: work.balances.set(name, unit, value))
            return _balances(services, name)

        self.answer(await self.state.work(save), JSON)
