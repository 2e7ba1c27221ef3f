"""What all paths of the JSON API share: bodies, problem documents (RFC 9457), values in paths and queries."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from oseo_lab.encoding import json_form
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import (
    BadMessage,
    NotFound,
    OseoError,
    ValidationError,
)
from oseo_lab.model.messages import GetStatus
from oseo_lab.model.order import order_uuid
from oseo_lab.web.base import with_status
from oseo_lab.web.status import StatusForm, StatusHandler

__all__ = ["JSON", "MOST", "ORDER_STATUS", "PAGE", "JsonHandler", "choice", "instant_of", "order_id_of"]

JSON = "application/json"
PROBLEM = "application/problem+json"
#: Most items or products in one answer, and how many where none is asked.
MOST = 1000
PAGE = 100
#: Longest Idempotency-Key, characters: as a SOAP client's MessageID.
LONGEST_KEY = 1000


#: Responses to GetStatus, and the order of one alone.
STATUS = StatusForm(name="json", content_type=JSON, encode=json_form.encode_status)
ORDER_STATUS = StatusForm(name="json order", content_type=JSON, encode=json_form.encode_order)


#: What a client may call a request, to hear it again in a refusal.
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class JsonHandler(StatusHandler):
    """What all JSON paths share."""

    knows_browsers = True

    def answer_error(self, error: OseoError) -> None:
        """Send a problem document."""
        if error.http_status == 401:
            self.set_header("WWW-Authenticate", 'Bearer realm="oseo_lab"')
        name = self.request.headers.get("X-Request-Id", "")
        request_id = name if _REQUEST_ID.fullmatch(name) else None
        self.answer(json_form.problem_document(error, request_id=request_id), PROBLEM, error.http_status)

    @property
    def message_id(self) -> str | None:
        """The client's own name for its request, as SOAP clients give it in ``wsa:MessageID``.

        Raises
        ------
        ValidationError
            If it is longer than anything that is kept.
        """
        said = self.request.headers.get("Idempotency-Key", "").strip()
        if len(said) > LONGEST_KEY:
            text = f"the Idempotency-Key has {len(said)} characters; at most {LONGEST_KEY} are allowed"
            raise ValidationError(text, locator="Idempotency-Key")
        return said or None

    async def reply(
        self,
        message: Any,
        encode: Callable[[Any], bytes] = json_form.encode,
        status: int = 200,
    ) -> None:
        """Carry out an operation and send its response."""
        if isinstance(message, GetStatus):
            await self.answer_status(message, STATUS)
            return
        body = await self.perform(message, encode, self.message_id)
        self.answer(body, JSON, status)

    def send(self, plain: Any) -> None:
        """Send plain values."""
        self.answer(json_form.encode(plain), JSON)

    def json_body(self) -> bytes:
        """Return the body, said to be JSON.

        Raises
        ------
        BadMessage
            If it is said to be something else.
        """
        said = self.request.headers.get("Content-Type", JSON).partition(";")[0].strip().lower()
        if said != JSON and not said.endswith("+json"):
            raise with_status(BadMessage(f"Content-Type {said[:100]!r} is not JSON; send {JSON}"), 415)
        return self.body

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number from the query.

        Raises
        ------
        ValidationError
            If it is none, or outside 0 to ``most``.
        """
        text = self.get_query_argument(name, "") or str(default)
        if not text.isdecimal() or len(text) > 9 or int(text) > most:
            raise ValidationError(f"{name} must be a whole number from 0 to {most}", locator=name)
        return int(text)

    async def collection(self, collection_id: str) -> Collection:
        """Return a collection.

        Raises
        ------
        NotFound
            If there is none of that id.
        """
        collections = (await self.services()).collections
        if collection_id not in collections:
            known = ", ".join(sorted(collections)) or "none"
            raise NotFound(
                f"there is no collection {collection_id[:100]!r}; collections: {known}",
                code="InvalidParameterValue",
                locator="collectionId",
                close_matches=tuple(difflib.get_close_matches(collection_id[:100], collections)),
            )
        return collections[collection_id]


def order_id_of(text: str) -> str:
    """Return the order id of a path: the URN or its UUID."""
    urn = text if text.startswith("urn:") else f"urn:uuid:{text}"
    if order_uuid(urn) is None:
        raise NotFound(f"there is no order {text[:100]!r} of yours", locator="orderId")
    return urn


def choice(kind: type[Any], text: str, locator: str) -> Any:
    """Return one of a fixed set of values."""
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(str(each) for each in kind)
        raise ValidationError(
            f"{locator} {text[:50]!r} is unknown; allowed: {allowed}", locator=locator
        ) from None


def instant_of(text: str, locator: str) -> datetime | None:
    """Read an instant of the query; without a zone it is UTC."""
    if not text or text == "..":
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError(
            f"{text[:50]!r} is no instant; write 2026-07-01T12:00:00Z", locator=locator
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
