"""Checks of GetOptions (06-141r6 clause 9): T-OPT-1 to 5 and the rules of B.2."""

from __future__ import annotations

from collections.abc import Iterable

from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.verdicts import Check, NotRun, demand
from oseo_lab.encoding.xmltree import OSEO
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.identifiers import OrderType, TaskingRequestId
from oseo_lab.model.messages import GetOptions

__all__ = ["CHECKS"]

#: Option names that the standard predefines (Tables 7-6, 7-7 and 7-9, as far as the samples use them).
_PREDEFINED = frozenset(
    name
    for line in (
        "processingLevel productType qualityOfService processingMode format consolidation polarisation",
        "radioCorrection geoCorrection mapProjection mapDirection resampling earthModel pixelSpacing",
        "bitsOutput dopplerGrid spectralBandComposition spectralBandColorComposition regionOfInterest",
        "dateRange frequencyObservation sceneCentreCoordinates frame alongTrackSize acrossTrackSize",
        "sceneBoundingPolygon sceneBoundingRectangle sceneStartStopTime lookAngleP orbit track",
        "rowsExtraction columnsExtraction sceneType",
    )
    for name in line.split()
)


def _sound(groups: Iterable[OrderOptions], what: str) -> tuple[OrderOptions, ...]:
    """Return option groups that there must be, each with a delivery option."""
    found = tuple(groups)
    demand(found, f"no option group {what}")
    bare = [each.product_order_options_id for each in found if not each.deliveries]
    demand(not bare, f"group {', '.join(bare)} offers no delivery")
    return found


def _by_collection(subject: Subject) -> str:
    asked = GetOptions(collection_id=subject.collection)
    problems = subject.probe.ask(asked).refusal()
    if problems is not None and {each.code for each in problems} == {"InvalidParameterValue"}:
        return "options depend on the product: a collection alone is refused (9.3.1)"
    found = _sound(subject.probe.ask(asked).message().order_options, f"of {subject.collection}")
    return f"{len(found)} groups, {sum(len(each.options) for each in found)} options"


def _by_product(subject: Subject) -> str:
    product = subject.products[0]
    asked = GetOptions(identifiers=(product,))
    found = _sound(subject.probe.ask(asked).message().order_options, f"of product {product}")
    wrong = {each.identifier for each in found} - {product}
    demand(not wrong, f"asked for {product}, a group says {', '.join(map(str, wrong))}")
    return f"{len(found)} groups"


def _by_products(subject: Subject) -> str:
    products = tuple(dict.fromkeys(subject.products))[:3]
    if len(products) < 2:
        raise NotRun("needs two products: --product twice")
    found = subject.probe.ask(GetOptions(identifiers=products)).message().order_options
    named = {each.identifier for each in found}
    demand(set(products) <= named, f"asked for {', '.join(products)}, groups name {named}")
    return f"{len(found)} groups of {len(products)} products"


def _of_subscription(subject: Subject) -> str:
    subject.need("subscription_orders", "subscription orders")
    asked = GetOptions(collection_id=subject.subscription)
    found = _sound(subject.probe.ask(asked).message().order_options, f"of {subject.subscription}")
    kinds = {each.order_type for each in found}
    demand(OrderType.SUBSCRIPTION_ORDER in kinds, f"its groups are of {', '.join(sorted(kinds))} only")
    return f"{len(found)} groups"


def _of_tasking(subject: Subject) -> str:
    subject.need("programming_orders", "tasking orders")
    if subject.plan.tasking_id is None:
        raise NotRun("needs a tasking request that the server knows: --tasking-id")
    asked = GetOptions(tasking_request_id=TaskingRequestId(id=subject.plan.tasking_id))
    found = _sound(subject.probe.ask(asked).message().order_options, "of the tasking request")
    kinds = {each.order_type for each in found}
    demand(OrderType.TASKING_ORDER in kinds, f"its groups are of {', '.join(sorted(kinds))} only")
    return f"{len(found)} groups"


def _unknown_collection(subject: Subject) -> None:
    asked = GetOptions(collection_id="urn:no:such:collection")
    subject.probe.ask(asked).fault("UnsupportedCollection", "collectionId")


def _one_of_three(subject: Subject) -> None:
    head = f'<GetOptions xmlns="{OSEO}" service="OS" version="1.0.0">'
    inside = f"<collectionId>{subject.collection}</collectionId><identifier>x</identifier>"
    for wrong in ("", inside):
        subject.probe.send(f"{head}{wrong}</GetOptions>", "GetOptions").fault()


def _keyed(subject: Subject) -> str:
    keys = [(each.product_order_options_id, each.identifier) for each in subject.options(subject.collection)]
    twice = {key for key, _ in keys if keys.count((key, None)) > 1}
    demand(not twice, f"productOrderOptionsId {', '.join(twice)} stands for several groups")
    return ", ".join(key for key, _ in keys)[:200]


def _names(subject: Subject) -> str:
    known = {each.lower(): each for each in _PREDEFINED}
    used = [option.name for group in subject.options(subject.collection) for option in group.options]
    wrong = [f"{name} for {known[name.lower()]}" for name in used if known.get(name.lower(), name) != name]
    demand(not wrong, f"predefined names are spelt another way: {', '.join(wrong)}")
    reused = sum(name in _PREDEFINED for name in set(used))
    return f"{reused} of {len(set(used))} names are predefined ones (a recommendation)"


CHECKS = (
    Check(
        "T-OPT-1",
        "9.1; B.2 rule 2",
        "options of a collection: valid, a group at least, each with a delivery option",
        _by_collection,
    ),
    Check("T-OPT-2", "B.2 rule 1", "options of a product: its identifier in each group", _by_product),
    Check(
        "T-OPT-3",
        "B.2 rule 3",
        "options of a subscription collection: a group of SUBSCRIPTION_ORDER",
        _of_subscription,
    ),
    Check("T-OPT-4", "9.1", "options of a tasking request: a group of TASKING_ORDER", _of_tasking),
    Check(
        "T-OPT-5", "9.4.4", "an unknown collection: UnsupportedCollection, collectionId", _unknown_collection
    ),
    Check("B2-1", "B.2 rule 1; Table 9-1", "options of several products: groups of each", _by_products),
    Check("B2-choice", "Table 9-1", "none, or two, of collectionId and identifier: a fault", _one_of_three),
    Check("B2-4", "B.2 rule 4", "each group is one combination, keyed by productOrderOptionsId", _keyed),
    Check(
        "B2-5", "B.2 rule 5; 7.3.4, 7.3.6", "predefined option names are spelt as the standard does", _names
    ),
)
