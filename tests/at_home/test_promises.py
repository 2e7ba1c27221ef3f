"""What quotations promise of the demo's scenes, and what is delivered then; what begins beyond a limit."""

from __future__ import annotations

import random

import pytest

import oseo_lab as oseo
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.status import DELIVERED, Status

#: Within this box (west, south, east, north; degrees) areas of one size are cut out, of lake and of land.
WEST, SOUTH, EAST, NORTH, SIDE = 10.56, 45.57, 10.79, 45.72, 0.03


@pytest.fixture(scope="module")
def lab(cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        with oseo.connect("demo") as lab:
            yield lab


def cut(lab, scenes, chance, number, **more):
    west, south = chance.uniform(WEST, EAST - SIDE), chance.uniform(SOUTH, NORTH - SIDE)
    area = (west, south, west + SIDE, south + SIDE)
    picked = chance.sample(scenes, chance.randint(1, 4))
    return lab.order(picked, name=f"cut {number}", collection="demo-s2", area=area, **more)


def at_hand(lab):
    """Return the demo's scenes that need not be restored and are not cut short: they can be made."""
    found = [each for each in lab.search("demo-s2") if each.orderable and each.offline is None]
    order = lab.order(found, collection="demo-s2", name="which are whole", area=(10.6, 45.6, 10.61, 45.61))
    order = order.submit().wait(60)
    made = {
        each.specification.identifier.identifier
        for each in order.record.items
        if each.status.status in DELIVERED
    }
    return [each for each in found if each.identifier in made]


def test_what_is_delivered_lies_in_the_quoted_range_nine_times_of_ten(lab):
    scenes, chance = at_hand(lab), random.Random(4)
    for number in range(10):  # what there is to estimate from
        cut(lab, scenes, chance, number).submit().wait(60)
    held = []
    for number in range(10, 22):
        draft = cut(lab, scenes, chance, number)
        size = draft.quote().size
        order = draft.submit().wait(60)
        held.append(size.low <= order.view().summary.size <= size.high)
    assert sum(held) >= 10  # nine of ten, less what chance takes of twelve


def test_no_work_begins_beyond_what_the_order_may_cost_or_deliver(lab):
    scenes = at_hand(lab)[:4]
    place = (10.6, 45.6, 10.63, 45.63)
    draft = lab.order(scenes, collection="demo-s2", area=place)
    draft.submit().wait(60)
    quotation = draft.quote()
    with pytest.raises(ValidationError, match="max_price"):
        draft.submit(max_price=quotation.price.value - 0.5)
    draft.limits = None
    limit = quotation.size.typical / 2
    order = draft.submit(max_bytes=round(limit)).wait(60)
    delivered = [each for each in order.record.items if each.status.status is Status.COMPLETED]
    refused = [each for each in order.record.items if each.status.status is Status.FAILED]
    assert 0 < len(delivered) < 4 and order.view().summary.size <= limit
    assert all(each.status.additional.startswith(("not begun", "made, but not")) for each in refused)
