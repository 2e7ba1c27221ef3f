"""What can go wrong, said once: one tree of errors, one table of codes.

The classes say what a caller can do; ``code`` is the OWS / OSEO exception code, ``locator`` the
parameter it is about, ``http_status`` the answer of the JSON door, ``exit_code`` that of the command line;
what an error knows beyond its text (``facts``) is in brackets::

    OseoError                      NoApplicableCode             500  1   [hint, request_id]
    ├── ConfigurationError         (operators, users: a wrong setting, file or place)
    │                                                                1   [looked_in]
    ├── AuthError
    │   ├── NotAuthenticated       AuthenticationFailed         401  1
    │   └── NotAuthorized          AuthorizationFailed          403  1
    ├── ValidationError            InvalidParameterValue, ..    422  2   every problem at once
    │   ├── BadMessage             not a message we can read    400  1
    │   └── QuoteExpired           (client: what it costs now)  422  1   [new_quote]
    ├── NotFound                   InvalidOrderIdentifier, ..   404  1   [close_matches]
    │   └── NoSuchKey              (client: also a KeyError)     404  1
    ├── Conflict                   InvalidParameterValue        409  1
    │   ├── InvalidState           not now, but perhaps later   409  1   [status, allowed_actions]
    │   └── DuplicateReference     it was submitted before      409  1   [order]
    ├── QuotaExceeded              NoApplicableCode             429  1   [limit, used, requested, resets_at]
    ├── NotSupported               OperationNotSupported, ..    501  1   [operation, alternative]
    ├── TooLarge                   NoApplicableCode             413  1
    ├── Unavailable                NoApplicableCode             503  1
    ├── OrderFailed                (client: wait(check=True))        1   [order, failed]
    ├── WaitTimeout                (client: still running)           4   [order]
    ├── DeliveryError              (client: a file could not be had) 1
    │   ├── IntegrityError         not the bytes promised            1   [expected, actual, path]
    │   └── ResultExpired          NoApplicableCode             410  1   [expired_at]
    └── TransportError             (client: no server, no answer)    1   [status, retryable, attempts,
                                                                          retry_after]

Operations raise these, doors render them, the client raises them again: `encoding.json_form` writes class,
hint and facts into problem documents. In a notebook an error shows one sentence and the user's own line
(`model.readable`). Sources: OGC 06-141r6
exception tables; OWS Common 2.0 section 8; ``ExceptionText`` of each code is the standard's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

__all__ = [
    "CODE_TEXTS",
    "AuthError",
    "BadMessage",
    "ConfigurationError",
    "Conflict",
    "DeliveryError",
    "DuplicateReference",
    "IntegrityError",
    "InvalidState",
    "NoSuchKey",
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
    "kind_named",
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
    hint : str, optional
        What to do next, where the text does not say it.
    request_id : str, optional
        Name of the request, to quote when asking for help.
    **facts
        What the class knows beyond its text: attributes of the same names.
    """

    code = "NoApplicableCode"
    http_status = 500
    #: Exit code of the command line: 1 failed, 2 wrong usage, 4 still running.
    exit_code = 1
    #: Names of the facts that travel to a client.
    told: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        text: str,
        *,
        code: str | None = None,
        locator: str | None = None,
        problems: Iterable[Problem] = (),
        hint: str | None = None,
        request_id: str | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or type(self).code
        self.locator = locator
        self.problems = tuple(problems) or (Problem(code=self.code, locator=locator, text=text),)
        self.hint = hint
        self.request_id = request_id
        for name, value in facts.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} knows no {name}")
            setattr(self, name, value)

    @property
    def is_callers_fault(self) -> bool:
        """Whether the caller must change something (SOAP Client / Sender), rather than the server."""
        return self.http_status < 500 or self.http_status == 501

    @property
    def facts(self) -> dict[str, Any]:
        """What it knows beyond its text and may tell a client; what is not known is left out."""
        known = {name: getattr(self, name) for name in self.told}
        return {name: value for name, value in known.items() if value not in (None, ())}

    def __str__(self) -> str:
        return self.text

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: what was wrong, and the user's own line; no lines of ours."""
        from oseo_lab.model.readable import in_a_cell

        return in_a_cell(self)


