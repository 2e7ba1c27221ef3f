"""What every door does alike: may they, how much may they send, what an error looks like.

Steps 3 and 5 of the walk. A door never answers with HTML or a traceback: errors leave in its own protocol
(SOAP fault or problem document), whatever went wrong and however early. Bodies are counted as they arrive;
a refusal is said after the rest of the body has been let pass, so that it reaches its client.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from jupyter_core.utils import ensure_async
from jupyter_server.auth import User
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.call_context import CallContext
from tornado import web
from tornado.iostream import StreamClosedError

from oseo_lab.model.errors import (
    BadMessage,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    NotSupported,
    OseoError,
    TooLarge,
    Unavailable,
)
from oseo_lab.operations import OPERATIONS, Access, perform
from oseo_lab.web.identity import IdentityHandler
from oseo_lab.web.state import Services

__all__ = ["RESOURCE", "BaseOseoHandler", "door", "with_status"]

#: What Jupyter's authorizer is asked about.
RESOURCE = "oseo_lab:orders"
#: Bytes taken from somebody who has not said who it is.
STRANGERS_BODY = 64 * 1024
#: Bytes of a refused body that are let pass before the answer; more, and the connection is closed on it.
LET_PASS = 32 * 1024 * 1024
#: Seconds in which a body must have arrived.
BODY_SECONDS = 120.0
#: Seconds after which it is worth trying again.
RETRY_AFTER = "2"

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: What Tornado's and Jupyter's own refusals mean here.
_OF_STATUS: dict[int, tuple[type[OseoError], str]] = {
    400: (BadMessage, "the request is not well-formed HTTP"),
    401: (NotAuthenticated, "this needs an identity"),
    403: (NotAuthorized, "the request is not allowed"),
    404: (NotFound, "there is nothing here"),
    413: (TooLarge, "the request body is too large"),
}

M = TypeVar("M", bound=Callable[..., Awaitable[None]])


def door(method: M) -> M:
    """Mark a method that answers requests: it identifies its callers itself, and a refusal comes first."""

    @wraps(method)
    async def answer(self: BaseOseoHandler, *arguments: str) -> None:
        self.arrived()
        async with self.state.turn(len(self._body) if self.request.method == "POST" else 0):
            await method(self, *arguments)

    return cast(M, allow_unauthenticated(answer))


@web.stream_request_body
class BaseOseoHandler(IdentityHandler):
    """One request at one of the doors."""

    _deadline: asyncio.TimerHandle | None = None
    #: Whether an answer leaves before the request has arrived: the connection ends with it.
    _is_early = False

    def initialize(self, name: str) -> None:
        """Be ready to answer before anything is known, for an unheard-of method is refused at once."""
        super().initialize(name)
        self._body = bytearray()
        self._held = self._passed = 0
        self._limit = STRANGERS_BODY
        self._refusal: Exception | None = None

    @property
    def service_url(self) -> str:
        """Where this service is for whoever is asking, with a slash at the end."""
        return f"{self.request.protocol}://{self.request.host}{self.base_url}oseo/"

    async def prepare(self) -> None:  # type: ignore[override]
        """Find out who is asking before the body is let in."""
        CallContext.set(CallContext.JUPYTER_HANDLER, self)
        self.current_user = self._jupyter_current_user = None
        length = self.request.headers.get("Content-Length", "0")
        has_body = length != "0" or "Transfer-Encoding" in self.request.headers
        try:
            await self._admit(int(length) if length.isdecimal() else 0)
        except Exception as refusal:
            # Said when the request has arrived whole, for Tornado closes the connection on an earlier
            # answer; who asks before sending (RFC 9110, 10.1.1) is told at once.
            if "Expect" in self.request.headers:
                raise
            self._refusal = refusal
        if has_body:
            self._deadline = asyncio.get_running_loop().call_later(BODY_SECONDS, self._too_slow)

    async def _admit(self, length: int) -> None:
        if not self.check_host():
            raise NotAuthorized(
                f"this server does not answer to the name {self.request.host[:100]!r}; its operator can set "
                "ServerApp.allow_remote_access or local_hostnames"
            )
        encoding = self.request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            refused = BadMessage(f"Content-Encoding {encoding[:40]!r} is not read; send the body as it is")
            raise with_status(refused, 415)
        self.owner = await self.identify()
        if self.owner is not None:
            self._limit = self.state.settings.max_body
        if self.allow_origin or self.allow_origin_pat or "Origin" in self.request.headers:
            self.set_cors_headers()
        if length > self._limit:
            raise self._too_large()

    # ------------------------------------------------------------------------------------------ the body

    def data_received(self, chunk: bytes) -> None:
        """Count and keep what arrives; of a refused body, count and forget."""
        if self._refusal is None and len(self._body) + len(chunk) > self._limit:
            self._refuse(self._too_large())
        elif self._refusal is None and not self.state.hold(len(chunk)):
            self._refuse(Unavailable("many large requests are arriving; try again in a moment"))
        if self._refusal is None:
            self._held += len(chunk)
            self._body += chunk
            return
        self._passed += len(chunk)
        if self._passed > LET_PASS and not self._finished:
            self._say(self._refusal)

    def _refuse(self, error: OseoError) -> None:
        self._refusal = error
        self._passed = len(self._body)
        self._body.clear()
        self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, 0
        self.state.let_go(held)

    def arrived(self) -> None:
        """Begin to answer: the body is complete, and its clock stops.

        Raises
        ------
        OseoError
            What was refused while it came.
        """
        self._stop_clock()
        if self._refusal is not None:
            raise self._refusal

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    @property
    def body(self) -> bytes:
        """The whole body."""
        return bytes(self._body)

    def _too_large(self) -> TooLarge:
        who = (
            ""
            if self.owner is not None
            else (" from a caller not known by its headers: send the token or HTTP Basic for more")
        )
        return TooLarge(f"the request body is over {self._limit} bytes{who}")

    def _too_slow(self) -> None:
        if not self._finished:
            self._say(BadMessage(f"the request body did not arrive within {BODY_SECONDS:.0f} s"))

    def _say(self, error: Exception) -> None:
        """Answer an error from outside the method; the connection is closed on what still comes."""
        self._is_early = True
        try:
            raise error
        except Exception as raised:
            self._handle_request_exception(raised)

    def on_connection_close(self) -> None:
        """Stop the clock and let the body go: nobody is there any more."""
        self.on_finish()
        super().on_connection_close()

    def on_finish(self) -> None:
        """Stop the clock and let the body go."""
        self._stop_clock()
        self._let_go()

    # ------------------------------------------------------------------------------------- doing the work

    async def services(self) -> Services:
        """Return the services; see `State.services`."""
        return await self.state.services()

    async def authorize(self, access: Access, locator: str | None = None) -> None:
        """Ask Jupyter's authorizer, once, when it is known what is wanted; ``locator`` of which parameter.

        Raises
        ------
        NotAuthenticated
            If nobody in particular asks.
        NotAuthorized
            If the authorizer says no.
        """
        if access == "open":
            return
        if self.owner is None:
            raise NotAuthenticated(
                "this needs an identity: a Jupyter token in the Authorization header, HTTP Basic, or a "
                "WS-Security UsernameToken",
                locator="identity_token",
            )
        user = User(username=self.owner)
        if not await ensure_async(self.authorizer.is_authorized(self, user, access, RESOURCE)):
            raise NotAuthorized(f"{self.owner} may not {access} orders on this server", locator=locator)
        if access == "write":
            self.note_activity()

    def note_activity(self) -> None:
        """Tell Jupyter's idle culler that somebody is at work, unless the request asks not to."""
        if self.get_argument("no_track_activity", None) is None:
            self.settings["api_last_activity"] = datetime.now().astimezone()

    async def perform(
        self,
        message: Any,
        encode: Callable[[Any], bytes],
        message_id: str | None = None,
        reply_to: str | None = None,
        soap_version: str = "1.2",
    ) -> bytes:
        """Carry out one operation for the caller and return its encoded response.

        Parameters
        ----------
        message : dataclass
            One of `oseo_lab.model.messages`.
        encode : callable
            Makes bytes of the response; runs beside the operation, in its thread.
        message_id : str, optional
            The client's name for the request.
        reply_to, soap_version : str, optional
            Where to call back, and in which version of SOAP.
        """
        services = await self.services()
        about = "orderId" if getattr(message, "order_id", None) else None
        await self.authorize(OPERATIONS[type(message)].access, about)
        context = services.context(
            self.owner,
            url=self.service_url,
            message_id=message_id,
            reply_to=reply_to,
            soap_version=soap_version,
        )
        return await self.state.work(lambda: encode(perform(message, context)))

    # ------------------------------------------------------------------------------------------- answers

    def answer(self, body: bytes, content_type: str, status: int = 200) -> None:
        """Send an answer and be done."""
        self.set_status(status)
        self.set_header("Content-Type", content_type)
        self.finish(body)

    def answer_error(self, error: OseoError) -> None:
        """Send an error in this door's protocol."""
        raise NotImplementedError

    def allowed_methods(self) -> list[str]:
        """Return the methods this path answers."""
        unknown = web.RequestHandler._unimplemented_method
        return [each for each in _METHODS if getattr(type(self), each.lower()) is not unknown]

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what went wrong, never how the inside looks."""
        error = self._error_of(status_code, kwargs.get("exc_info"))
        self.set_header("Cache-Control", "no-store")
        prepared = self._prepared_future
        if self._is_early or (prepared is not None and not prepared.done()):
            self.set_header("Connection", "close")
        if error.http_status == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        if error.http_status in (429, 503):
            self.set_header("Retry-After", RETRY_AFTER)
        self.answer_error(error)

    def _error_of(self, status: int, exc_info: Any) -> OseoError:
        raised = exc_info[1] if exc_info else None
        if isinstance(raised, OseoError):
            return raised
        if status == 405:
            allowed = ", ".join(self.allowed_methods())
            return with_status(
                NotSupported(f"{self.request.method} is not answered here; allowed: {allowed}"), 405
            )
        if isinstance(raised, web.HTTPError) and status < 500:
            kind, text = _OF_STATUS.get(status, _OF_STATUS[400])
            return kind(text, code="NoApplicableCode" if kind is NotFound else None)
        incident = uuid.uuid4().hex[:12]
        self.log.error("oseo_lab: internal error %s", incident, exc_info=exc_info)
        return OseoError(f"something went wrong on this server; its log knows it as {incident}")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Leave the log to `write_error`; what was refused on purpose is no error of the server's."""
        if isinstance(value, OseoError | web.HTTPError | StreamClosedError):
            self.log.debug("oseo_lab: %s refused: %s", self.request.path, value)
        elif self._finished:
            self.log.error("oseo_lab: after the answer", exc_info=(typ, value, tb))

    @property
    def log(self) -> logging.Logger:
        """The extension's log."""
        return super().log


def with_status(error: OseoError, status: int) -> OseoError:
    """Give one error another HTTP status than its class has."""
    error.http_status = status
    return error
