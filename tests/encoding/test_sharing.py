"""What items of one message share is one object, and is forgotten with the message."""

from __future__ import annotations

from oseo_lab.encoding import options_xml
from oseo_lab.encoding.oseo import decode_request, encode_request
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.delivery import DeliveryOptions, OnlineDataAccess, OnlineDataDelivery, Protocol
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Submit
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Payment


def order_of(*choices: str) -> Submit:
    items = tuple(
        ItemSpecification(
            item_id=str(number),
            identifier=ProductId(identifier="p"),
            options=(ParameterData(values=(("format", choice),)),),
            delivery_options=DeliveryOptions(delivery=OnlineDataAccess(protocol=Protocol.HTTP)),
            payment=Payment(payment_method=choice, order_account="a"),
        )
        for number, choice in enumerate(choices)
    )
    return Submit(specification=OrderSpecification(items=items))


def read(message: Submit) -> tuple[ItemSpecification, ...]:
    decoded = decode_request(parse(encode_request(message)))
    assert decoded == message
    return decoded.specification.items


def test_items_that_choose_alike_share_what_they_choose() -> None:
    one, two, other = read(order_of("COG", "COG", "PNG"))
    assert one.options[0] is two.options[0] is not other.options[0]
    assert one.delivery_options is two.delivery_options is other.delivery_options


def test_what_reads_alike_and_means_something_else_is_not_shared() -> None:
    access = DeliveryOptions(delivery=OnlineDataAccess(protocol=Protocol.FTP))
    push = DeliveryOptions(delivery=OnlineDataDelivery(protocol=Protocol.FTP))
    account = Payment(payment_method="m", order_account="1")
    card = Payment(payment_method="m", credit_card_info="1")
    items = tuple(
        ItemSpecification(
            item_id=str(number), identifier=ProductId(identifier="p"), delivery_options=how, payment=paid
        )
        for number, (how, paid) in enumerate(((access, account), (push, card)))
    )
    read(Submit(specification=OrderSpecification(items=items)))


def test_nothing_is_remembered_after_a_message() -> None:
    read(order_of("COG"))
    assert options_xml._selected.cache_info().currsize == 0
