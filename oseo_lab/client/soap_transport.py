"""The client over SOAP: any server that speaks OSEO 1.0, with the same drafts, orders and results.

Step 2 of the walk where the server is somebody else's. GetCapabilities is asked first: it settles the version
of SOAP and says what there is, so that what is missing is said in one sentence before anything is sent. Our
credentials go to the service's own host alone, to files there only where they are asked for.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oseo_lab.client.listener import CallbackListener
from oseo_lab.client.transport import LONGEST_ANSWER, EventStream, Fetched, _Silence
from oseo_lab.model.delivery import DeliveryOptions, OnlineDataAccess, Protocol, Secret
from oseo_lab.model.errors import ConfigurationError, NotSupported, TransportError, Unavailable
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
    GetStatus,
    SubFunction,
    Submit,
    SubmitAck,
)
from oseo_lab.model.order import OrderSpecification, StatusNotification

if TYPE_CHECKING:
    import httpx

    from oseo_lab.encoding.soap import SoapVersion
    from oseo_lab.encoding.soap_client import Credentials

__all__ = ["SoapTransport", "credentials_of"]

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


def credentials_of(
    username: str | None, password: str | None, token: str | None, identity: str | None
) -> Credentials | None:
    """Return how this caller says who it is: by token, or by name and password; None for nobody.

    Parameters
    ----------
    username, password : str or None
        An account of the service.
    token : str or None
        Sent as ``Authorization: Bearer``.
    identity : str or None
        For a password: ``text`` (default) or ``digest`` (WS-Security UsernameToken), or ``basic`` (HTTP).

    Raises
    ------
    ConfigurationError
        If something is missing, or there is too much.
    """
    from oseo_lab.encoding.soap_client import Credentials, Identity

    allowed = [each.value for each in Identity if each is not Identity.TOKEN]
    if token and (username or password):
        raise ConfigurationError("say who you are once: token=..., or username=... and password=...")
    if token:
        return Credentials(secret=Secret(token), identity=Identity.TOKEN)
    if not username and not password:
        return None
    if not username or not password:
        raise ConfigurationError("username=... and password=... (or OSEO_LAB_PASSWORD) belong together")
    if identity not in (None, *allowed):
        raise ConfigurationError(f"identity {identity!r} is unknown; allowed: {', '.join(allowed)}")
    return Credentials(username=username, secret=Secret(password), identity=Identity(identity or "text"))


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
        if urlsplit(url).scheme not in ("http", "https"):
            raise ConfigurationError(f"soap={_shown(url)!r} is no address; allowed: http://..., https://...")
        if soap_version not in (None, "1.1", "1.2"):
            raise ConfigurationError(f"soap_version {soap_version!r} is unknown; allowed: 1.1, 1.2")
        self.url = url
        self.tries = tries
        self.listener = listener
        self._credentials = credentials
        self._wanted = soap_version
        self._search = search
        self._timeout = timeout
        self._client: httpx.Client | None = None
        self._version: SoapVersion | None = None
        self._capabilities: Capabilities | None = None
        self._access: dict[str, Protocol] = {}
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"SoapTransport({_shown(self.url)!r})"

    # ------------------------------------------------------------------------------------- what there is

    @property
    def client(self) -> httpx.Client:
        """The connections, opened on first use."""
        if self._client is None:
            import httpx

            self._client = httpx.Client(timeout=self._timeout, follow_redirects=False)
            weakref.finalize(self, self._client.close)
        return self._client

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
        return (found.title if found else "") or _shown(self.url)

    def about(self) -> Mapping[str, Any]:
        """Return the service's name and version, and under which name it is asked."""
        credentials = self._credentials
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
        return self.listener.news() if self.listener is not None else _Silence()

    def own(self, url: str) -> str:
        """Return the URL as the service gave it.

        Raises
        ------
        TransportError
            If it is none.
        """
        try:
            _origin(url)
        except ValueError:
            raise TransportError(f"the server gave an address that is none: {url[:200]!r}") from None
        return url

    def close(self) -> None:
        """Close connections and stop listening; orders go on."""
        if self.listener is not None:
            self.listener.close()
        if self._client is not None:
            self._client.close()

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
        answer = self._sent(request, self._version, identifier, reply_to)
        if isinstance(request, GetOptions) and request.collection_id:
            self._learn(request.collection_id, answer.order_options)
        if isinstance(answer, SubmitAck) and reply_to is not None and self.listener is not None:
            self.listener.expect(identifier, answer.order_id)
        return answer

    def _ask_capabilities(self, request: GetCapabilities) -> Capabilities:
        from oseo_lab.encoding.soap_client import negotiate

        def ask(version: SoapVersion) -> Capabilities:
            answer: Capabilities = self._sent(request, version)
            return answer

        with self._lock:
            known = self._version.number if self._version else self._wanted
            self._version, answer = negotiate(ask, known)
            _LOG.debug("%s speaks SOAP %s", _shown(self.url), self._version.number)
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

    # -------------------------------------------------------------------------------------------- HTTP

    def _sent(
        self,
        request: Any,
        version: SoapVersion,
        message_id: str | None = None,
        reply_to: str | None = None,
    ) -> Any:
        """Send, and send again what may be, with growing pauses."""
        import httpx

        from oseo_lab.encoding.soap_client import read_answer

        pause = 0.3
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            status = 0
            try:
                status, body = self._posted(request, version, message_id, reply_to)
                return read_answer(body, status=status, url=_shown(self.url), request=type(request))
            except (httpx.HTTPError, httpx.InvalidURL) as lost:
                may = _is_repeatable(request) or isinstance(lost, httpx.ConnectError)
                if last or not may:
                    raise TransportError(self._lost(request, lost)) from None
            except Unavailable as busy:
                # a gateway's 502 or 504 leaves open whether the service behind it has the request
                if not (_is_repeatable(request) or status in (429, 503)):
                    raise TransportError(self._lost(request, busy)) from None
                if last:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, 10.0)
        raise AssertionError("unreachable: the last try returns or raises")

    def _posted(
        self, request: Any, version: SoapVersion, message_id: str | None, reply_to: str | None
    ) -> tuple[int, bytes]:
        """Post once; return the status and the body, unpacked and of bounded length."""
        from oseo_lab.encoding.soap_client import write_request

        posted = write_request(
            request, version, credentials=self._credentials, message_id=message_id, reply_to=reply_to
        )
        with self.client.stream(
            "POST", self.url, content=posted.body, headers=dict(posted.headers)
        ) as response:
            if response.is_redirect:
                target = _shown(response.headers.get("location", "nowhere"))
                raise TransportError(
                    f"{_shown(self.url)} sends on to {target}: connect to that, if you trust it"
                )
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise TransportError(f"{_shown(self.url)} answered more than {LONGEST_ANSWER >> 20} MiB")
        _LOG.debug("%s: %d", type(request).__name__, response.status_code)
        return response.status_code, bytes(body)

    def _lost(self, request: Any, lost: Exception) -> str:
        said = str(lost) or type(lost).__name__
        if isinstance(request, Submit):
            return (
                f"{_shown(self.url)} did not answer the Submit ({said}): whether the order was taken is not "
                "known. Look with lab.orders before you submit again"
            )
        return f"{_shown(self.url)} could not be reached ({said})"

    @contextmanager
    def fetch(self, url: str, *, start: int = 0, etag: str | None = None) -> Iterator[Fetched]:
        """Open a file; credentials go to the service's own host alone, where it asks for them."""
        import httpx

        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if etag:
                headers["If-Range"] = etag
        try:
            with self._opened(url, headers) as response:
                found = {name.lower(): value for name, value in response.headers.items()}
                yield Fetched(response.status_code, found, response.iter_raw())
        except (httpx.HTTPError, httpx.InvalidURL) as lost:
            said = str(lost) or type(lost).__name__
            raise TransportError(f"{_shown(url)} could not be fetched: {said}") from None

    @contextmanager
    def _opened(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        with self.client.stream("GET", url, headers=dict(headers), follow_redirects=True) as response:
            if response.status_code not in (401, 403) or not self._is_own(url):
                yield response
                return
        # Authorization does not follow a redirect to another host: httpx takes it off.
        own = {**headers, **(self._credentials.headers(fetching=True) if self._credentials else {})}
        with self.client.stream("GET", url, headers=own, follow_redirects=True) as response:
            yield response

    def _is_own(self, url: str) -> bool:
        """Whether a URL is of the very scheme, host and port that the credentials are for."""
        return self._credentials is not None and _origin(url) == _origin(self.url)


_REPEATABLE = (GetCapabilities, GetOptions, GetStatus)


def _is_repeatable(request: Any) -> bool:
    """Whether asking twice does nothing that asking once does not."""
    if isinstance(request, DescribeResultAccess):
        return request.sub_function is SubFunction.ALL_READY
    if isinstance(request, GetQuotation):
        return request.quotation_id is not None
    return isinstance(request, _REPEATABLE)


def _collection_of(identifier: Any) -> str | None:
    return identifier.collection_id if isinstance(identifier, ProductId | SubscriptionId) else None


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def _shown(url: str) -> str:
    """Return a URL without its query and without a password in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
