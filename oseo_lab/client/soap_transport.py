"""The client over SOAP: any server that speaks OSEO 1.0, with the same drafts, orders and results.

Step 2 of the walk where the server is somebody else's. GetCapabilities is asked first: it settles the version
of SOAP and says what there is, so that what is missing is said in one sentence before anything is sent. Our
credentials go to the service's own host alone, to files there only where they are asked for.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oseo_lab.client.in_process import Silence
from oseo_lab.client.listener import CallbackListener
from oseo_lab.client.promises import EventStream, Fetched
from oseo_lab.client.soap_calls import SoapCalls, origin, shown
from oseo_lab.model.delivery import DeliveryOptions, OnlineDataAccess, Protocol
from oseo_lab.model.errors import ConfigurationError, NotSupported, TransportError
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import (
    Cancel,
    Capabilities,
    Contents,
    DescribeResultAccess,
    GetCapabilities,
    GetOptions,
    GetQuotation,
    GetQuotationAck,
    Submit,
    SubmitAck,
)
from oseo_lab.model.order import OrderSpecification, StatusNotification

if TYPE_CHECKING:
    from oseo_lab.encoding.soap import SoapVersion
    from oseo_lab.encoding.soap_identity import Credentials

__all__ = ["SoapTransport"]

_LOG = logging.getLogger("oseo_lab.client")

#: The flag of the capabilities that each optional operation has, and what to do where it is missing.
_OPTIONAL: dict[type, tuple[str, str]] = {
    Cancel: ("cancel", "ask its operator to stop the order"),
    DescribeResultAccess: (
        "describe_result_access",
        "its results come another way: see the order's delivery",
    ),
    GetQuotation: ("quotation", "submit without a quotation"),
}
#: The flag and the exception code of each order type.
_ORDER_TYPES = {
    OrderType.PRODUCT_ORDER: ("product_orders", "ProductOrderingNotSupported"),
    OrderType.SUBSCRIPTION_ORDER: ("subscription_orders", "SubscriptionNotSupported"),
    OrderType.TASKING_ORDER: ("programming_orders", "FutureProductNotSupported"),
}
_NO_SEARCH = (
    "an OSEO service has no product search: order by identifiers, lab.order('ID', collection='...'), or say "
    "where its catalogue is: connect(soap=..., catalogue='https://...') with a STAC API"
)
_NO_HISTORY = "an OSEO service tells no history: order.status and order.items say where things stand now"


class SoapTransport:
    """Any OSEO 1.0 service, by SOAP over HTTP.

    Parameters
    ----------
    url : str
        The service's SOAP endpoint.
    credentials : Credentials, optional
        Who calls; GetCapabilities and public services need nobody.
    soap_version : str, optional
        ``1.2`` or ``1.1``; without it 1.2 is tried first and 1.1 where the service refuses that.
    listener : CallbackListener, optional
        Where the service may call back; without one, orders are asked after.
    search : callable, optional
        How products are found; an OSEO service has no search of its own.
    timeout : float
        Seconds to wait for an answer or the next bytes.
    tries : int
        How often a request is sent that may be sent again.
    """

    #: Recipes of a draft that mean something to another service.
    recipes = ("soap", "python")

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        soap_version: str | None = None,
        listener: CallbackListener | None = None,
        search: Callable[[str, Mapping[str, Any]], tuple[list[CatalogueItem], str | None]] | None = None,
        timeout: float = 60.0,
        tries: int = 4,
    ) -> None:
        if soap_version not in (None, "1.1", "1.2"):
            raise ConfigurationError(f"soap_version {soap_version!r} is unknown; allowed: 1.1, 1.2")
        self.url = url
        self.listener = listener
        self._calls = SoapCalls(url, credentials, timeout=timeout, tries=tries)
        self._wanted = soap_version
        self._search = search
        self._version: SoapVersion | None = None
        self._capabilities: Capabilities | None = None
        self._access: dict[str, Protocol] = {}
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"SoapTransport({shown(self.url)!r})"

    # ------------------------------------------------------------------------------------- what there is

    @property
    def capabilities(self) -> Capabilities:
        """What the service says it can do; asked once."""
        if self._capabilities is None:
            self.perform(GetCapabilities())
        assert self._capabilities is not None
        return self._capabilities

    @property
    def contents(self) -> Contents | None:
        """What works; None where the service does not say."""
        return self.capabilities.contents

    @property
    def title(self) -> str:
        """What the service calls itself."""
        found = self.capabilities.identification
        return (found.title if found else "") or shown(self.url)

    def about(self) -> Mapping[str, Any]:
        """Return the service's name and version, and under which name it is asked."""
        credentials = self._calls.credentials
        owner = (credentials.username if credentials else "") or "local"
        return {"service": self.title, "version": self.capabilities.version, "owner": owner}

    def collections(self) -> list[Mapping[str, Any]]:
        """Return what can be ordered from, as far as the capabilities name it."""
        contents = self.contents
        return [{"id": each.collection_id} for each in (contents.collections if contents else ())]

    def products(
        self, collection_id: str, query: Mapping[str, Any]
    ) -> tuple[list[CatalogueItem], str | None]:
        """Return one page of products, from the catalogue that was named.

        Raises
        ------
        NotSupported
            If none was.
        """
        if self._search is None:
            raise NotSupported(_NO_SEARCH)
        return self._search(collection_id, query)

    def history(self, order_id: str) -> Mapping[str, Any]:
        """Tell no history: OSEO has none.

        Raises
        ------
        NotSupported
            Always.
        """
        raise NotSupported(_NO_HISTORY)

    def ask(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Mapping[str, Any]:
        """Answer no path: what OSEO has no operation for, another service does not have.

        Raises
        ------
        NotSupported
            Always.
        """
        what = path.rpartition("/")[2]
        raise NotSupported(f"OSEO has no operation for {what!r}: only the API of oseo_lab's own servers has")

    def events(self) -> EventStream:
        """Return what is called back; nothing where nobody listens."""
        return self.listener.news() if self.listener is not None else Silence()

    def own(self, url: str) -> str:
        """Return the URL as the service gave it.

        Raises
        ------
        TransportError
            If it is none.
        """
        try:
            origin(url)
        except ValueError:
            raise TransportError(f"the server gave an address that is none: {url[:200]!r}") from None
        return url

    def close(self) -> None:
        """Close connections and stop listening; orders go on."""
        if self.listener is not None:
            self.listener.close()
        self._calls.close()

    def fetch(self, url: str, *, start: int = 0, etag: str | None = None) -> AbstractContextManager[Fetched]:
        """Open a file, from byte ``start`` on if it is still the one with this ETag."""
        return self._calls.fetch(url, start=start, etag=etag)

    # ---------------------------------------------------------------------------------------- messages

    def perform(self, request: Any, *, message_id: str | None = None) -> Any:
        """Send a request message, return the response message.

        Raises
        ------
        NotSupported
            If the service does not offer it; nothing was sent then.
        OseoError
            Of the class the service refused it with.
        TransportError
            If it cannot be reached or answers something else.
        """
        if isinstance(request, GetCapabilities):
            return self._ask_capabilities(request)
        self._check_offered(request)
        if isinstance(request, GetQuotation) and request.quotation_id and self.listener is not None:
            called_back = self.listener.quotation(request.quotation_id)
            if called_back is not None:
                return GetQuotationAck(quotation=called_back)
        request, reply_to = self._prepared(request)
        identifier = message_id or uuid.uuid4().urn
        if reply_to is not None and self.listener is not None:
            self.listener.expect(identifier)
        assert self._version is not None  # the capabilities were asked for
        answer = self._calls.send(request, self._version, identifier, reply_to)
        if isinstance(request, GetOptions) and request.collection_id:
            self._learn(request.collection_id, answer.order_options)
        if isinstance(answer, SubmitAck) and reply_to is not None and self.listener is not None:
            self.listener.expect(identifier, answer.order_id)
        return answer

    def _ask_capabilities(self, request: GetCapabilities) -> Capabilities:
        from oseo_lab.encoding.soap_client import negotiate

        def ask(version: SoapVersion) -> Capabilities:
            answer: Capabilities = self._calls.send(request, version)
            return answer

        with self._lock:
            known = self._version.number if self._version else self._wanted
            self._version, answer = negotiate(ask, known)
            _LOG.debug("%s speaks SOAP %s", shown(self.url), self._version.number)
            if answer.contents is not None or self._capabilities is None:
                self._capabilities = answer
        return answer

    def _check_offered(self, request: Any) -> None:
        """Refuse what the capabilities say is not there."""
        name = type(request).__name__
        contents, operations = self.contents, self.capabilities.operations
        flag, advice = _OPTIONAL.get(type(request), ("", "it is no whole OSEO service"))
        named = not operations or any(each.name == name for each in operations)
        if not named or (flag and contents is not None and not getattr(contents, flag)):
            raise NotSupported(f"{self.title} does not offer {name}: {advice}", locator=name)
        if isinstance(request, Submit) and request.specification is not None and contents is not None:
            order_type = request.specification.order_type
            field, code = _ORDER_TYPES[order_type]
            if not getattr(contents, field):
                taken = [str(each) for each, (flag, _) in _ORDER_TYPES.items() if getattr(contents, flag)]
                raise NotSupported(
                    f"{self.title} takes no {order_type}; it takes: {', '.join(taken) or 'nothing'}",
                    code=code,
                    locator="orderType",
                )

    def _prepared(self, request: Any) -> tuple[Any, str | None]:
        """Complete a request for this service: delivery where it must be said, and where to call back."""
        contents = self.contents
        address = self.listener.url if self.listener is not None else None
        if isinstance(request, Submit):
            if request.specification is not None:
                request = replace(request, specification=self._with_delivery(request.specification))
            if address and contents is not None and contents.submit_asynchronous:
                return replace(request, status_notification=StatusNotification.ALL), address
        elif isinstance(request, Cancel):
            if address and contents is not None and contents.cancel_asynchronous:
                return replace(request, status_notification=StatusNotification.FINAL), address
        elif isinstance(request, GetQuotation) and contents is not None:
            by_asking = contents.quotation_synchronous or contents.quotation_monitoring
            if address and contents.quotation_asynchronous and not by_asking:
                return request, address
        return request, None

    def _learn(self, collection_id: str, groups: Any) -> None:
        """Note how a collection's products are fetched, for orders that do not say."""
        offered = [each for group in groups for kind in group.deliveries for each in kind.online_access]
        best = [each for each in (Protocol.HTTPS, Protocol.HTTP) if each in offered] or offered
        if best:
            self._access[collection_id] = best[0]

    def _with_delivery(self, specification: OrderSpecification) -> OrderSpecification:
        """Say that results are fetched, where nothing is said: servers may insist on it (06-141r6 7.3.6)."""
        if specification.delivery_options or any(each.delivery_options for each in specification.items):
            return specification
        access = [self._access.get(_collection_of(each.identifier) or "") for each in specification.items]
        contents = self.contents
        if not access or None in access or contents is None:
            return specification
        options = [DeliveryOptions(delivery=OnlineDataAccess(protocol=each)) for each in access if each]
        if contents.global_delivery_options and len(set(access)) == 1:
            return replace(specification, delivery_options=options[0])
        if contents.local_delivery_options:
            pairs = zip(specification.items, options, strict=True)
            items = tuple(replace(item, delivery_options=option) for item, option in pairs)
            return replace(specification, items=items)
        return specification


def _collection_of(identifier: Any) -> str | None:
    return identifier.collection_id if isinstance(identifier, ProductId | SubscriptionId) else None
