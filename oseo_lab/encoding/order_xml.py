"""The order as XML: specification, items, addresses and delivery (06-141r6 clauses 7.3.4 to 7.3.8).

`oseo` calls it with elements that `checking` has passed, so reading here is a table per type and no
questions. Writing is text joined once; what must not be given back (passwords, card data) is left out
where the order is only echoed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from lxml import etree

from oseo_lab.encoding.options_xml import read_selection, write_selection
from oseo_lab.encoding.quick import maker
from oseo_lab.encoding.xmltree import OSEO, Readers, escape, one, read
from oseo_lab.model.delivery import (
    DeliveryAddress,
    DeliveryInformation,
    DeliveryOptions,
    MediaDelivery,
    OnlineAddress,
    OnlineDataAccess,
    OnlineDataDelivery,
    PackageMedium,
    Packaging,
    PostalAddress,
    Protocol,
    Secret,
    ShippingInstructions,
)
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Payment, Priority

__all__ = [
    "COMMON_READERS",
    "IDENTIFIER_READERS",
    "ITEM_READERS",
    "new_item",
    "new_specification",
    "read_item",
    "read_specification",
    "write_common",
    "write_identifier",
    "write_item",
    "write_specification",
]

_O = f"{{{OSEO}}}"
_new_postal = maker(PostalAddress)
_new_address = maker(DeliveryAddress)
_new_online = maker(OnlineAddress)
_new_information = maker(DeliveryInformation)
new_specification = maker(OrderSpecification)
_new_product = maker(ProductId)
_new_access = maker(OnlineDataAccess)
_new_media = maker(MediaDelivery)
_new_delivery = maker(DeliveryOptions)
_new_payment = maker(Payment)
new_item = maker(ItemSpecification)
_PROTOCOLS = {each.value: each for each in Protocol}
_MEDIA = {each.value: each for each in PackageMedium}
_SHIPPING = {each.value: each for each in ShippingInstructions}
_PACKAGINGS = {each.value: each for each in Packaging}
_PRIORITIES = {each.value: each for each in Priority}
_ORDER_TYPES = {each.value: each for each in OrderType}


def _texts(**names: str) -> dict[str, tuple[str, None, bool]]:
    """Return readers of elements that are text, from field to element name."""
    return {_O + name: (field, None, False) for field, name in names.items()}


# --- reading ----------------------------------------------------------------------------------------------


def _protocol(element: etree._Element) -> Protocol:
    return _PROTOCOLS[element.text or ""]


def _product(element: etree._Element) -> ProductId:
    if len(element) == 1:
        return _new_product(element[0].text or "")
    return _new_product(element[0].text or "", element[1].text)


def _subscription(element: etree._Element) -> SubscriptionId:
    return SubscriptionId(collection_id=element[0].text or "")


def _tasking(element: etree._Element) -> TaskingRequestId:
    return TaskingRequestId(id=(element[0].text or "").strip())


def _access(protocol: str) -> OnlineDataAccess:
    return _new_access(_PROTOCOLS[protocol])


def _push(protocol: str) -> OnlineDataDelivery:
    return OnlineDataDelivery(protocol=_PROTOCOLS[protocol])


def _media(medium: str, shipping: str | None = None) -> MediaDelivery:
    return _new_media(_MEDIA[medium], None if shipping is None else _SHIPPING[shipping])


def _delivery_options(element: etree._Element) -> DeliveryOptions:
    kind = element[0]
    delivery = _delivered(kind.tag, *[each.text or "" for each in kind])
    if len(element) == 1:
        return delivery
    return _new_delivery(delivery.delivery, **read(list(element)[1:], _DELIVERY_READERS))


@cache
def _delivered(kind: str, *said: str) -> DeliveryOptions:
    """Make plain delivery options; what they say is of enumerations, so there are few."""
    return _new_delivery(_DELIVERY_KINDS[kind](*said))


def _payment(element: etree._Element) -> Payment:
    method = element[0].text or ""
    if len(element) == 1:
        return _new_payment(method)
    if element[1].tag == _ACCOUNT:
        return _new_payment(method, element[1].text or "")
    return _new_payment(method, None, element[1].text or "")


def _online_address(element: etree._Element) -> OnlineAddress:
    return _new_online(**read(element, _ONLINE_READERS))


def _address(element: etree._Element) -> DeliveryAddress:
    return _new_address(**read(element, _ADDRESS_READERS))


def _delivery_information(element: etree._Element) -> DeliveryInformation:
    return _new_information(**read(element, _INFORMATION_READERS))


def read_item(element: etree._Element) -> ItemSpecification:
    """Read an ``orderItem`` of a specification."""
    return new_item(**read(element, ITEM_READERS))


def read_specification(element: etree._Element) -> OrderSpecification:
    """Read an ``orderSpecification``."""
    return new_specification(**read(element, _SPECIFICATION_READERS))


#: The three ways to say what an item is about.
IDENTIFIER_READERS: Readers = {
    f"{_O}productId": ("identifier", _product, False),
    f"{_O}subscriptionId": ("identifier", _subscription, False),
    f"{_O}taskingRequestId": ("identifier", _tasking, False),
}
_ACCOUNT = f"{_O}orderAccount"
_DELIVERY_KINDS: dict[str, Callable[..., Any]] = {
    f"{_O}onlineDataAccess": _access,
    f"{_O}onlineDataDelivery": _push,
    f"{_O}mediaDelivery": _media,
}
_DELIVERY_READERS: Readers = {
    f"{_O}numberOfCopies": ("number_of_copies", lambda each: int(each.text or ""), False),
    **_texts(product_annotation="productAnnotation", special_instructions="specialInstructions"),
}
_ONLINE_READERS: Readers = {
    f"{_O}protocol": ("protocol", _protocol, False),
    f"{_O}userPassword": ("user_password", lambda each: Secret(each.text or ""), False),
    **_texts(server_address="serverAddress", user_name="userName", path="path"),
}
_POSTAL_READERS = _texts(
    street_address="streetAddress",
    city="city",
    state="state",
    postal_code="postalCode",
    country="country",
    post_box="postBox",
)
_ADDRESS_READERS: Readers = {
    f"{_O}postalAddress": (
        "postal_address",
        lambda each: _new_postal(**read(each, _POSTAL_READERS)),
        False,
    ),
    **_texts(
        first_name="firstName",
        last_name="lastName",
        company_ref="companyRef",
        telephone_number="telephoneNumber",
        facsimile_telephone_number="facsimileTelephoneNumber",
    ),
}
_INFORMATION_READERS: Readers = {
    f"{_O}onlineAddress": ("online_addresses", _online_address, True),
    f"{_O}mailAddress": ("mail_address", _address, False),
}
#: ``CommonOrderItemType``.
ITEM_READERS: Readers = {
    **_texts(item_id="itemId", product_order_options_id="productOrderOptionsId", remark="orderItemRemark"),
    f"{_O}option": ("options", read_selection, True),
    f"{_O}sceneSelection": ("scene_selections", read_selection, True),
    f"{_O}deliveryOptions": ("delivery_options", _delivery_options, False),
    f"{_O}payment": ("payment", _payment, False),
    f"{_O}extension": ("extensions", None, True),
    **IDENTIFIER_READERS,
}
#: ``CommonOrderSpecification``: what a specification and its monitoring share.
COMMON_READERS: Readers = {
    **_texts(order_reference="orderReference", order_remark="orderRemark"),
    f"{_O}deliveryInformation": ("delivery_information", _delivery_information, False),
    f"{_O}invoiceAddress": ("invoice_address", _address, False),
    f"{_O}packaging": ("packaging", lambda each: _PACKAGINGS.get(each.text or ""), False),
    f"{_O}option": ("options", read_selection, True),
    f"{_O}deliveryOptions": ("delivery_options", _delivery_options, False),
    f"{_O}priority": ("priority", lambda each: _PRIORITIES[each.text or ""], False),
    f"{_O}orderType": ("order_type", lambda each: _ORDER_TYPES[each.text or ""], False),
    f"{_O}extension": ("extensions", None, True),
}
_SPECIFICATION_READERS: Readers = {**COMMON_READERS, f"{_O}orderItem": ("items", read_item, True)}


# --- writing ----------------------------------------------------------------------------------------------


def write_identifier(identifier: ItemIdentifier) -> str:
    """Write ``productId``, ``subscriptionId`` or ``taskingRequestId``."""
    if isinstance(identifier, ProductId):
        collection = one("collectionId", identifier.collection_id)
        return f"<productId><identifier>{escape(identifier.identifier)}</identifier>{collection}</productId>"
    if isinstance(identifier, SubscriptionId):
        return f"<subscriptionId>{one('collectionId', identifier.collection_id)}</subscriptionId>"
    return f"<taskingRequestId>{one('ID', identifier.id)}</taskingRequestId>"


def _write_delivery(options: DeliveryOptions | None) -> str:
    if options is None:
        return ""
    how = options.delivery
    if isinstance(how, MediaDelivery):
        inside = (
            f"<mediaDelivery><packageMedium>{how.package_medium.value}</packageMedium>"
            f"{one('shippingInstructions', how.shipping_instructions)}</mediaDelivery>"
        )
    else:
        kind = "onlineDataAccess" if isinstance(how, OnlineDataAccess) else "onlineDataDelivery"
        inside = f"<{kind}><protocol>{how.protocol.value}</protocol></{kind}>"
    copies = (
        ""
        if options.number_of_copies is None
        else f"<numberOfCopies>{options.number_of_copies}</numberOfCopies>"
    )
    return (
        f"<deliveryOptions>{inside}{copies}{one('productAnnotation', options.product_annotation)}"
        f"{one('specialInstructions', options.special_instructions)}</deliveryOptions>"
    )


def _write_payment(payment: Payment | None, echo: bool) -> str:
    if payment is None:
        return ""
    card = None if echo else payment.credit_card_info
    return (
        f"<payment>{one('paymentMethod', payment.payment_method)}{one('orderAccount', payment.order_account)}"
        f"{one('creditCardInfo', card)}</payment>"
    )


def write_item(item: ItemSpecification, *, echo: bool) -> str:
    """Write what stands inside an ``orderItem``, without its status.

    Parameters
    ----------
    item : ItemSpecification
        As submitted.
    echo : bool
        Whether it goes back to its sender: then card data are left out.
    """
    options = "".join([write_selection("option", each) for each in item.options])
    scenes = "".join([write_selection("sceneSelection", each) for each in item.scene_selections])
    extensions = "".join([one("extension", each) for each in item.extensions]) if item.extensions else ""
    return (
        f"<itemId>{escape(item.item_id)}</itemId>"
        f"{one('productOrderOptionsId', item.product_order_options_id)}{one('orderItemRemark', item.remark)}"
        f"{options}{scenes}{_write_delivery(item.delivery_options)}{_write_payment(item.payment, echo)}"
        f"{extensions}{write_identifier(item.identifier)}"
    )


def _write_online_address(address: OnlineAddress, echo: bool) -> str:
    password = None if echo or address.user_password is None else address.user_password.reveal()
    return (
        f"<onlineAddress><protocol>{address.protocol.value}</protocol>"
        f"{one('serverAddress', address.server_address)}{one('userName', address.user_name)}"
        f"{one('userPassword', password)}{one('path', address.path)}</onlineAddress>"
    )


def _write_address(name: str, address: DeliveryAddress | None) -> str:
    if address is None:
        return ""
    return (
        f"<{name}>{one('firstName', address.first_name)}{one('lastName', address.last_name)}"
        f"{one('companyRef', address.company_ref)}{_write_postal(address.postal_address)}"
        f"{one('telephoneNumber', address.telephone_number)}"
        f"{one('facsimileTelephoneNumber', address.facsimile_telephone_number)}</{name}>"
    )


def _write_postal(postal: PostalAddress | None) -> str:
    if postal is None:
        return ""
    return (
        f"<postalAddress>{one('streetAddress', postal.street_address)}{one('city', postal.city)}"
        f"{one('state', postal.state)}{one('postalCode', postal.postal_code)}"
        f"{one('country', postal.country)}{one('postBox', postal.post_box)}</postalAddress>"
    )


def _write_information(information: DeliveryInformation | None, echo: bool) -> str:
    if information is None:
        return ""
    online = "".join([_write_online_address(each, echo) for each in information.online_addresses])
    mail = _write_address("mailAddress", information.mail_address)
    return f"<deliveryInformation>{online}{mail}</deliveryInformation>"


def write_common(order: OrderSpecification, *, echo: bool) -> str:
    """Write what a specification and its monitoring share, everything before the items.

    Parameters
    ----------
    order : OrderSpecification
        As submitted.
    echo : bool
        Whether it goes back to its sender: then passwords and card data are left out.
    """
    options = "".join([write_selection("option", each) for each in order.options])
    extensions = "".join([one("extension", each) for each in order.extensions])
    return (
        f"{one('orderReference', order.order_reference)}{one('orderRemark', order.order_remark)}"
        f"{_write_information(order.delivery_information, echo)}"
        f"{_write_address('invoiceAddress', order.invoice_address)}"
        f"{one('packaging', order.packaging)}{options}{_write_delivery(order.delivery_options)}"
        f"{one('priority', order.priority)}<orderType>{order.order_type.value}</orderType>{extensions}"
    )


def write_specification(order: OrderSpecification) -> str:
    """Write an ``orderSpecification`` as a client submits it."""
    items = [f"<orderItem>{write_item(each, echo=False)}</orderItem>" for each in order.items]
    return f"<orderSpecification>{write_common(order, echo=False)}{''.join(items)}</orderSpecification>"
