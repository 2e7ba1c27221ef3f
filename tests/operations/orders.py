"""Collections and orders of the tests of operations."""

from __future__ import annotations

from oseo_lab.model.collection import Collection, DeliveryRule, Scope
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Submit
from oseo_lab.model.options import (
    Category,
    DataArray,
    Field,
    OptionDefinition,
    ParameterData,
    Quantity,
)
from oseo_lab.model.order import ItemSpecification, OrderSpecification

OPTICAL = Collection(
    id="optical",
    title="Optical scenes",
    pattern=r"S2_\d+",
    max_items=5,
    options=(
        OptionDefinition(name="format", component=Category(allowed=("COG", "PNG"), value="COG")),
        OptionDefinition(name="level", component=Category(allowed=("1B", "2A"))),
        OptionDefinition(
            name="bands",
            component=DataArray(
                element=Field(name="band", component=Category(allowed=("B02", "B03"))), optional=True
            ),
        ),
    ),
    scene_options=(
        OptionDefinition(name="size", component=Quantity(uom="km", intervals=(("1", "100"),), optional=True)),
    ),
)
RADAR = Collection(id="radar", pattern=r"S1_\d+", delivery=DeliveryRule(scope=Scope.ORDER), automatic=False)
ANY = Collection(id="any", pattern=r"S2_9\d*")
COLLECTIONS = {each.id: each for each in (OPTICAL, RADAR, ANY)}


def selection(**values):
    return (ParameterData(values=tuple(values.items())),)


def item(item_id="a", identifier="S2_1", collection_id=None, **more) -> ItemSpecification:
    more.setdefault("options", selection(level="2A"))
    return ItemSpecification(
        item_id=item_id, identifier=ProductId(identifier=identifier, collection_id=collection_id), **more
    )


def order(*items, **more) -> Submit:
    return Submit(specification=OrderSpecification(items=items or (item(),), **more))
