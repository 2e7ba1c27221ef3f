"""The quotation as XML: ``OrderQuotation`` and its parts (06-141r6 7.3.10), read and written.

`oseo` calls it for GetQuotationAck, `callbacks_xml` for GetQuotationResponse. What this service estimates
beside the prices has no element of its own in the standard: it goes out as words in ``priceInformation``.
"""

from __future__ import annotations

from lxml import etree

from oseo_lab.encoding.order_xml import IDENTIFIER_READERS, write_identifier
from oseo_lab.encoding.xmltree import OSEO, Readers, attribute, escape, one, read, read_time, timestamp
from oseo_lab.model.archive import restore_words
from oseo_lab.model.estimates import in_words
from oseo_lab.model.messages import GetQuotationResponse, ResponseStatus
from oseo_lab.model.quotation import (
    CONTRACT_LENGTH,
    INFORMATION_LENGTH,
    ItemGroupPrice,
    ItemPrice,
    Price,
    ProviderName,
    Quotation,
)

__all__ = ["read_quotation", "read_quotation_response", "write_quotation", "write_quotation_response"]

_O = f"{{{OSEO}}}"
_STATUSES = {each.value: each for each in ResponseStatus}


# --- reading ----------------------------------------------------------------------------------------------


def _uri(element: etree._Element) -> str:
    return (element.text or "").strip()


def _price(element: etree._Element) -> Price:
    return Price(value=float(element[0].text or ""), currency=element[1].text or "")


def _provider(element: etree._Element) -> ProviderName:
    return ProviderName(service_name=element[0].text or "", organization=element[1].text or "")


def _item(element: etree._Element) -> ItemPrice:
    return ItemPrice(**read(element, _ITEM_READERS))


def _group(element: etree._Element) -> ItemGroupPrice:
    values = read(element, _GROUP_READERS)
    return ItemGroupPrice(**{**values, "items": tuple(values["items"])})


def read_quotation(element: etree._Element) -> Quotation:
    """Read a ``quotation``: an ``OrderQuotation``."""
    values = read(element, _QUOTATION_READERS)
    return Quotation(**{**values, "groups": tuple(values["groups"])})


def read_quotation_response(element: etree._Element) -> GetQuotationResponse:
    """Read a ``GetQuotationResponse``: what a client is told that asked asynchronously."""
    return GetQuotationResponse(version=element.get("version", ""), **read(element, _RESPONSE_READERS))


_ITEM_READERS: Readers = {
    f"{_O}itemId": ("item_id", None, False),
    **IDENTIFIER_READERS,
    f"{_O}price": ("price", _price, False),
    f"{_O}priceInformation": ("price_information", None, False),
    f"{_O}contractInformation": ("contract_information", None, False),
}
_COMMON_READERS: Readers = {
    f"{_O}quotationId": ("quotation_id", _uri, False),
    f"{_O}validityTime": ("validity_time", read_time, False),
    f"{_O}price": ("price", _price, False),
    f"{_O}contractInformation": ("contract_information", None, False),
}
_GROUP_READERS: Readers = {
    **_COMMON_READERS,
    f"{_O}provider": ("provider", _provider, False),
    f"{_O}balance": ("balance", _price, False),
    f"{_O}orderItemPrice": ("items", _item, True),
}
_QUOTATION_READERS: Readers = {**_COMMON_READERS, f"{_O}orderItemGroupPrice": ("groups", _group, True)}
_RESPONSE_READERS: Readers = {
    f"{_O}status": ("status", lambda each: _STATUSES[each.text or ""], False),
    f"{_O}errorMessage": ("error_message", None, False),
    f"{_O}quotation": ("quotation", read_quotation, False),
}


# --- writing ----------------------------------------------------------------------------------------------


def _write_price(name: str, price: Price | None) -> str:
    if price is None:
        return ""
    value = repr(price.value).removesuffix(".0")
    return f"<{name}><value>{value}</value>{one('currency', price.currency)}</{name}>"


def _write_contract(text: str | None) -> str:
    return one("contractInformation", None if text is None else text[:CONTRACT_LENGTH])


def _information(item: ItemPrice) -> str | None:
    """Return how the price came about, and after it what is likely, as far as there is room."""
    said = item.price_information
    offline = "" if item.restore is None else restore_words(item.restore)
    kept = "" if item.reuse is None else item.reuse.words()
    likely = "; ".join(filter(None, (kept, offline, in_words(item.size, item.duration))))
    if not likely:
        return said
    room = INFORMATION_LENGTH - len(likely) - 2
    return f"{said[:room]}; {likely}" if said and room > 0 else likely[:INFORMATION_LENGTH]


def _write_item(item: ItemPrice) -> str:
    information = _information(item)
    return (
        f"<orderItemPrice>{one('itemId', item.item_id)}{write_identifier(item.identifier)}"
        f"{_write_price('price', item.price)}"
        f"{one('priceInformation', None if information is None else information[:INFORMATION_LENGTH])}"
        f"{_write_contract(item.contract_information)}</orderItemPrice>"
    )


def _write_group(group: ItemGroupPrice) -> str:
    provider = group.provider
    until = group.validity_time
    return (
        f"<orderItemGroupPrice><provider>{one('serviceName', provider.service_name[:40])}"
        f"{one('organization', provider.organization[:40])}</provider>"
        f"{one('quotationId', group.quotation_id)}"
        f"{one('validityTime', None if until is None else timestamp(until))}"
        f"{_write_price('price', group.price)}{_write_price('balance', group.balance)}"
        f"{''.join([_write_item(each) for each in group.items])}"
        f"{_write_contract(group.contract_information)}</orderItemGroupPrice>"
    )


def write_quotation(quotation: Quotation) -> str:
    """Write a ``quotation``."""
    until = quotation.validity_time
    return (
        f"<quotation><quotationId>{escape(quotation.quotation_id)}</quotationId>"
        f"{one('validityTime', None if until is None else timestamp(until))}"
        f"{_write_price('price', quotation.price)}"
        f"{''.join([_write_group(each) for each in quotation.groups])}"
        f"{_write_contract(quotation.contract_information)}</quotation>"
    )


def write_quotation_response(message: GetQuotationResponse) -> str:
    """Write a ``GetQuotationResponse``: a request that begins as a response does, without timeStamp."""
    said = message.error_message
    return (
        f'<GetQuotationResponse xmlns="{OSEO}" service="OS" version="{attribute(message.version)}">'
        f"{one('status', message.status)}{one('errorMessage', None if said is None else said[:255])}"
        f"{write_quotation(message.quotation)}</GetQuotationResponse>"
    )
