"""Names are the user's: kept whole, found again, harmless as folders."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.client.names import folder_name, message_id
from oseo_lab.model.names import name_of, reference_of
from oseo_lab.model.order import Order, OrderSpecification, StatusInfo, new_order_id, order_uuid
from oseo_lab.model.status import Status


def order_named(name: str | None) -> Order:
    reference, extensions = reference_of(name) if name else (None, ())
    return Order(
        order_id=new_order_id(),
        specification=OrderSpecification(order_reference=reference, extensions=extensions),
        status=StatusInfo(status=Status.ACCEPTED),
    )


@given(st.text(min_size=1, max_size=200))
def test_a_name_of_any_length_fits_and_comes_back(name):
    reference, _ = reference_of(name)
    assert 1 <= len(reference) <= 30
    assert name_of(order_named(name)) == name


def test_thirty_characters_are_kept_as_they_are():
    assert reference_of("x" * 30) == ("x" * 30, ())
    assert reference_of("lake-garda-spring-and-summer-2024")[0] == "lake-garda-spring-and~c8cc6320"


def test_an_order_without_a_name_is_called_by_its_short_id():
    order = order_named(None)
    assert name_of(order) == order.order_id[9:17]


def test_a_message_id_says_the_same_for_the_same_and_keeps_parts_apart():
    assert message_id("a", "b") == message_id("a", b"b") != message_id("ab", "")
    assert order_uuid(message_id("a"))


@given(st.text(max_size=200))
def test_a_folder_name_is_one_harmless_part_of_a_path(text):
    name = folder_name(text)
    assert Path(name).name == name and name not in (".", "..")
    assert not set(name) & set('/\\:*?"<>| \0')
    assert not name.startswith(".") and len(name) <= 100


@given(st.lists(st.text(max_size=20), unique=True, max_size=20))
def test_two_names_stay_two_folders(names):
    assert len({folder_name(each) for each in names}) == len(names)
