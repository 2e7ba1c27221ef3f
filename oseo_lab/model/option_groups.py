"""Option groups: which one an item is of, and whether what it chooses is what the group offers.

Each group is one valid combination (06-141r6 9.3.2), keyed by ``productOrderOptionsId``. An item that names
none is of the one group that takes its options. Used by `Collection`, which knows its groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from oseo_lab.model.definitions import Encoding, OptionDefinition, ParameterData
from oseo_lab.model.delivery import DeliveryOptions, MediaDelivery, OnlineDataAccess
from oseo_lab.model.errors import Problem
from oseo_lab.model.offers import OrderOptions, SceneSelectionOption
from oseo_lab.model.option_rules import broken
from oseo_lab.model.options import check_selections, selected, travelling_values
from oseo_lab.model.order import ItemSpecification, Payment
from oseo_lab.model.scene_restrictions import check_restrictions

__all__ = [
    "broken_in",
    "check_delivery",
    "check_options",
    "check_payment",
    "check_rules",
    "check_scene",
    "choose_group",
    "scene_values",
]

#: What a payment method needs, by its name in small letters: field, element and what it is.
_NEEDS: Mapping[str, tuple[str, str]] = {
    "deposit account": ("order_account", "orderAccount"),
    "credit card": ("credit_card_info", "creditCardInfo"),
}


def choose_group(
    groups: Sequence[OrderOptions], of_order: Sequence[ParameterData], item: ItemSpecification
) -> OrderOptions | list[Problem]:
    """Return the group an item is of, or what is wrong.

    Parameters
    ----------
    groups : sequence of OrderOptions
        Those of the order's type; at least one.
    of_order : sequence of ParameterData
        Options chosen for the whole order.
    item : ItemSpecification
        The item; its ``productOrderOptionsId`` names the group, or else its options find the only one.
    """
    there = ", ".join(repr(each.product_order_options_id) for each in groups)
    wanted = item.product_order_options_id
    if wanted is not None:
        named = [each for each in groups if each.product_order_options_id == wanted]
        text = f"there is no option group {wanted!r}; allowed: {there}"
        return named[0] if named else [_group_problem("InvalidParameterValue", text)]
    if len(groups) == 1:
        return groups[0]
    tried = [(each, [*_all_options(each, of_order, item)]) for each in groups]
    matching = [each for each, wrong in tried if not wrong]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = ", ".join(repr(each.product_order_options_id) for each in matching)
        text = f"the options are of several groups ({names}); name one by its productOrderOptionsId"
        return [_group_problem("MissingParameterValue", text)]
    nearest, wrong = min(tried, key=lambda each: len(each[1]))
    near = repr(nearest.product_order_options_id)
    text = f"no option group has these options; the nearest is {near}; name one: {there}"
    return [_group_problem("InvalidParameterValue", text), *wrong]


def _group_problem(code: str, text: str) -> Problem:
    return Problem(code=code, locator="productOrderOptionsId", text=text)


def _all_options(
    group: OrderOptions, of_order: Sequence[ParameterData], item: ItemSpecification
) -> Iterator[Problem]:
    """Yield what keeps an item's options, with its order's, from being of a group."""
    wrong = [
        *check_selections(group.options, of_order, check_missing=False),
        *check_options(group, of_order, item.options),
        *check_scene(group.scene_selections, item.scene_selections),
    ]
    yield from wrong or check_rules(group, of_order, item)


def check_options(
    group: OrderOptions,
    of_order: Iterable[ParameterData],
    of_item: Iterable[ParameterData],
    elsewhere: Iterable[str] = (),
) -> Iterator[Problem]:
    """Yield what is wrong with an item's options, knowing what was chosen for the order.

    ``elsewhere`` names options that are chosen for the order only.
    """
    inherited = travelling_values(group.options, of_order, lambda fault: None)
    yield from check_selections(group.options, of_item, inherited=inherited, elsewhere=elsewhere)


def broken_in(group: OrderOptions, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the rules of a group that effective values break, those of a scene selection among them."""
    if group.rules:
        scene = (each for policy in group.scene_selections for each in policy.parameters)
        yield from broken(group.rules, (*group.options, *scene), values)


def check_rules(
    group: OrderOptions, of_order: Sequence[ParameterData], item: ItemSpecification
) -> Iterator[Problem]:
    """Yield the rules that an item's choices break; the choices must have been checked."""
    if group.rules:
        values = selected(group.options, of_order, item.options)
        yield from broken_in(group, values | scene_values(group, item.scene_selections))


# ------------------------------------------------------------------------------------------ scene selection


