"""Checks of DescribeResultAccess (06-141r6 clause 15): T-DRA-1, T-DRA-2 and the rules of B.8."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from oseo_lab.conformance.of_status import UNKNOWN
from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.verdicts import Check, Failed, NotRun, demand
from oseo_lab.encoding.xmltree import OSEO
from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.messages import DescribeResultAccess, SubFunction
from oseo_lab.model.status import Status

__all__ = ["CHECKS"]


def _need(subject: Subject) -> None:
    subject.need("describe_result_access", "DescribeResultAccess")


def _listed(subject: Subject, order_id: str, function: SubFunction) -> tuple[ItemURL, ...]:
    asked = DescribeResultAccess(order_id=order_id, sub_function=function)
    return subject.probe.ask(asked).message().urls  # type: ignore[no-any-return]


def _before(subject: Subject) -> str:
    _need(subject)
    for _ in range(5):
        order_id = subject.place(subject.specification(*map(subject.item, range(1, 11))))
        urls = _listed(subject, order_id, SubFunction.ALL_READY)
        done = {
            each.specification.item_id
            for each in subject.order(order_id).items
            if each.status.status in (Status.COMPLETED, Status.DOWNLOADED)
        }
        early = sorted({each.item_id for each in urls} - done)
        demand(not early, f"results of items that are not completed: {', '.join(early)}")
        if not urls:
            return "no results yet: success, and no URLs"
    raise NotRun("orders complete before their results can be asked for")


def _after(subject: Subject) -> str:
    _need(subject)
    urls = _listed(subject, subject.completed.order_id, SubFunction.ALL_READY)
    demand(urls, "the order is completed, and no results are listed")
    ids = {each.specification.item_id for each in subject.completed.items}
    strange = {each.item_id for each in urls} - ids
    demand(not strange or len(urls) == 1, f"results of items {', '.join(strange)}, which were not ordered")
    now = datetime.now(UTC)
    late = [each.item_id for each in urls if each.expiration is not None and each.expiration < now]
    demand(not late, f"results of {', '.join(late)} expired before they were listed")
    return f"{len(urls)} results"


def _next(subject: Subject) -> str:
    _need(subject)
    order = subject.finished(subject.place())
    first = _listed(subject, order.order_id, SubFunction.NEXT_READY)
    second = _listed(subject, order.order_id, SubFunction.NEXT_READY)
    demand(first, f"nextReady lists nothing of an order that is {order.status.status}")
    demand(not second, f"the second nextReady lists {len(second)} results again")
    return f"{len(first)} results, then none"


def _fetched(subject: Subject) -> str:
    _need(subject)
    url = _listed(subject, subject.completed.order_id, SubFunction.ALL_READY)[0].url
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise NotRun(f"the result lies at {scheme}:, which is not fetched here")
    credentials = subject.probe.credentials
    is_theirs = urlsplit(url).netloc == urlsplit(subject.probe.url).netloc  # a secret goes to nobody else
    known = credentials.headers(fetching=True) if credentials and is_theirs else {}
    status, start = _start_of(url, {}, subject.probe.timeout)
    if status in (401, 403) and known:
        status, start = _start_of(url, known, subject.probe.timeout)
    demand(status in (200, 206), f"the result's URL answers HTTP {status}")
    demand(start, "the result is empty")
    return f"HTTP {status}"


def _start_of(url: str, headers: dict[str, str], timeout: float) -> tuple[int, bytes]:
    """Return status and first bytes of a file; results may be large."""
    try:
        with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as answer:
            return answer.status_code, next(answer.iter_bytes(), b"")
    except httpx.HTTPError as broken:
        raise Failed(f"the result's URL does not answer: {type(broken).__name__}: {broken}") from None


def _unknown(subject: Subject) -> None:
    _need(subject)
    for function in SubFunction:
        asked = DescribeResultAccess(order_id=UNKNOWN, sub_function=function)
        subject.probe.ask(asked).fault("InvalidOrderIdentifier", "orderId")


def _function_needed(subject: Subject) -> None:
    _need(subject)
    head = f'<DescribeResultAccess xmlns="{OSEO}" service="OS" version="1.0.0"><orderId>{UNKNOWN}</orderId>'
    for wrong in ("", "<subFunction>everything</subFunction>"):
        subject.probe.send(f"{head}{wrong}</DescribeResultAccess>", "DescribeResultAccess").fault()


CHECKS = (
    Check("T-DRA-1", "15.3; B.8", "allReady before anything is completed: success, no URLs", _before),
    Check("T-DRA-2", "15.3; B.8", "nextReady twice: the results, then none", _next),
    Check("B8-all", "15.4; Table 15-4", "allReady of a completed order: its items' results", _after),
    Check("B8-fetch", "15.4", "the URL of a result gives a file", _fetched),
    Check("B8-unknown", "15.4.4", "an unknown order: InvalidOrderIdentifier, orderId", _unknown),
    Check("B8-choice", "Table 15-1", "no subFunction, or an unknown one: a fault", _function_needed),
)
