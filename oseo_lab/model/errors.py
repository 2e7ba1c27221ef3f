"""What can go wrong, said once: one tree of errors, one table of codes.

The classes say what a caller can do; ``code`` is the OWS / OSEO exception code, ``locator`` the
parameter it is about, ``http_status`` the answer of the JSON door::

    OseoError                      NoApplicableCode             500
    ├── ConfigurationError         (operators: a wrong setting or collection file)
    ├── NotAuthenticated           AuthenticationFailed         401
    ├── NotAuthorized              AuthorizationFailed          403
    ├── ValidationError            InvalidParameterValue, ..    422   every problem at once
    │   ├── BadMessage             not a message we can read    400
    │   └── QuoteExpired           (client: ``new_quote`` is the one to look at now)
    ├── NotFound                   InvalidOrderIdentifier, ..   404
    ├── Conflict                   InvalidParameterValue        409
    ├── QuotaExceeded              NoApplicableCode             429
    ├── NotSupported               OperationNotSupported, ..    501
    ├── TooLarge                   NoApplicableCode             413
    ├── Unavailable                NoApplicableCode             503
    ├── OrderFailed                (client: raised by wait(check=True))
    ├── WaitTimeout                (client: still running, nothing cancelled)
    ├── DeliveryError              (client: a file could not be had)
    │   ├── IntegrityError         its bytes are not those promised
    │   └── ResultExpired          NoApplicableCode             410
    └── TransportError             (client: the server could not be reached)

Operations raise these, doors render them, the client raises them again. Sources: OGC 06-141r6
exception tables; OWS Common 2.0 section 8; ``ExceptionText`` of each code is the standard's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "CODE_TEXTS",
    "BadMessage",
    "ConfigurationError",
    "Conflict",
    "DeliveryError",
    "IntegrityError",
    "NotAuthenticated",
    "NotAuthorized",
    "NotFound",
    "NotSupported",
    "OrderFailed",
    "OseoError",
    "Problem",
    "QuotaExceeded",
    "QuoteExpired",
    "ResultExpired",
    "TooLarge",
    "TransportError",
    "Unavailable",
    "ValidationError",
    "WaitTimeout",
    "error_of",
]

#: Most problems of one error that are said one by one.
MOST_PROBLEMS = 10_000
#: ``ows:ExceptionText`` that the standard prescribes for a code (06-141r6, exception tables). A code
#: not listed here has free text.
CODE_TEXTS: dict[str, str] = {
    "MissingParameterValue": "Missing value for Parameter",
    "InvalidParameterValue": "Invalid value for Parameter",
    "NoApplicableCode": "Code not applicable",
    "InvalidNotificationValue": "Invalid value for notification",
    "AuthenticationFailed": "Invalid or missing identity information",
    "AuthorizationFailed": "The client is not authorized to call the operation.",
    "InvalidOrderIdentifier": "Invalid value for order",
    "UnsupportedCollection": "Subscription not supported",
    "ProductOrderingNotSupported": "Ordering not supported",
    "SubscriptionNotSupported": "Subscription not supported",
    "FutureProductNotSupported": "Programming not supported",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing wrong with a request, with what would be right.

    Parameters
    ----------
    code : str
        OWS or OSEO exception code.
    locator : str or None
        The parameter it is about: an element name or an option name.
    text : str
        One sentence: what was wrong, which values are allowed, what to do next.
    item_id : str or None
        The ``itemId`` concerned; None for the order itself.
    """

    code: str
    locator: str | None
    text: str
    item_id: str | None = None

    def __str__(self) -> str:
        where = f"item {self.item_id}: " if self.item_id is not None else ""
        return f"{where}{self.text}"