def check_scene(
    policies: Sequence[SceneSelectionOption], selections: Sequence[ParameterData]
) -> Iterator[Problem]:
    """Yield what is wrong with a scene selection: one policy must take it.

    A parameter that the policy lacks may be of another one of the group, as in the official Submit, which
    names a frame and a time. Without a selection the whole product is taken.
    """
    if not selections:
        return
    tried = [[*_of_policy(each, policies, selections)] for each in policies or (SceneSelectionOption(),)]
    yield from min(tried, key=len)


def _of_policy(
    policy: SceneSelectionOption,
    policies: Sequence[SceneSelectionOption],
    selections: Sequence[ParameterData],
) -> list[Problem]:
    offered = _with_others(policy, policies, selections)
    problems = [*check_selections(offered, selections)]
    return problems or [*check_restrictions(offered, selected(offered, selections))]


def _with_others(
    policy: SceneSelectionOption,
    policies: Sequence[SceneSelectionOption],
    selections: Sequence[ParameterData],
) -> tuple[OptionDefinition, ...]:
    """Return a policy's parameters and, none of them required, those of the others.

    Tokens without names are the policy's own.
    """
    if any(each.encoding is Encoding.TEXT for each in selections):
        return policy.parameters
    own = {each.name for each in policy.parameters}
    others = (
        replace(each, component=replace(each.component, optional=True))
        for other in policies
        for each in other.parameters
        if each.name not in own
    )
    return (*policy.parameters, *others)


def scene_values(group: OrderOptions, selections: Sequence[ParameterData]) -> dict[str, Any]:
    """Return the Python values of a checked scene selection, preset ones of its policy too.

    Without a selection there are the preset values of a single policy, and none where several would do.
    """
    policies = group.scene_selections
    if not selections:
        return selected(policies[0].parameters, ()) if len(policies) == 1 else {}
    for policy in policies:
        if not _of_policy(policy, policies, selections):
            offered = _with_others(policy, policies, selections)
            given = travelling_values(offered, selections)
            own = {each.name for each in policy.parameters}
            return selected([each for each in offered if each.name in own or each.name in given], selections)
    return {}


# -------------------------------------------------------------------------------------- delivery and payment


def check_delivery(group: OrderOptions, options: DeliveryOptions | None) -> Iterator[Problem]:
    """Yield what is wrong with a delivery: a kind, protocol or medium that the group does not offer."""
    if options is None:
        return
    delivery = options.delivery
    element, field, chosen, locator = _kind_of(delivery)
    offered = [value for each in group.deliveries for value in getattr(each, field)]
    if not offered:
        kinds = "; ".join(_offered_kinds(group)) or "none"
        yield Problem(
            code="InvalidParameterValue",
            locator="deliveryOptions",
            text=f"{element} is not offered here; allowed: {kinds}",
        )
    elif chosen not in offered:
        yield Problem(
            code="InvalidParameterValue",
            locator=locator,
            text=f"{locator} {chosen} is not offered; allowed: {', '.join(offered)}",
        )


def _kind_of(delivery: Any) -> tuple[str, str, Any, str]:
    """Return element and field of a kind of delivery, what was chosen of it and the chosen element's name."""
    if isinstance(delivery, MediaDelivery):
        return "mediaDelivery", "media", delivery.package_medium, "packageMedium"
    if isinstance(delivery, OnlineDataAccess):
        return "onlineDataAccess", "online_access", delivery.protocol, "protocol"
    return "onlineDataDelivery", "online_delivery", delivery.protocol, "protocol"


def _offered_kinds(group: OrderOptions) -> Iterator[str]:
    kinds = {
        "online_access": "onlineDataAccess",
        "online_delivery": "onlineDataDelivery",
        "media": "mediaDelivery",
    }
    for field, element in kinds.items():
        values = [value for each in group.deliveries for value in getattr(each, field)]
        if values:
            yield f"{element} by {', '.join(values)}"


def check_payment(group: OrderOptions, payment: Payment | None) -> Iterator[Problem]:
    """Yield what is wrong with an item's payment.

    Where nothing is offered, payment is agreed elsewhere and what an order says of it is kept; where one
    method is, it needs no naming.
    """
    offered = {each.payment_method for each in group.payments}
    allowed = ", ".join(each.payment_method for each in group.payments)
    if payment is None:
        if len(offered) > 1:
            text = f"paymentMethod is missing; allowed: {allowed}"
            yield Problem(code="MissingParameterValue", locator="paymentMethod", text=text)
        return
    if offered and payment.payment_method not in offered:
        text = f"paymentMethod {payment.payment_method[:40]!r} is not offered; allowed: {allowed}"
        yield Problem(code="InvalidParameterValue", locator="paymentMethod", text=text)
        return
    field, element = _NEEDS.get(payment.payment_method.strip().lower(), ("", ""))
    if offered and field and not getattr(payment, field):
        text = f"paymentMethod {payment.payment_method} needs {element}"
        yield Problem(code="MissingParameterValue", locator=element, text=text)
