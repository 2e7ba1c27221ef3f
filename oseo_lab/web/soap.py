"""The OSEO SOAP endpoint: open, decode, perform, encode, close.

Steps 3 and 8 of the walk, at ``oseo/``. SOAP 1.1 and 1.2, answered in the version asked. GET there gives
the WSDL, the capabilities document, or a page for people. Who calls SOAP is never known by a cookie or by a
token in the URL. A UsernameToken lies inside the body, so a body over 64 kB needs the token or HTTP Basic in
its header. Sources: OGC 06-141r6 7.4; SOAP 1.1 section 6, SOAP 1.2 part 2 section 7.
"""

from __future__ import annotations

from typing import Any

from oseo_lab.encoding import oseo, soap
from oseo_lab.encoding.wsdl import wsdl
from oseo_lab.model.errors import OseoError, ValidationError
from oseo_lab.model.messages import Capabilities, GetCapabilities, GetStatus
from oseo_lab.model.notifications import Unsubscribe
from oseo_lab.operations import perform
from oseo_lab.operations.desk import announcement
from oseo_lab.operations.get_capabilities import FORMATS
from oseo_lab.web.base import BaseOseoHandler, door
from oseo_lab.web.landing import landing_page
from oseo_lab.web.status import StatusForm, StatusHandler

__all__ = ["SoapHandler", "answer_fault", "speaks_soap"]

#: Longer messages are read in a thread, bytes.
LONG = 64 * 1024
#: Statuses that speak of the transport: used as they are, whatever the SOAP version prescribes for faults.
_TRANSPORT = frozenset({404, 405, 408, 413, 415, 429, 503})


def answer_fault(
    handler: BaseOseoHandler, error: OseoError, version: soap.SoapVersion, relates_to: str | None = None
) -> None:
    """Send a fault with the HTTP status of its SOAP version, or of the transport where it speaks of that."""
    speaks_of_transport = error.http_status in _TRANSPORT and error.code in (
        "NoApplicableCode",
        "OperationNotSupported",
    )
    status = error.http_status if speaks_of_transport else soap.fault_status(error, version)
    if status == 401:
        handler.set_header("WWW-Authenticate", 'Basic realm="oseo_lab", charset="UTF-8"')
    handler.answer(soap.fault(error, version, relates_to=relates_to), soap.content_type(version), status)


def speaks_soap(content_type: str) -> bool:
    """Whether a Content-Type is one of SOAP's."""
    return content_type.partition(";")[0].strip().lower() in ("text/xml", "application/soap+xml")


class SoapHandler(StatusHandler):
    """``POST``: one SOAP message. ``GET``: WSDL, capabilities, landing page."""

    @property
    def version(self) -> soap.SoapVersion:
        """The SOAP version to answer in: the envelope's, or what the request looks like."""
        content_type = self.request.headers.get("Content-Type")
        return getattr(self, "_version", None) or soap.version_of(content_type, bytes(self._body[:4096]))

    @door
    async def post(self, *_: str) -> None:
        """Answer one SOAP message."""
        is_long = len(self._body) > LONG
        envelope = await self.state.work(self._open) if is_long else self._open()
        if envelope.username_token is not None:
            self.owner = await self._by_username_token(envelope.username_token)
        decode = oseo.decode_request
        message = await self.state.work(decode, envelope.payload) if is_long else decode(envelope.payload)
        if isinstance(message, Unsubscribe):  # it names what it means by the address it is sent to
            message = Unsubscribe(reference=f"?{self.request.query}")
        if isinstance(message, GetStatus):
            await self.answer_status(message, _status_form(envelope))
            return
        payload = await self.perform(
            message,
            oseo.encode_response,
            envelope.message_id,
            envelope.reply_to,
            envelope.version.number,
        )
        body = soap.close_envelope(payload, envelope.version, relates_to=envelope.message_id)
        self.answer(body, soap.content_type(envelope.version))

    def _open(self) -> soap.Envelope:
        headers = self.request.headers
        envelope = soap.open_envelope(
            self.body, content_type=headers.get("Content-Type", ""), soap_action=headers.get("SOAPAction")
        )
        self._version, self._message_id = envelope.version, envelope.message_id
        return envelope

    async def _by_username_token(self, token: soap.UsernameToken) -> str:
        """Return the owner behind a WS-Security UsernameToken; it counts before any header."""
        await self.services()
        if not token.is_digest:
            self.refuse_open_network("PasswordText")
            return await self.state.check_password(token.username, token.password.reveal())
        credentials = self.state.credentials
        assert credentials is not None
        return await self.state.work(
            credentials.check_digest, token.username, token.password.reveal(), token.nonce, token.created
        )

    @door
    async def get(self, *_: str) -> None:
        """Answer WSDL, capabilities, or a page for people."""
        asked = {
            key.lower(): values[-1].decode("utf-8", "replace")
            for key, values in self.request.arguments.items()
        }
        if "wsdl" in asked or self.request.query.lower() == "wsdl":
            self.answer(wsdl(self.service_url), "text/xml; charset=utf-8")
        elif "request" in asked or "service" in asked:
            await self._answer_capabilities(_from_query(asked))
        elif "text/html" in self.request.headers.get("Accept", ""):
            await self._page()
        else:
            await self._answer_capabilities(GetCapabilities())

    head = get

    async def _answer_capabilities(self, message: GetCapabilities) -> None:
        """Send the capabilities document, said to be what was asked for: text/xml where nothing was."""
        body = await self.perform(message, oseo.encode_response)
        wanted = (each.partition(";")[0].strip().lower() for each in message.accept_formats)
        media_type = next((each for each in wanted if each in FORMATS), FORMATS[0])
        body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + body
        self.answer(body, f"{media_type}; charset=utf-8")

    async def _page(self) -> None:
        services = await self.services()
        context = services.context(None, url=self.service_url)
        capabilities: Capabilities = await self.state.work(perform, GetCapabilities(), context)
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        told = await self.state.work(announcement, context)
        page = landing_page(self.service_url, capabilities, services.collections.values(), told)
        self.answer(page, "text/html; charset=utf-8")

    def answer_error(self, error: OseoError) -> None:
        """Send a fault."""
        answer_fault(self, error, self.version, getattr(self, "_message_id", None))


def _status_form(envelope: soap.Envelope) -> StatusForm:
    before, after = soap.envelope_ends(envelope.version, relates_to=envelope.message_id)
    return StatusForm(
        name="xml",
        content_type=soap.content_type(envelope.version),
        encode=oseo.encode_status,
        before=before,
        after=after,
    )


def _from_query(asked: dict[str, str]) -> GetCapabilities:
    """Read GetCapabilities from key-value pairs (OWS Common 2.0, 7.2.4)."""
    if asked.get("service", "OS") != "OS":
        raise ValidationError("service must be OS", locator="service")
    if asked.get("request", "GetCapabilities") != "GetCapabilities":
        raise ValidationError(
            "only request=GetCapabilities can be asked by GET; POST the others as SOAP messages",
            code="OperationNotSupported",
            locator=asked["request"][:100],
        )

    def listed(key: str) -> tuple[str, ...]:
        return tuple(each for each in asked.get(key, "").split(",") if each)

    values: dict[str, Any] = {
        "accept_versions": listed("acceptversions"),
        "sections": listed("sections"),
        "accept_formats": listed("acceptformats"),
        "accept_languages": listed("acceptlanguages"),
        "update_sequence": asked.get("updatesequence"),
    }
    return GetCapabilities(**values)