class ConfigurationError(OseoError):
    """A setting, collection file or installation is not as it must be, or there is no server."""

    #: Every place that was looked at, with what it said.
    looked_in: tuple[str, ...] = ()


class AuthError(OseoError):
    """The caller is not known, or may not."""


class NotAuthenticated(AuthError):
    """No identity, or one that could not be verified."""

    code = "AuthenticationFailed"
    http_status = 401


class NotAuthorized(AuthError):
    """The caller is known but may not use this operation at all."""

    code = "AuthorizationFailed"
    http_status = 403


class ValidationError(OseoError):
    """The request was understood and cannot be accepted; ``problems`` lists everything wrong."""

    code = "InvalidParameterValue"
    http_status = 422
    exit_code = 2

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
    exit_code = 1


class QuoteExpired(ValidationError):
    """A quotation lapsed before it was ordered; nothing was. ``new_quote`` is what it would cost now."""

    exit_code = 1
    new_quote: Any = None

    def __init__(self, text: str, new_quote: Any = None, **more: Any) -> None:
        super().__init__(text, **{"locator": "quotationId", "new_quote": new_quote, **more})


class NotFound(OseoError):
    """There is no such thing, or it is not the caller's to know of."""

    code = "InvalidOrderIdentifier"
    http_status = 404
    told = ("close_matches",)
    #: Names of what is there and may have been meant, the nearest first.
    close_matches: tuple[str, ...] = ()


class NoSuchKey(NotFound, KeyError):
    """There is nothing of this name in a mapping: also what Python asks of mappings."""


class Conflict(OseoError):
    """The request contradicts the state things are in."""

    code = "InvalidParameterValue"
    http_status = 409


class InvalidState(Conflict):
    """What was asked for is not possible in the state things are in."""

    told = ("status", "allowed_actions")
    #: The status, in OSEO's words.
    status: str | None = None
    #: What is possible now: words such as ``cancel``, ``resume``.
    allowed_actions: tuple[str, ...] = ()


class DuplicateReference(Conflict):
    """Something of this name is there already; ``order`` is it, or its id."""

    order: Any = None


class QuotaExceeded(OseoError):
    """A limit of the caller's account is reached."""

    http_status = 429
    told = ("limit", "used", "requested", "resets_at")
    limit: float | None = None
    used: float | None = None
    requested: float | None = None
    #: When there is room again, UTC.
    resets_at: datetime | str | None = None


class NotSupported(OseoError):
    """A part of the standard that this server does not offer."""

    code = "OperationNotSupported"
    http_status = 501
    told = ("operation", "alternative")
    operation: str | None = None
    #: What to do instead.
    alternative: str | None = None


class TooLarge(OseoError):
    """The request body is over the limit."""

    http_status = 413


class Unavailable(OseoError):
    """Not now: the service is starting or one of its parts is out of reach."""

    http_status = 503


class OrderFailed(OseoError):
    """Items of an order failed, raised where the caller asked for it."""

    #: The order's handle, and its items that failed.
    order: Any = None
    failed: Any = ()


class WaitTimeout(OseoError):
    """The order is still running; nothing was cancelled; ``order`` is the handle."""

    exit_code = 4
    order: Any = None


class DeliveryError(OseoError):
    """A delivered file could not be had."""


class IntegrityError(DeliveryError):
    """A file's bytes are not those its manifest promises."""

    #: Checksum or size promised and found, and the file.
    expected: str | None = None
    actual: str | None = None
    path: Any = None


class ResultExpired(DeliveryError):
    """The result was there and is not any more: its time is over."""

    http_status = 410
    told = ("expired_at",)
    #: When its time was over, UTC.
    expired_at: datetime | str | None = None


class TransportError(OseoError):
    """The server could not be reached, or answered something that is not its protocol."""

    #: HTTP status, where there was an answer.
    status: int | None = None
    #: Whether asking again later may help.
    retryable: bool = False
    #: How often it was asked.
    attempts: int = 1
    #: Seconds the server asks to wait.
    retry_after: float | None = None


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


def kind_named(name: str) -> type[OseoError] | None:
    """Return the class of a name, as problem documents say it; None for one that is not known."""
    kind = globals().get(name)
    return kind if isinstance(kind, type) and issubclass(kind, OseoError) else None
