"""Choices among options nobody here has seen before: values a descriptor allows, and one that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from oseo_lab.encoding.xmltree import timestamp
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.components import Component
from oseo_lab.model.compounds import DataChoice, DataRecord
from oseo_lab.model.delivery import DeliveryOptions, MediaDelivery, OnlineDataAccess, OnlineDataDelivery
from oseo_lab.model.options import OptionDefinition, ParameterData
from oseo_lab.model.order import Payment

__all__ = ["allowed", "delivery_of", "forbidden", "needed", "payment_of", "selection", "switchable"]

#: What to try where a descriptor names no values; its own ``parse`` decides.
_GUESSES = ("true", "false", "1", "2", "8", "10", "100", "a")
#: Days from now that are tried as times: what is asked for may have to lie ahead.
_DAYS = (1, 30)
#: What to try as a wrong value.
_STRANGE = ("no-such-value", "-987654321.5", "\u2603")


def allowed(component: Component) -> list[Any]:
    """Return values that a component allows, as they travel; possibly none that could be found."""
    return [each for each in _candidates(component) if _takes(component, each)]


def forbidden(component: Component) -> Any:
    """Return a value that a component does not allow; None where it takes anything."""
    return next((each for each in _STRANGE if not _takes(component, each)), None)


def _takes(component: Component, value: Any) -> bool:
    try:
        component.parse(value)
    except ValueError:
        return False
    return True


def _candidates(component: Component) -> Iterator[Any]:
    if isinstance(component, DataRecord):
        yield from _records(component)
    elif isinstance(component, DataChoice):
        for item in component.items:
            yield from (((item.name, value),) for value in allowed(item.component))
    elif hasattr(component, "scalar_component"):
        scalars = allowed(component.scalar_component())
        if scalars:
            yield (("min", scalars[0]), ("max", scalars[-1]))
            yield (("min", scalars[0]), ("max", scalars[0]))
    else:
        yield from getattr(component, "allowed", ())
        for low, high in getattr(component, "intervals", ()):
            yield from (low, high)
        yield from _GUESSES
        now = datetime.now(UTC).replace(microsecond=0)
        yield from (timestamp(now + timedelta(days=days)) for days in _DAYS)


def _records(record: DataRecord) -> Iterator[Any]:
    found = [(field.name, allowed(field.component)) for field in record.fields]
    if all(values for _, values in found):
        yield tuple((name, values[0]) for name, values in found)


def needed(options: tuple[OptionDefinition, ...]) -> dict[str, Any]:
    """Return a value for every option that an order must name, where one could be found."""
    found = {each.name: allowed(each.component) for each in options if each.required}
    return {name: values[0] for name, values in found.items() if values}


def selection(**values: Any) -> tuple[ParameterData, ...]:
    """Return values as a selection in XMLEncoding; nothing for no values."""
    return (ParameterData(values=tuple(values.items())),) if values else ()


def switchable(group: OrderOptions) -> Iterator[tuple[str, Any, Any]]:
    """Yield options with two values to tell apart: name, one, another."""
    for option in group.options:
        values = list(dict.fromkeys(map(_hashable, allowed(option.component))))
        if len(values) > 1:
            yield option.name, values[0], values[1]


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | tuple) else str(value)


def payment_of(group: OrderOptions) -> Payment | None:
    """Return the first payment method that a group offers."""
    return Payment(payment_method=group.payments[0].payment_method) if group.payments else None


def delivery_of(group: OrderOptions) -> DeliveryOptions | None:
    """Return a delivery that a group offers: on-line access before anything else."""
    for each in sorted(group.deliveries, key=lambda each: not each.online_access):
        if each.online_access:
            return DeliveryOptions(delivery=OnlineDataAccess(protocol=each.online_access[0]))
        if each.online_delivery:
            return DeliveryOptions(delivery=OnlineDataDelivery(protocol=each.online_delivery[0]))
        if each.media:
            return DeliveryOptions(delivery=MediaDelivery(package_medium=each.media[0]))
    return None
