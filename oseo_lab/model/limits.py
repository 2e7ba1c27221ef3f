"""Limits of one order: what it may cost and deliver altogether, held by the service when an item starts.

And how many products a subscription takes in a month. OSEO has no element for them: they travel as extensions
of the order specification, ``max_price=12.5``, ``max_bytes=1000000000``, ``max_items_per_month=30``, through
every door alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import OrderSpecification

__all__ = [
    "MAX_BYTES",
    "MAX_ITEMS_PER_MONTH",
    "MAX_PRICE",
    "Admission",
    "Limits",
    "admission",
    "in_bytes",
    "kept_limits",
    "limit_problems",
    "limits_of",
    "month_after",
    "month_of",
    "over_price",
]

#: What the extensions begin with.
MAX_PRICE = "max_price="
MAX_BYTES = "max_bytes="
MAX_ITEMS_PER_MONTH = "max_items_per_month="


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The most an order may cost and deliver.

    Parameters
    ----------
    max_price : float or None
        In the currency the order is paid in; None for no limit.
    max_bytes : int or None
        Bytes of data files; None for no limit.
    max_items_per_month : int or None
        Products that join a subscription in one calendar month, UTC; what is more waits for the next.
    """

    max_price: float | None = None
    max_bytes: int | None = None
    max_items_per_month: int | None = None

    def extensions(self) -> tuple[str, ...]:
        """Return the limits as they travel."""
        price = () if self.max_price is None else (f"{MAX_PRICE}{self.max_price!r}",)
        size = () if self.max_bytes is None else (f"{MAX_BYTES}{self.max_bytes}",)
        most = self.max_items_per_month
        month = () if most is None else (f"{MAX_ITEMS_PER_MONTH}{most}",)
        return (*price, *size, *month)


def limits_of(specification: OrderSpecification) -> Limits:
    """Return the limits that an order's extensions say.

    Raises
    ------
    ValueError
        If one is no number, not finite or below zero, or is said twice.
    """
    for problem in limit_problems(specification):
        raise ValueError(problem.text)
    said = dict(_said(specification))
    price, size, month = said.get(MAX_PRICE), said.get(MAX_BYTES), said.get(MAX_ITEMS_PER_MONTH)
    return Limits(
        max_price=None if price is None else float(price),
        max_bytes=None if size is None else int(size),
        max_items_per_month=None if month is None else int(month),
    )


def limit_problems(specification: OrderSpecification) -> Iterator[Problem]:
    """Yield what is wrong with the limits that an order's extensions say; ``locator`` is the limit's name."""
    counts = Counter(name for name, _ in _said(specification))
    for name, text in _said(specification):
        kind, what = _KINDS[name]
        locator = name.rstrip("=")
        if counts[name] > 1:
            yield _problem(locator, f"{locator} is said {counts[name]} times; say it once")
        elif not _is_limit(text, kind) or (name == MAX_ITEMS_PER_MONTH and int(text) < 1):
            yield _problem(locator, f"{name}{text[:40]} is no limit; allowed: {what}, such as {name}1000")
        elif name == MAX_ITEMS_PER_MONTH and specification.order_type is not OrderType.SUBSCRIPTION_ORDER:
            yield _problem(
                locator, f"{locator} is for subscriptions: this order's items are all there already"
            )


def _said(specification: OrderSpecification) -> Iterator[tuple[str, str]]:
    for extension in specification.extensions:
        for name in _KINDS:
            if extension.startswith(name):
                yield name, extension.removeprefix(name)


_MOST_WHOLE = 2**53
#: What a limit is read as, and what is allowed.
_KINDS: Mapping[str, tuple[Callable[[str], float], str]] = {
    MAX_PRICE: (float, "numbers from 0 on, in the currency the order is paid in"),
    MAX_BYTES: (int, "whole numbers of bytes from 0 on"),
    MAX_ITEMS_PER_MONTH: (int, "whole numbers of products from 1 on"),
}


def _is_limit(text: str, kind: Callable[[str], float]) -> bool:
    """Whether a text is a limit; whole numbers as far as JSON has them everywhere (RFC 8259, 6)."""
    try:
        return 0 <= kind(text) < (_MOST_WHOLE if kind is int else float("inf"))
    except ValueError:
        return False


def _problem(locator: str, text: str) -> Problem:
    return Problem(code=ValidationError.code, locator=locator, text=text)


def kept_limits(specification: OrderSpecification) -> Limits:
    """Return the limits of an order that is kept; what was stored before limits were checked has none."""
    try:
        return limits_of(specification)
    except ValueError:
        return Limits()


def month_of(moment: datetime) -> datetime:
    """Return the begin of a moment's calendar month, UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_after(moment: datetime) -> datetime:
    """Return the begin of the next calendar month, UTC."""
    begin = month_of(moment)
    return begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)


def over_price(
    limits: Limits, drawn: Iterable[tuple[str, Decimal]], more: Iterable[tuple[str, Decimal]]
) -> str | None:
    """Say why an order may not draw more: None where it may.

    Parameters
    ----------
    limits : Limits
        Of the order.
    drawn, more : iterable of (str, Decimal)
        Currency and amount of what it drew and did not give back, and of what it would draw now.
    """
    if limits.max_price is None:
        return None
    coming, total = _sums(more), _sums(drawn)
    for currency, amount in coming.items():
        total[currency] = total.get(currency, Decimal()) + amount
    if len(total) > 1:
        named = " and ".join(sorted(total))
        return f"the order is paid in {named}, of which one max_price says nothing: order what is paid alike"
    limit = Decimal(repr(limits.max_price))
    for currency, amount in total.items():
        if amount > limit:
            now = coming.get(currency, Decimal())
            before = f" beside the {_words(amount - now)} {currency} drawn already" if amount > now else ""
            return (
                f"this costs {_words(now)} {currency}{before}, and max_price={_words(limit)} is the most "
                "it may cost: order less, or allow more"
            )
    return None


def _sums(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Add amounts up by currency; what costs nothing has none."""
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        if amount > 0:
            sums[currency] = sums.get(currency, Decimal()) + amount
    return sums


def _words(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


# ----------------------------------------------------------------------------------------------- max_bytes


class Admission(StrEnum):
    """Whether an item of an order with ``max_bytes`` may begin."""

    START = "start"
    WAIT = "wait"
    REFUSE = "refuse"


def admission(
    max_bytes: int, delivered: int, in_work: Sequence[float | None], own: float | None
) -> Admission:
    """Decide whether an item may begin: what is delivered may never be more than the limit.

    Parameters
    ----------
    max_bytes : int
        Most bytes of data files of the order.
    delivered : int
        Bytes delivered so far.
    in_work : sequence of float or None
        Likely bytes of each of its items that is being made; None where nothing is known.
    own : float or None
        Likely bytes of the item; None where nothing is known.

    Notes
    -----
    First match: full, or the item alone is likely too large for what is left: refused. Nothing else is in
    work: it starts, and its real size counts when it is delivered. Its size, or one of those in work, is
    not known, or together they may be too much: it waits until they are delivered. Else it starts. So of
    items of unknown size one is made at a time, until the first of their kind is delivered.
    """
    if delivered >= max_bytes or (own is not None and delivered + own > max_bytes):
        return Admission.REFUSE
    if not in_work:
        return Admission.START
    sizes = [*in_work, own]
    if None in sizes or delivered + sum(each or 0 for each in sizes) > max_bytes:
        return Admission.WAIT
    return Admission.START


def in_bytes(size: float) -> str:
    """Return a number of bytes for people: ``1.2 MB``, decimal units."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size:.0f} bytes"
