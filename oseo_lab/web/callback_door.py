"""Where providers call back: ``oseo/callback``, the client's port type of a service that orders elsewhere.

Nobody says here who it is, so nothing is believed: a SubmitResponse, CancelResponse or GetQuotationResponse
whose RelatesTo is a MessageID that was sent makes the forwarding loop ask that provider at once, no more.
Everything else gets a fault. What is not known by its header is not decoded.
"""

from __future__ import annotations

from oseo_lab.encoding import soap, soap_client
from oseo_lab.model.errors import BadMessage, OseoError
from oseo_lab.web.base import BaseOseoHandler, door
from oseo_lab.web.soap import answer_fault
from oseo_lab.web.state import Forwarding

__all__ = ["CallbackHandler"]

#: Longest callback, bytes: of a longer one nothing is lost, for providers are asked anyway.
LONGEST = 1024 * 1024


class CallbackHandler(BaseOseoHandler):
    """``POST``: one callback of a provider."""

    def initialize(self, name: str) -> None:
        """Take more than strangers may send elsewhere: an order in full."""
        super().initialize(name)
        self._limit = LONGEST

    async def identify(self) -> str | None:
        """Ask nobody who it is: it would change nothing."""
        self._forget_browser()
        return None

    @property
    def version(self) -> soap.SoapVersion:
        """The SOAP version to answer in."""
        return soap.version_of(self.request.headers.get("Content-Type"), bytes(self._body[:4096]))

    @door
    async def post(self, *_: str) -> None:
        """Take a callback."""
        services = await self.services()
        body = await self.state.work(self._taken, services.forwarding)
        self.answer(body, soap.content_type(self.version))

    def _taken(self, forwarding: Forwarding) -> bytes:
        """Return the acknowledgement of a callback, having passed the hint on.

        Raises
        ------
        BadMessage
            If it is no callback, or relates to nothing that was sent from here.
        """
        content_type = self.request.headers.get("Content-Type", "")
        action = self.request.headers.get("SOAPAction")
        envelope = soap.open_envelope(self.body, content_type=content_type, soap_action=action)
        relates_to = envelope.relates_to
        if relates_to is None or not forwarding.knows(relates_to):
            raise BadMessage(
                "RelatesTo is the MessageID of no request that was sent from here",
                code="InvalidParameterValue",
                locator="RelatesTo",
            )
        message = soap_client.read_callback(envelope)
        forwarding.hint(relates_to)
        return soap_client.write_acknowledgement(message, envelope.version)

    def answer_error(self, error: OseoError) -> None:
        """Send a fault."""
        answer_fault(self, error, self.version)
