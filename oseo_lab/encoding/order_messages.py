"""The messages about orders both ways: GetQuotation, Submit, GetStatus, DescribeResultAccess, Cancel.

What they hold is read and written by `order_xml`, `status_xml` and `quotation_xml` (06-141r6 clauses 10, 12,
14 to 16).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from lxml import etree

from oseo_lab.encoding.message_frame import (
    BASE,
    HEAD,
    NOTIFY,
    ORDER_ID,
    PLAIN,
    WITH_VALUES,
    Codec,
    enumerated,
    request_fields,
    uri,
    write_request,
    write_response,
)
from oseo_lab.encoding.order_xml import read_specification, write_specification
from oseo_lab.encoding.quotation_xml import read_quotation, write_quotation
from oseo_lab.encoding.status_xml import (
    order_ends,
    read_item_url,
    read_order,
    write_item_url,
    write_items,
    write_order,
)
from oseo_lab.encoding.xmltree import OSEO, Readers, instant, one, read, read_time, timestamp
from oseo_lab.model.errors import BadMessage, Problem
from oseo_lab.model.messages import (
    Cancel,
    CancelAck,
    DescribeResultAccess,
    DescribeResultAccessResponse,
    FilteringCriteria,
    GetQuotation,
    GetQuotationAck,
    GetStatus,
    GetStatusResponse,
    OrderInParts,
    Presentation,
    SubFunction,
    Submit,
    SubmitAck,
)
from oseo_lab.model.status import Status

__all__ = ["CODECS", "encode_status"]

_O = f"{{{OSEO}}}"
#: From a day's first moment to its last.
_DAY = timedelta(days=1) - timedelta.resolution

# --- GetQuotation -----------------------------------------------------------------------------------------

_GET_QUOTATION: Readers = {
    **BASE,
    f"{_O}orderSpecification": ("specification", read_specification, False),
    f"{_O}quotationId": ("quotation_id", uri, False),
}
_GET_QUOTATION_ACK: Readers = {
    **HEAD,
    f"{_O}quotationId": ("quotation_id", uri, False),
    f"{_O}quotation": ("quotation", read_quotation, False),
}


def _write_get_quotation(request: GetQuotation) -> str:
    specification = request.specification
    body = "" if specification is None else write_specification(specification)
    body += one("quotationId", request.quotation_id)
    return write_request("GetQuotation", request, WITH_VALUES, body)


def _write_get_quotation_ack(response: GetQuotationAck) -> str:
    body = one("quotationId", response.quotation_id)
    body += "" if response.quotation is None else write_quotation(response.quotation)
    return write_response("GetQuotationAck", response, PLAIN, body)


# --- Submit -----------------------------------------------------------------------------------------------

_SUBMIT: Readers = {
    **BASE,
    f"{_O}orderSpecification": ("specification", read_specification, False),
    f"{_O}quotationId": ("quotation_id", uri, False),
    **NOTIFY,
}
_SUBMIT_ACK: Readers = {**HEAD, **ORDER_ID, f"{_O}orderReference": ("order_reference", None, False)}


def _write_submit(request: Submit) -> str:
    specification = request.specification
    body = "" if specification is None else write_specification(specification)
    body += one("quotationId", request.quotation_id)
    body += one("statusNotification", request.status_notification)
    return write_request("Submit", request, WITH_VALUES, body)


def _write_submit_ack(response: SubmitAck) -> str:
    body = one("orderId", response.order_id) + one("orderReference", response.order_reference)
    return write_response("SubmitAck", response, PLAIN, body)


# --- GetStatus --------------------------------------------------------------------------------------------


def _last_update_end(element: etree._Element) -> Any:
    """Read a value the schema gives no type: a time, or a date meaning its last moment."""
    text = "".join(str(each) for each in element.itertext()).strip()
    try:
        at = instant(text)
        return at if "T" in text else at + _DAY
    except (ValueError, OverflowError):
        said = f"lastUpdateEnd: {text[:100]!r} is not a time or date such as 2024-06-01T10:00:00Z"
        raise BadMessage.of(
            [Problem(code="InvalidParameterValue", locator="lastUpdateEnd", text=said)]
        ) from None


_CRITERIA: Readers = {
    f"{_O}lastUpdate": ("last_update", read_time, False),
    f"{_O}lastUpdateEnd": ("last_update_end", _last_update_end, False),
    f"{_O}orderStatus": ("order_statuses", enumerated(Status), True),
    f"{_O}orderReference": ("order_reference", None, False),
    f"{_O}extension": ("extensions", None, True),
}
_GET_STATUS: Readers = {
    **BASE,
    **ORDER_ID,
    f"{_O}filteringCriteria": (
        "filtering_criteria",
        lambda each: FilteringCriteria(**read(each, _CRITERIA)),
        False,
    ),
    f"{_O}presentation": ("presentation", enumerated(Presentation), False),
}
_ORDERS_HERE = "<!-- orders -->"
_GET_STATUS_RESPONSE: Readers = {**HEAD, f"{_O}orderMonitorSpecification": ("orders", read_order, True)}


def _write_criteria(criteria: FilteringCriteria | None) -> str:
    if criteria is None:
        return ""
    since, until = criteria.last_update, criteria.last_update_end
    return (
        "<filteringCriteria>"
        f"{one('lastUpdate', None if since is None else timestamp(since))}"
        f"{one('lastUpdateEnd', None if until is None else timestamp(until))}"
        f"{''.join([one('orderStatus', each) for each in criteria.order_statuses])}"
        f"{one('orderReference', criteria.order_reference)}"
        f"{''.join([one('extension', each) for each in criteria.extensions])}</filteringCriteria>"
    )


def _write_get_status(request: GetStatus) -> str:
    body = one("orderId", request.order_id) + _write_criteria(request.filtering_criteria)
    body += one("presentation", request.presentation)
    return write_request("GetStatus", request, PLAIN, body)


def _write_get_status_response(response: GetStatusResponse) -> str:
    orders = "".join([write_order(each) for each in response.orders])
    return write_response("GetStatusResponse", response, WITH_VALUES, orders)


def encode_status(parts: Iterable[OrderInParts]) -> Iterator[bytes]:
    """Yield a GetStatusResponse piece by piece: together the bytes that `encode_response` returns."""
    start, _, end = write_response(
        "GetStatusResponse", GetStatusResponse(), WITH_VALUES, _ORDERS_HERE
    ).partition(_ORDERS_HERE)
    yield start.encode()
    for order, pages in parts:
        before, after = order_ends(order)
        yield before.encode()
        for page in pages:
            yield write_items(page).encode()
        yield after.encode()
    yield end.encode()


# --- DescribeResultAccess, Cancel -------------------------------------------------------------------------

_RESULT_ACCESS: Readers = {
    **BASE,
    **ORDER_ID,
    f"{_O}subFunction": ("sub_function", enumerated(SubFunction), False),
}
_RESULT_ACCESS_RESPONSE: Readers = {**HEAD, f"{_O}URLs": ("urls", read_item_url, True)}
_CANCEL: Readers = {**BASE, **ORDER_ID, **NOTIFY}


def _write_result_access(request: DescribeResultAccess) -> str:
    body = one("orderId", request.order_id) + one("subFunction", request.sub_function)
    return write_request("DescribeResultAccess", request, PLAIN, body)


def _write_result_access_response(response: DescribeResultAccessResponse) -> str:
    urls = "".join([write_item_url(each) for each in response.urls])
    return write_response("DescribeResultAccessResponse", response, PLAIN, urls)


def _write_cancel(request: Cancel) -> str:
    body = one("orderId", request.order_id) + one("statusNotification", request.status_notification)
    return write_request("Cancel", request, PLAIN, body)


#: The rows of `oseo.CODECS` that are written here.
CODECS = (
    Codec(
        name="GetQuotation",
        request=GetQuotation,
        response_name="GetQuotationAck",
        response=GetQuotationAck,
        decode_request=lambda element: GetQuotation(**request_fields(element, _GET_QUOTATION)),
        encode_request=_write_get_quotation,
        decode_response=lambda element: GetQuotationAck(**read(element, _GET_QUOTATION_ACK)),
        encode_response=_write_get_quotation_ack,
    ),
    Codec(
        name="Submit",
        request=Submit,
        response_name="SubmitAck",
        response=SubmitAck,
        decode_request=lambda element: Submit(**request_fields(element, _SUBMIT)),
        encode_request=_write_submit,
        decode_response=lambda element: SubmitAck(**read(element, _SUBMIT_ACK)),
        encode_response=_write_submit_ack,
    ),
    Codec(
        name="GetStatus",
        request=GetStatus,
        response_name="GetStatusResponse",
        response=GetStatusResponse,
        decode_request=lambda element: GetStatus(**request_fields(element, _GET_STATUS)),
        encode_request=_write_get_status,
        decode_response=lambda element: GetStatusResponse(**read(element, _GET_STATUS_RESPONSE)),
        encode_response=_write_get_status_response,
    ),
    Codec(
        name="DescribeResultAccess",
        request=DescribeResultAccess,
        response_name="DescribeResultAccessResponse",
        response=DescribeResultAccessResponse,
        decode_request=lambda element: DescribeResultAccess(**request_fields(element, _RESULT_ACCESS)),
        encode_request=_write_result_access,
        decode_response=lambda element: DescribeResultAccessResponse(
            **read(element, _RESULT_ACCESS_RESPONSE)
        ),
        encode_response=_write_result_access_response,
    ),
    Codec(
        name="Cancel",
        request=Cancel,
        response_name="CancelAck",
        response=CancelAck,
        decode_request=lambda element: Cancel(**request_fields(element, _CANCEL)),
        encode_request=_write_cancel,
        decode_response=lambda element: CancelAck(**read(element, HEAD)),
        encode_response=lambda response: write_response("CancelAck", response, PLAIN),
    ),
)
