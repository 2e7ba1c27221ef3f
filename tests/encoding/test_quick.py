"""Twins make what the frozen class itself makes."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from oseo_lab.encoding.quick import maker
from oseo_lab.model.messages import Cancel
from oseo_lab.model.order import ItemSpecification, Payment


def test_made_instance_is_an_ordinary_one() -> None:
    made = maker(Payment)(payment_method="quota")
    assert type(made) is Payment
    assert made == Payment(payment_method="quota")
    assert hash(made) == hash(Payment(payment_method="quota"))
    assert repr(made) == repr(Payment(payment_method="quota"))
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made
    with pytest.raises(FrozenInstanceError):
        made.payment_method = "x"  # type: ignore[misc]


def test_defaults_are_those_of_the_class_and_required_fields_are_required() -> None:
    made = maker(ItemSpecification)(item_id="a", identifier=None)
    assert made == ItemSpecification(item_id="a", identifier=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        maker(ItemSpecification)(item_id="a")
    with pytest.raises(TypeError):
        maker(Payment)(payment_method="quota", colour="red")


@dataclass(frozen=True, slots=True)
class WithFactory:
    many: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class WithoutSlots:
    one: int


@pytest.mark.parametrize("cls", [int, Cancel, WithFactory, WithoutSlots])
def test_classes_it_cannot_make_are_refused(cls: type) -> None:
    with pytest.raises(TypeError):
        maker(cls)
