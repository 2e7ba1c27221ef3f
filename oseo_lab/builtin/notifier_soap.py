"""The notifier in the box: writes a notice as the SOAP message it stands for, and POSTs it to its user.

Called by the relay, step 17 of the walk. Delivered is what was answered with a status from 200 to 299 and is
no SOAP fault: the standard's acknowledgements say nothing more, and many receivers answer nothing at all. An
answer that is garbage, or longer than any fault, counts by its status; one that breaks off, or drips on
after the time is over, counts as none.
Sources: OGC 06-141r6 7.4.3, clauses 11, 13 and 17; WS-Addressing 1.0; OASIS WS-BaseNotification 1.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from oseo_lab.builtin.callback_addresses import AllowList
from oseo_lab.builtin.callback_http import Answer, Limits, post
from oseo_lab.encoding import soap, xmltree
from oseo_lab.encoding.callbacks_xml import encode_callback
from oseo_lab.encoding.notifications_xml import NOTIFY_ACTION, encode_notification
from oseo_lab.model.errors import OseoError
from oseo_lab.model.messages import CancelResponse, GetQuotationResponse, ResponseStatus, SubmitResponse
from oseo_lab.model.notifications import EventCode, Notify, Topic
from oseo_lab.model.order import CallbackKind
from oseo_lab.ports import Notice, ProcessingFailed

__all__ = ["SoapNotifier"]

NOTIFY = "Notify"


class SoapNotifier:
    """Sends all four kinds of notices.

    Parameters
    ----------
    settings : mapping
        ``hosts``: what may be called back though it is not public (`AllowList`); ``url``: where this service
        is for others, or nothing: then it is where they subscribed; ``limits``: `Limits`, for those who want
        others.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._allowed = AllowList(tuple(settings.get("hosts") or ()))
        self._url = str(settings.get("url") or "")
        self._limits = settings.get("limits") or Limits()

    def __call__(self, notice: Notice) -> None:
        """Send a notice as the relay completed it: with its ``order``, or its ``quotation``.

        Raises
        ------
        ProcessingFailed
            If it was not taken.
        """
        payload, action = self._payload(notice), _ACTIONS.get(notice.kind, notice.kind)
        version = _VERSIONS.get(str(notice.body.get("soap")), soap.SoapVersion.V12)
        body = soap.request_envelope(
            payload,
            version,
            relates_to=notice.body.get("relates_to"),
            to=notice.address,
            action=action,
        )
        headers = soap.http_headers(version, action)
        _check(post(notice.address, body, headers, self._allowed, self._limits))

    def _payload(self, notice: Notice) -> bytes:
        if notice.kind == NOTIFY:
            return encode_notification(
                Notify(
                    topic=Topic(notice.body["topic"]),
                    producer=self._url or str(notice.body.get("producer") or ""),
                    code=EventCode(notice.body["code"]),
                    order_id=notice.order_id,
                )
            )
        return encode_callback(_MESSAGES[CallbackKind(notice.kind)](notice.body))


def _quotation(body: Mapping[str, Any]) -> GetQuotationResponse:
    said = body.get("error_message")
    status = ResponseStatus.PARTIAL if said else ResponseStatus.SUCCESS
    return GetQuotationResponse(quotation=body["quotation"], status=status, error_message=said)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


_MESSAGES: Mapping[CallbackKind, Callable[[Mapping[str, Any]], Any]] = {
    CallbackKind.SUBMIT_RESPONSE: lambda body: SubmitResponse(order=body["order"], time_stamp=_now()),
    CallbackKind.CANCEL_RESPONSE: lambda body: CancelResponse(order=body["order"], time_stamp=_now()),
    CallbackKind.QUOTATION_RESPONSE: _quotation,
}
_ACTIONS = {NOTIFY: NOTIFY_ACTION}
_VERSIONS = {version.number: version for version in soap.SoapVersion}


def _check(answer: Answer) -> None:
    """Take an answer for an acknowledgement, or raise."""
    fault = _fault(answer)
    if fault is not None:
        raise ProcessingFailed(f"answered with a fault: {fault[:500]}", retry=True)
    if not 200 <= answer.status < 300:
        hint = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        raise ProcessingFailed(f"answered HTTP {answer.status}{hint}", retry=True)


def _fault(answer: Answer) -> str | None:
    """Return what a fault says; None for any other answer, however it looks."""
    if not answer.body:
        return None
    try:
        root = xmltree.parse(answer.body)
    except OseoError:
        return None
    for child in root.iter("{*}Fault"):
        said = soap.read_fault(child)
        if said is not None:
            return "; ".join(str(each) for each in said)
    return None