class OseoError(Exception):
    """Root of everything ``oseo_lab`` raises on purpose.

    Parameters
    ----------
    text : str
        For the person who reads it: what was wrong and what to do next.
    code : str, optional
        Exception code; the class's own by default.
    locator : str, optional
        What the error is about.
    problems : iterable of Problem, optional
        All that was wrong; one made from the other arguments by default.
    """

    code = "NoApplicableCode"
    http_status = 500

    def __init__(
        self,
        text: str,
        *,
        code: str | None = None,
        locator: str | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or type(self).code
        self.locator = locator
        self.problems = tuple(problems) or (Problem(code=self.code, locator=locator, text=text),)

    @property
    def is_callers_fault(self) -> bool:
        """Whether the caller must change something (SOAP Client / Sender), rather than the server."""
        return self.http_status < 500 or self.http_status == 501

    def __str__(self) -> str:
        return self.text


class ConfigurationError(OseoError):
    """A setting, collection file or installation is not as it must be."""


class NotAuthenticated(OseoError):
    """No identity, or one that could not be verified."""

    code = "AuthenticationFailed"
    http_status = 401


class NotAuthorized(OseoError):
    """The caller is known but may not use this operation at all."""

    code = "AuthorizationFailed"
    http_status = 403


class ValidationError(OseoError):
    """The request was understood and cannot be accepted; ``problems`` lists everything wrong."""

    code = "InvalidParameterValue"
    http_status = 422

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> ValidationError:
        """Make one error of many problems; code and locator are those of the first.

        Beyond `MOST_PROBLEMS` they are counted, so that an answer is not many times its request.
        """
        found = tuple(problems)
        if len(found) > MOST_PROBLEMS:
            rest = f"and {len(found) - MOST_PROBLEMS} more problems; correct these first"
            found = (*found[:MOST_PROBLEMS], Problem(code=found[0].code, locator=None, text=rest))
        text = "; ".join(str(problem) for problem in found)
        return cls(text, code=found[0].code, locator=found[0].locator, problems=found)


class BadMessage(ValidationError):
    """The bytes are not a message this service reads."""

    code = "NoApplicableCode"
    http_status = 400


class QuoteExpired(ValidationError):
    """A quotation lapsed before it was ordered; nothing was. ``new_quote`` is what it would cost now."""

    def __init__(self, text: str, new_quote: Any = None) -> None:
        super().__init__(text, locator="quotationId")
        self.new_quote = new_quote


class NotFound(OseoError):
    """There is no such thing, or it is not the caller's to know of."""

    code = "InvalidOrderIdentifier"
    http_status = 404


class Conflict(OseoError):
    """The request contradicts the state things are in."""

    code = "InvalidParameterValue"
    http_status = 409


class QuotaExceeded(OseoError):
    """A limit of the caller's account is reached."""

    http_status = 429


class NotSupported(OseoError):
    """A part of the standard that this server does not offer."""

    code = "OperationNotSupported"
    http_status = 501


class TooLarge(OseoError):
    """The request body is over the limit."""

    http_status = 413


class Unavailable(OseoError):
    """Not now: the service is starting or one of its parts is out of reach."""

    http_status = 503


class OrderFailed(OseoError):
    """Items of an order failed, raised where the caller asked for it; ``order`` is the handle."""

    order: object = None


class WaitTimeout(OseoError):
    """The order is still running; nothing was cancelled; ``order`` is the handle."""

    order: object = None


class DeliveryError(OseoError):
    """A delivered file could not be had."""


class IntegrityError(DeliveryError):
    """A file's bytes are not those its manifest promises."""


class ResultExpired(DeliveryError):
    """The result was there and is not any more: its time is over."""

    http_status = 410


class TransportError(OseoError):
    """The server could not be reached, or answered something that is not its protocol."""


_CLASS_OF: dict[str, type[OseoError]] = {
    "AuthenticationFailed": NotAuthenticated,
    "AuthorizationFailed": NotAuthorized,
    "InvalidOrderIdentifier": NotFound,
    "MissingParameterValue": ValidationError,
    "InvalidParameterValue": ValidationError,
    "InvalidNotificationValue": ValidationError,
    "UnsupportedCollection": ValidationError,
    "ProductOrderingNotSupported": NotSupported,
    "SubscriptionNotSupported": NotSupported,
    "FutureProductNotSupported": NotSupported,
    "OperationNotSupported": NotSupported,
    "OptionNotSupported": NotSupported,
    "VersionNegotiationFailed": ValidationError,
    "InvalidUpdateSequence": ValidationError,
}


def error_of(problems: Iterable[Problem]) -> OseoError:
    """Turn a fault or problem document received into the exception class of its (first) code.

    An unknown code becomes `OseoError` itself, as OWS Common 2.0 section 8.3 asks of clients.
    """
    found = tuple(problems)
    first = found[0]
    text = "; ".join(str(problem) for problem in found)
    return _CLASS_OF.get(first.code, OseoError)(text, code=first.code, locator=first.locator, problems=found)
