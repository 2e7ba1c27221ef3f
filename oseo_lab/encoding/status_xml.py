"""What became of orders, as XML: monitoring (06-141r6 7.3.12) and where results lie (Table 15-4).

The answer a user polls: written as text, order by order, so that a server may keep the bytes of an order
that did not change (`write_order` stands alone).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from lxml import etree

from oseo_lab.encoding.order_xml import (
    COMMON_READERS,
    IDENTIFIER_READERS,
    ITEM_READERS,
    new_item,
    new_specification,
    write_common,
    write_identifier,
    write_item,
)
from oseo_lab.encoding.quick import maker
from oseo_lab.encoding.xmltree import OSEO, Readers, escape, one, read, read_time, timestamp
from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.order import Order, OrderItem, StatusInfo
from oseo_lab.model.status import Status

__all__ = ["order_ends", "read_item_url", "read_order", "write_item_url", "write_items", "write_order"]

_O = f"{{{OSEO}}}"
_new_status = maker(StatusInfo)
_new_item = maker(OrderItem)
_new_order = maker(Order)
_STATUSES = {each.value: each for each in Status}
#: Longest ``additionalStatusInfo`` and ``missionSpecificStatusInfo``, characters.
_LONGEST = 4000


def _status(element: etree._Element) -> StatusInfo:
    return _new_status(**read(element, _STATUS_READERS))


def _uri(element: etree._Element) -> str:
    return (element.text or "").strip()


def _item(element: etree._Element) -> OrderItem:
    values = read(element, _MONITORED_ITEM_READERS)
    status = values.pop("status")
    return _new_item(specification=new_item(**values), status=status)


def read_order(element: etree._Element) -> Order:
    """Read an ``orderMonitorSpecification``; what only a server knows keeps its default."""
    values = read(element, _ORDER_READERS)
    own = {name: values.pop(name) for name in _OWN if name in values}
    return _new_order(specification=new_specification(**values), **own)


_STATUS_READERS: Readers = {
    f"{_O}status": ("status", lambda each: _STATUSES[each.text or ""], False),
    f"{_O}additionalStatusInfo": ("additional", None, False),
    f"{_O}missionSpecificStatusInfo": ("mission_specific", None, False),
}
_MONITORED_ITEM_READERS: Readers = {**ITEM_READERS, f"{_O}orderItemStatusInfo": ("status", _status, False)}
_OWN_READERS: Readers = {
    f"{_O}orderId": ("order_id", _uri, False),
    f"{_O}orderStatusInfo": ("status", _status, False),
    f"{_O}orderDateTime": ("created", read_time, False),
    f"{_O}orderItem": ("items", _item, True),
}
_ORDER_READERS: Readers = {**COMMON_READERS, **_OWN_READERS}
_OWN = tuple(field for field, _, _ in _OWN_READERS.values())


def _write_status(name: str, info: StatusInfo) -> str:
    status = info.status.value
    if info.additional is None and info.mission_specific is None:
        return f"<{name}><status>{status}</status></{name}>"
    additional = one("additionalStatusInfo", (info.additional or "")[:_LONGEST] or None)
    mission = info.mission_specific
    special = one("missionSpecificStatusInfo", None if mission is None else mission[:_LONGEST])
    return f"<{name}><status>{status}</status>{additional}{special}</{name}>"


def _write_item(item: OrderItem) -> str:
    status = _write_status("orderItemStatusInfo", item.status)
    return f"<orderItem>{write_item(item.specification, echo=True)}{status}</orderItem>"


def write_order(order: Order, namespaces: str = "") -> str:
    """Write an ``orderMonitorSpecification``: with its items, if it has any (a full presentation).

    Parameters
    ----------
    order : Order
        With ``items`` for full, without for brief.
    namespaces : str
        Declarations to put on the element, where it stands alone.
    """
    start, end = order_ends(order, namespaces)
    return f"{start}{write_items(order.items)}{end}"


def order_ends(order: Order, namespaces: str = "") -> tuple[str, str]:
    """Write an ``orderMonitorSpecification`` but for its items: what stands before and after them."""
    created = "" if order.created is None else f"<orderDateTime>{timestamp(order.created)}</orderDateTime>"
    start = (
        f"<orderMonitorSpecification{namespaces}>{write_common(order.specification, echo=True)}"
        f"<orderId>{escape(order.order_id)}</orderId>{_write_status('orderStatusInfo', order.status)}"
        f"{created}"
    )
    return start, "</orderMonitorSpecification>"


def write_items(items: Iterable[OrderItem]) -> str:
    """Write monitored ``orderItem`` elements."""
    return "".join([_write_item(each) for each in items])


def _service(element: etree._Element) -> dict[str, str]:
    return read(element, _SERVICE_READERS)


def read_item_url(element: etree._Element) -> ItemURL:
    """Read one ``URLs`` of DescribeResultAccess; requests to be posted to a service are left out."""
    values = read(element, _URL_READERS)
    address = values.pop("address")
    service = {name: text for name, text in address.get("service", {}).items() if name in _URL_FIELDS}
    return ItemURL(url=address["resource"], **service, **values)


_SERVICE_READERS: Readers = {
    f"{_O}type": ("service_type", None, False),
    f"{_O}URL": ("service_url", _uri, False),
    f"{_O}info_URL": ("service_info_url", _uri, False),
    f"{_O}infoRequest": ("request", None, False),
}
_ADDRESS_READERS: Readers = {
    f"{_O}ServiceAddress": ("service", _service, False),
    f"{_O}ResourceAddress": ("resource", lambda each: _uri(each[0]), False),
}
_URL_READERS: Readers = {
    f"{_O}itemId": ("item_id", None, False),
    f"{_O}productId": ("product_id", IDENTIFIER_READERS[f"{_O}productId"][1], False),
    f"{_O}itemAddress": ("address", lambda each: read(each, _ADDRESS_READERS), False),
    f"{_O}expirationDate": ("expiration", read_time, False),
}
_URL_FIELDS = {each.name for each in fields(ItemURL)}


def write_item_url(item: ItemURL) -> str:
    """Write one ``URLs`` of DescribeResultAccess."""
    product = "" if item.product_id is None else write_identifier(item.product_id)
    service = ""
    if item.service_url is not None:
        info = item.service_info_url or item.service_url
        service = (
            f"<ServiceAddress>{one('type', item.service_type)}{one('URL', item.service_url)}"
            f"{one('info_URL', info)}</ServiceAddress>"
        )
    until = (
        "" if item.expiration is None else f"<expirationDate>{timestamp(item.expiration)}</expirationDate>"
    )
    return (
        f"<URLs><itemId>{escape(item.item_id)}</itemId>{product}<itemAddress>{service}"
        f"<ResourceAddress><URL>{escape(item.url)}</URL></ResourceAddress></itemAddress>{until}</URLs>"
    )
