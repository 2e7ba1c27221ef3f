"""Orders of thousands of items are checked item by item, and refused and accepted as small ones are."""

from __future__ import annotations

import pytest
from lxml import etree

from oseo_lab.encoding.checking import _CROWD, check
from oseo_lab.encoding.oseo import decode_request, decode_response, encode_response
from oseo_lab.encoding.xmltree import OSEO, parse
from oseo_lab.model.errors import BadMessage
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import GetStatusResponse
from oseo_lab.model.order import ItemSpecification, Order, OrderItem, OrderSpecification, StatusInfo
from oseo_lab.model.status import Status

FINE = "<orderItem><itemId>{}</itemId><productId><identifier>p</identifier></productId></orderItem>"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def submit(items: list[str], head: str = "<orderType>PRODUCT_ORDER</orderType>", tail: str = "") -> bytes:
    return (
        f'<Submit xmlns="{OSEO}" service="OS" version="1.0.0"><orderSpecification>{head}{"".join(items)}'
        f"{tail}</orderSpecification><statusNotification>None</statusNotification></Submit>"
    ).encode()


def fine(count: int) -> list[str]:
    return [FINE.format(number) for number in range(count)]


WRONG = {
    "an item without a product": "<orderItem><itemId>x</itemId></orderItem>",
    "an item with two ids": FINE.format("x").replace("<productId>", "<itemId>y</itemId><productId>"),
    "an itemId that is too long": FINE.format("x" * 81),
    "an item of another type": FINE.format("x").replace("<orderItem>", f'<orderItem {XSI} xsi:type="Other">'),
    "an attribute": FINE.format("x").replace("<orderItem>", '<orderItem a="1">'),
    "text beside the items": "hello",
    "something else": "<orderRemark>late</orderRemark>",
    "something strange": "<strange/>",
    "another namespace": FINE.format("x").replace("<orderItem>", '<orderItem xmlns="urn:other">'),
}


@pytest.mark.parametrize("count", [10, _CROWD + 500])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("place", [0, 5, -1])
def test_what_is_wrong_in_a_small_order_is_wrong_in_a_large_one(wrong: str, place: int, count: int) -> None:
    items = fine(count)
    at = place % (len(items) + 1)
    body = submit([*items[:at], wrong, *items[at:]])
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(body))
    assert caught.value.problems[0].locator


@pytest.mark.parametrize("count", [10, _CROWD, _CROWD + 1, 3 * _CROWD])
def test_all_items_of_a_good_order_are_read_in_their_order(count: int) -> None:
    read = decode_request(parse(submit(fine(count))))
    assert [each.item_id for each in read.specification.items] == [str(number) for number in range(count)]


def test_a_crowd_is_looked_at_without_being_changed() -> None:
    element = parse(submit(fine(_CROWD + 10)))
    before = etree.tostring(element)
    check(element)
    assert etree.tostring(element) == before


@pytest.mark.parametrize("tail", ["<orderItem/>", "<strange/>"])
def test_what_stands_around_a_crowd_is_checked_too(tail: str) -> None:
    with pytest.raises(BadMessage, match="orderType"):
        decode_request(parse(submit(fine(_CROWD + 10), head="<orderType>NONE</orderType>")))
    with pytest.raises(BadMessage):
        decode_request(parse(submit(fine(_CROWD + 10), tail=tail)))


def test_a_crowd_before_the_items_is_refused_as_anywhere() -> None:
    head = "<orderType>PRODUCT_ORDER</orderType>" + "<orderItem/>" * (_CROWD + 1)
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(submit(fine(3), head=head)))
    assert len(caught.value.problems) == 50


def test_options_that_crowd_in_one_item_are_checked_and_read() -> None:
    option = (
        "<option><ParameterData><encoding>XMLEncoding</encoding><values><a>1</a></values></ParameterData>"
    )
    item = FINE.format(1).replace("<productId>", f"{option}</option>" * (_CROWD + 1) + "<productId>")
    read = decode_request(parse(submit([item])))
    assert len(read.specification.items[0].options) == _CROWD + 1
    with pytest.raises(BadMessage):
        decode_request(parse(submit([item.replace("<values>", "<value>", 1)])))


def test_an_answer_of_two_large_orders_is_read() -> None:
    done = StatusInfo(status=Status.COMPLETED)
    items = tuple(
        OrderItem(
            specification=ItemSpecification(item_id=str(number), identifier=ProductId(identifier="p")),
            status=done,
        )
        for number in range(_CROWD + 1)
    )
    order = Order(order_id="urn:uuid:1", specification=OrderSpecification(), status=done, items=items)
    for count in (1, 2):
        answer = GetStatusResponse(orders=(order,) * count)
        assert decode_response(parse(encode_response(answer))) == answer
