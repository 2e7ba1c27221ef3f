"""Random services, and random edits of a draft: what the object, the form and the service must agree on.

`offers` draws a collection with options and rules whose preset values are valid; `edits` draws what somebody
may try on a draft of it, right or wrong; `apply` tries one; `as_sent` is the same edit sent to the service
without the client's leave; `refusal` is the service's verdict, by the checks of Submit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from oseo_lab.client.composing import compose
from oseo_lab.client.draft import OrderDraft
from oseo_lab.client.session import Session
from oseo_lab.encoding.collection_rules import check_presets
from oseo_lab.model.collection import Collection, DeliveryRule, OptionLevel
from oseo_lab.model.delivery import Packaging
from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import (
    Boolean,
    Category,
    Count,
    DataArray,
    DataRecord,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
    QuantityRange,
    Text,
    TimeRange,
    Vector,
)
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.checking import check_specification

__all__ = ["COLLECTION", "Edit", "Here", "apply", "as_sent", "edits", "offers", "refusal", "scalars_of"]

COLLECTION = "things"
PRODUCTS = ("p0", "p1", "p2")
WORDS = ("COG", "PNG", "Zarr", "native", "x y")
_POINT = Field(
    name="point",
    component=Vector(
        reference_frame="http://www.opengis.net/def/crs/EPSG/0/4326",
        fields=(
            Field(name="latitude", component=Quantity(uom="deg")),
            Field(name="longitude", component=Quantity(uom="deg")),
        ),
    ),
)
#: What can be cut out, by the names that areas are asked for with.
SCENE = (
    OptionDefinition(
        name="sceneBoundingRectangle",
        component=DataArray(optional=True, element=_POINT, element_count=2),
    ),
    OptionDefinition(name="sceneBoundingPolygon", component=DataArray(optional=True, element=_POINT)),
)
AREAS = (None, (10.0, 45.0, 11.0, 46.5), "POLYGON ((10 45, 11 45, 11 46, 10 45))")


_LEVELS = st.sampled_from((OptionLevel.ORDER, OptionLevel.ITEM))


# ------------------------------------------------------------------------------------------ what is offered


def _category(words: tuple[str, ...], preset: bool, optional: bool) -> Category:
    return Category(allowed=words, value=words[0] if preset else None, optional=optional)


def _components() -> st.SearchStrategy[Any]:
    words = st.lists(st.sampled_from(WORDS), min_size=2, max_size=4, unique=True).map(tuple)
    flags = st.booleans()
    gap = DataRecord(
        optional=True,
        fields=(
            Field(name="days", component=Count(intervals=(("1", "30"),))),
            Field(name="how", component=Category(allowed=("even", "odd"), value="even")),
        ),
    )
    chosen_of = st.builds(_category, words, flags, flags)  # most rules are about such
    return st.one_of(
        *[chosen_of] * 4,
        *[st.builds(_category, words, st.just(True), st.just(False))] * 6,
        st.builds(
            lambda preset: Boolean(value="false" if preset else None, optional=not preset), st.booleans()
        ),
        st.just(Count(intervals=(("1", "8"),), optional=True)),
        st.just(Count(allowed=("1", "2", "4"), value="2")),
        st.just(Quantity(allowed=("10", "20.5", "60"), optional=True, uom="m")),
        *[
            st.builds(
                lambda words: DataArray(
                    optional=True, element=Field(name="one", component=Category(allowed=words))
                ),
                words,
            )
        ]
        * 2,
        st.just(QuantityRange(optional=True, intervals=(("0", "100"),))),
        st.just(TimeRange(optional=True)),
        st.just(Text(optional=True, pattern=r"[a-z ]{1,8}")),
        st.just(gap),
    )


def scalars_of(definition: OptionDefinition) -> tuple[str, ...]:
    """Return values of an option, or of its elements, as a rule may name them."""
    component = definition.component
    inner = component.element.component if isinstance(component, DataArray) else component
    if isinstance(inner, Boolean):
        return ("true", "false")
    return tuple(getattr(inner, "allowed", ()))


@st.composite
def _rules(draw: st.DrawFn, definitions: tuple[OptionDefinition, ...]) -> OptionRule:
    names = draw(
        st.lists(
            st.sampled_from(sorted(each.name for each in definitions)), min_size=2, max_size=3, unique=True
        )
    )
    known = {each.name: each for each in definitions}

    def side(chosen: list[str]) -> dict[str, tuple[str, ...]]:
        found = {}
        for name in chosen:
            values = scalars_of(known[name])
            some = (
                st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)
                if values
                else st.just([])
            )
            found[name] = tuple(draw(some))
        return found

    return OptionRule(when=side(names[1:]), then=side(names[:1]), reason="they do not mix")


@st.composite
def offers(draw: st.DrawFn) -> Collection:
    """Draw a collection whose preset values keep its rules."""
    components = draw(st.lists(_components(), min_size=3, max_size=6))
    options = tuple(OptionDefinition(name=f"o{at}", component=each) for at, each in enumerate(components))
    rules = draw(st.lists(_rules(options) | _rules((*options, *SCENE)), min_size=4, max_size=12))
    kept: list[OptionRule] = []
    for rule in rules:  # a rule that the preset values break would be refused when the service starts
        tried = Collection(id=COLLECTION, options=options, scene_options=SCENE, rules=(*kept, rule))
        if not list(check_presets(tried)):
            kept.append(rule)
    levels = draw(st.dictionaries(st.sampled_from([each.name for each in options]), _LEVELS, max_size=2))
    return Collection(
        id=COLLECTION,
        options=options,
        scene_options=SCENE,
        rules=tuple(kept),
        max_items=100,
        levels=levels,
        delivery=DeliveryRule(packaging=(Packaging.ZIP,)),
    )


# --------------------------------------------------------------------------------------------------- edits


@dataclass(frozen=True)
class Edit:
    """One thing that somebody tries.

    Parameters
    ----------
    kind : str
        ``options``, ``area``, ``packaging``, ``add`` or ``remove``.
    product : str or None
        Which item it is about; None for the order itself.
    values : mapping
        Options to set, None for back to the default.
    area : object
        An area, or None for none.
    packaging : str or None
        A container, or none.
    """

    kind: str
    product: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    area: Any = None
    packaging: str | None = None


def _values(definition: OptionDefinition) -> st.SearchStrategy[Any]:
    """Return values that may be right, mostly are, and None."""
    component = definition.component
    listed = st.sampled_from(scalars_of(definition) or ("",))
    day = st.datetimes(datetime(2020, 1, 1), datetime(2025, 1, 1)).map(lambda when: when.replace(tzinfo=UTC))
    by_kind: dict[str, st.SearchStrategy[Any]] = {
        "Category": listed,
        "Boolean": st.booleans(),
        "Count": st.sampled_from((1, 2, 4, 9)),
        "Quantity": st.sampled_from((10, 20.5, 60.0, 7)),
        "DataArray": st.lists(listed, min_size=1, max_size=3),
        "QuantityRange": st.tuples(st.integers(0, 110), st.integers(0, 110)),
        "TimeRange": st.tuples(day, day).map(lambda ends: (min(ends), max(ends))),
        "Text": st.sampled_from(("lake", "two words", "Nein!", 'it\'s a \\ "quote"')),
        "DataRecord": st.fixed_dictionaries(
            {"days": st.integers(0, 31)}, optional={"how": st.sampled_from(("even", "odd", "both"))}
        ),
    }
    wrong = st.just("no such value")
    return st.one_of(*[by_kind[component.kind]] * 5, st.none(), wrong)


def edits(collection: Collection) -> st.SearchStrategy[Edit]:
    """Draw what somebody may try on a draft of a collection."""
    product = st.sampled_from(PRODUCTS)
    several = st.fixed_dictionaries({}, optional={each.name: _values(each) for each in collection.options})
    one = st.sampled_from(collection.options).flatmap(
        lambda each: _values(each).map(lambda value: {each.name: value})
    )
    return st.one_of(
        st.builds(Edit, st.just("options"), st.none() | product, one | several),
        st.builds(Edit, st.just("options"), st.none() | product, one),
        st.builds(Edit, st.just("area"), st.none() | product, area=st.sampled_from(AREAS)),
        st.builds(Edit, st.sampled_from(("add", "add", "remove")), product),
        st.builds(Edit, st.just("packaging"), packaging=st.sampled_from((None, "zip", "tar"))),
    )


def is_possible(draft: OrderDraft, edit: Edit) -> bool:
    """Whether what an edit is about is there."""
    there = {each.identifier for each in draft.items}
    return edit.product is None or (edit.kind == "add") != (edit.product in there)


def apply(draft: OrderDraft, edit: Edit) -> None:
    """Try an edit on the object; raises what the object says."""
    if edit.kind == "add":
        draft.items.add(str(edit.product))
    elif edit.kind == "remove":
        draft.items.remove(str(edit.product))
    elif edit.kind == "packaging":
        draft.packaging = edit.packaging
    else:
        thing = draft if edit.product is None else draft.items[edit.product]
        if edit.kind == "area":
            thing.area = edit.area
        else:
            thing.options.update(**edit.values)


# --------------------------------------------------------------------------------------------- the service


class Here:
    """A transport to the operations in this process, of a service with one collection."""

    url = "http://localhost/oseo/"

    def __init__(self, collection: Collection) -> None:
        self.context = Context(
            owner="anna",
            store=None,  # type: ignore[arg-type]  # nothing is stored here
            collections={collection.id: collection},
            service=Service(),
            wake=lambda: None,
            now=lambda: datetime(2025, 1, 1, tzinfo=UTC),
            url=self.url,
            link=lambda *_: "",
        )

    def collections(self) -> list[Mapping[str, Any]]:
        return [
            {"id": each.id, "delivery": {"packaging": [str(one) for one in each.delivery.packaging]}}
            for each in self.context.collections.values()
        ]

    def perform(self, message: Any, message_id: str | None = None) -> Any:
        return perform(message, self.context)


def refusal(collection: Collection, specification: OrderSpecification) -> list[Problem]:
    """Return what the service has against an order, by the checks of Submit; empty if it takes it."""
    try:
        check_specification(specification, Here(collection).context)
    except ValidationError as wrong:
        return list(wrong.problems)
    return []


def as_sent(collection: Collection, draft: OrderDraft, edit: Edit) -> OrderSpecification:
    """Return the order with an edit that the object refused, as somebody could send it all the same."""
    specification = draft.request().specification
    assert specification is not None
    if not specification.items or edit.kind == "add":
        fresh = OrderDraft(draft._session, draft.collection)
        added = fresh.items.add(edit.product or PRODUCTS[0]).specification()
        # an item without an area of its own is cut out by the order's
        added = replace(added, scene_selections=draft.scene_selection(draft.area))
        specification = replace(specification, items=(*specification.items, added))
    if edit.kind == "area":
        selection = draft.scene_selection(None if edit.area is None else area_of(edit.area))
        items = [
            replace(each, scene_selections=selection) if _is_about(draft, edit, each) else each
            for each in specification.items
        ]
        return replace(specification, items=tuple(items))
    if edit.kind == "packaging":
        return replace(specification, packaging=Packaging(str(edit.packaging)))
    if edit.kind != "options":
        return specification
    if edit.product is None:
        chosen = {**draft.options.chosen, **edit.values}
        return replace(specification, options=_travelling(collection, chosen))
    chosen = {**draft.items[edit.product].options.chosen, **edit.values}
    items = [
        replace(each, options=_travelling(collection, chosen)) if _is_about(draft, edit, each) else each
        for each in specification.items
    ]
    return replace(specification, items=tuple(items))


def area_of(area: Any) -> Any:
    """Return an area as drafts hold it."""
    from oseo_lab.client.area import as_area

    return as_area(area)


def _is_about(draft: OrderDraft, edit: Edit, item: ItemSpecification) -> bool:
    assert isinstance(item.identifier, ProductId)
    name = item.identifier.identifier
    if edit.product is not None:
        return name == edit.product
    there = {each.identifier: each for each in draft.items}
    return name not in there or there[name].own_area is None


def _travelling(collection: Collection, values: Mapping[str, Any]) -> tuple[ParameterData, ...]:
    known = {each.name: each.component for each in collection.options}
    found = []
    for name, value in values.items():
        if value is not None:
            try:
                found.append((name, known[name].render(value)))
            except (ValueError, TypeError, AttributeError):
                found.append((name, str(value)))
    return (ParameterData(values=tuple(found)),) if found else ()


class Lab:
    """What copied code calls ``lab``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def order(
        self,
        products: Any,
        name: str | None = None,
        collection: str | None = None,
        area: Any = None,
        area_crs: Any = None,
        **options: Any,
    ) -> OrderDraft:
        return compose(self._session, products, name, collection, area, area_crs, options)
