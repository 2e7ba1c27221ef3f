"""GetOptions both ways (06-141r6 clause 9): what is asked about, and the option groups that are answered.

The rules of a group have no element here and are left out; the service still refuses what breaks one, with
the same sentence as by the JSON door.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from oseo_lab.encoding.message_frame import (
    BASE,
    HEAD,
    PLAIN,
    WITH_SWE,
    Codec,
    enumerated,
    request_fields,
    uri,
    write_request,
    write_response,
)
from oseo_lab.encoding.options_xml import read_definition, write_definition
from oseo_lab.encoding.xmltree import OSEO, Readers, local_name, one, read
from oseo_lab.model.collection import OrderOptions, PaymentOption, ProductDelivery, SceneSelectionOption
from oseo_lab.model.delivery import PackageMedium, Protocol
from oseo_lab.model.identifiers import OrderType, TaskingRequestId
from oseo_lab.model.messages import GetOptions, GetOptionsResponse

__all__ = ["CODECS"]

_O = f"{{{OSEO}}}"


def _tasking(element: etree._Element) -> TaskingRequestId:
    return TaskingRequestId(id=uri(element[0]))


_GET_OPTIONS: Readers = {
    **BASE,
    f"{_O}collectionId": ("collection_id", None, False),
    f"{_O}identifier": ("identifiers", None, True),
    f"{_O}taskingRequestId": ("tasking_request_id", _tasking, False),
}


def _write_get_options(request: GetOptions) -> str:
    tasking = request.tasking_request_id
    body = one("collectionId", request.collection_id) + "".join(
        [one("identifier", each) for each in request.identifiers]
    )
    if tasking is not None:
        body += f"<taskingRequestId>{one('ID', tasking.id)}</taskingRequestId>"
    return write_request("GetOptions", request, PLAIN, body)


#: Kinds of delivery: element, field, element of one entry, and its values.
_DELIVERIES: tuple[tuple[str, str, str, Any], ...] = (
    ("onlineDataAccess", "online_access", "protocol", Protocol),
    ("onlineDataDelivery", "online_delivery", "protocol", Protocol),
    ("mediaDelivery", "media", "packageMedium", PackageMedium),
)


def _delivery(element: etree._Element) -> ProductDelivery:
    kind = element[0]
    field, values = next(
        (field, values) for name, field, _, values in _DELIVERIES if name == local_name(kind)
    )
    return ProductDelivery(**{field: tuple(values(each.text or "") for each in kind)})


def _write_delivery(delivery: ProductDelivery) -> str:
    written = []
    for name, field, entry, _ in _DELIVERIES:
        entries = "".join([one(entry, each) for each in getattr(delivery, field)])
        if entries:
            written.append(f"<productDeliveryOptions><{name}>{entries}</{name}></productDeliveryOptions>")
    return "".join(written)


_PAYMENT: Readers = {
    f"{_O}paymentMethod": ("payment_method", None, False),
    f"{_O}paymentOptionInfoURL": ("info_url", uri, False),
}
_SCENE: Readers = {
    f"{_O}name": ("name", None, False),
    f"{_O}description": ("description", None, False),
    f"{_O}sceneSelectionParameter": ("parameters", read_definition, True),
}
_GROUP: Readers = {
    f"{_O}productOrderOptionsId": ("product_order_options_id", None, False),
    f"{_O}identifier": ("identifier", None, False),
    f"{_O}description": ("description", None, False),
    f"{_O}orderType": ("order_type", enumerated(OrderType), False),
    f"{_O}option": ("options", read_definition, True),
    f"{_O}productDeliveryOptions": ("deliveries", _delivery, True),
    f"{_O}orderOptionInfoURL": ("info_url", uri, False),
    f"{_O}paymentOptions": ("payments", lambda each: PaymentOption(**read(each, _PAYMENT)), True),
    f"{_O}sceneSelectionOption": (
        "scene_selections",
        lambda each: SceneSelectionOption(**read(each, _SCENE)),
        True,
    ),
}
_GET_OPTIONS_RESPONSE: Readers = {
    **HEAD,
    f"{_O}orderOptions": ("order_options", lambda each: OrderOptions(**read(each, _GROUP)), True),
}


def _write_scene(scene: SceneSelectionOption) -> str:
    parameters = "".join([write_definition("sceneSelectionParameter", each) for each in scene.parameters])
    return (
        f"<sceneSelectionOption>{one('name', scene.name)}{one('description', scene.description)}"
        f"{parameters}</sceneSelectionOption>"
    )


def _write_group(group: OrderOptions) -> str:
    payments = "".join(
        f"<paymentOptions>{one('paymentMethod', each.payment_method)}"
        f"{one('paymentOptionInfoURL', each.info_url)}</paymentOptions>"
        for each in group.payments
    )
    return (
        f"<orderOptions>{one('productOrderOptionsId', group.product_order_options_id)}"
        f"{one('identifier', group.identifier)}{one('description', group.description)}"
        f"{one('orderType', group.order_type)}"
        f"{''.join([write_definition('option', each) for each in group.options])}"
        f"{''.join([_write_delivery(each) for each in group.deliveries])}"
        f"{one('orderOptionInfoURL', group.info_url)}{payments}"
        f"{''.join([_write_scene(each) for each in group.scene_selections])}</orderOptions>"
    )


def _write_get_options_response(response: GetOptionsResponse) -> str:
    groups = "".join([_write_group(each) for each in response.order_options])
    return write_response("GetOptionsResponse", response, WITH_SWE, groups)


#: The rows of `oseo.CODECS` that are written here.
CODECS = (
    Codec(
        name="GetOptions",
        request=GetOptions,
        response_name="GetOptionsResponse",
        response=GetOptionsResponse,
        decode_request=lambda element: GetOptions(**request_fields(element, _GET_OPTIONS)),
        encode_request=_write_get_options,
        decode_response=lambda element: GetOptionsResponse(**read(element, _GET_OPTIONS_RESPONSE)),
        encode_response=_write_get_options_response,
    ),
)
