"""What a message of OGC 06-141r6 looks like: one table of element content, compiled by `checking`.

Notation of a row: names in order; ``?`` none or one, ``*`` any number, ``+`` one or more, ``(a|b)`` one
of; ``name=Type`` where a name alone does not tell its type; ``@name`` attributes; ``~`` may be nil.
Bounds that the standard leaves open (``identifier``, ``extension``, URIs) are set here, generously.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from oseo_lab.encoding.xmltree import OSEO, OWS, SWE, instant
from oseo_lab.model.delivery import PackageMedium, Packaging, Protocol, ShippingInstructions
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.messages import Presentation, ResponseStatus, SubFunction
from oseo_lab.model.options import Encoding
from oseo_lab.model.order import Priority, StatusNotification
from oseo_lab.model.status import Status

__all__ = ["ANY", "CONTENTS", "ROOTS", "SIMPLE", "Child", "Content", "Part", "Simple"]


@dataclass(frozen=True)
class Simple:
    """A simple type: its XSD base, lengths in characters, allowed values, pattern."""

    base: str = "string"
    low: int = 0
    high: int | None = None
    values: tuple[str, ...] = ()
    pattern: str | None = None

    def problem(self, text: str) -> str | None:
        """Say what is wrong with a value; None if nothing is."""
        if self.values and text not in self.values:
            return f"{text[:100]!r} is not allowed; allowed: {', '.join(self.values)}"
        if len(text) < self.low:
            return f"must have at least {self.low} character" + "s" * (self.low != 1)
        if self.high is not None and len(text) > self.high:
            return f"has {len(text)} characters; at most {self.high} are allowed"
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            return f"{text[:100]!r} is not allowed; it must match {self.pattern}"
        return None if _LEXICAL[self.base](text) else f"{text[:100]!r} is not {_SAID[self.base]}"


def _is_time(text: str) -> bool:
    try:
        instant(text)
    except ValueError:
        return False
    return re.match(r"\s*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text) is not None


_LEXICAL: dict[str, Callable[[str], bool]] = {
    "string": lambda text: True,
    "anyURI": lambda text: True,
    "boolean": lambda text: text.strip() in ("true", "false", "1", "0"),
    "integer": lambda text: re.fullmatch(r"\s*[+-]?\d{1,18}\s*", text) is not None,
    "double": lambda text: True,  # its pattern says all
    "int": lambda text: (
        re.fullmatch(r"\s*[+-]?\d{1,18}\s*", text) is not None and -(2**31) <= int(text) < 2**31
    ),
    "dateTime": _is_time,
    "language": lambda text: re.fullmatch(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*", text.strip()) is not None,
}
_SAID = {
    "anyURI": "a URI",
    "boolean": "true or false",
    "integer": "a whole number",
    "int": "a whole number of 32 bits",
    "dateTime": "a time such as 2024-06-01T10:00:00Z",
    "language": "a language such as en or de-AT",
}


def _text(low: int = 0, high: int | None = None) -> Simple:
    return Simple(low=low, high=high)


def _one_of(kind: type[StrEnum]) -> Simple:
    return Simple(values=tuple(each.value for each in kind))


_URI = Simple("anyURI", high=4000)
_TIME = Simple("dateTime")
_BOOLEAN = Simple("boolean")
_VERSION = Simple(pattern=r"\d+\.\d?\d\.\d?\d", high=40)

#: Simple content by type name; an element without ``=Type`` has the type of its own name.
SIMPLE: dict[str, Simple] = {
    "timeStamp": _TIME,
    "collectionId": _text(1, 255),
    "identifier": _text(high=2000),
    "itemId": _text(1, 80),
    "productOrderOptionsId": _text(1, 40),
    "orderReference": _text(1, 30),
    "orderRemark": _text(1, 4000),
    "orderItemRemark": _text(high=4000),
    "orderId": _URI,
    "quotationId": _URI,
    "ID": _URI,
    "uri": _URI,
    "text": _text(),
    "extension": _text(high=10_000),
    "statusNotification": _one_of(StatusNotification),
    "presentation": _one_of(Presentation),
    "subFunction": _one_of(SubFunction),
    "packaging": _one_of(Packaging),
    "priority": _one_of(Priority),
    "orderType": _one_of(OrderType),
    "protocol": _one_of(Protocol),
    "packageMedium": _one_of(PackageMedium),
    "shippingInstructions": _one_of(ShippingInstructions),
    "encoding": _one_of(Encoding),
    "OrderStatus": _one_of(Status),
    "ResponseStatus": _one_of(ResponseStatus),
    "lastUpdate": _TIME,
    "orderDateTime": _TIME,
    "validityTime": _TIME,
    "currency": _text(high=10),
    "double": Simple(  # finite: neither INF nor more digits than any price has
        "double",
        pattern=r"\s*[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})"
        r"([eE](\+?[0-9]{1,2}|-[0-9]{1,3}))?\s*",
    ),
    "contractInformation": _text(high=1024),
    "expirationDate": _TIME,
    "numberOfCopies": Simple("int"),
    "productAnnotation": _text(high=4000),
    "specialInstructions": _text(high=4000),
    "paymentMethod": _text(1, 40),
    "orderAccount": _text(1, 20),
    "creditCardInfo": _text(high=255),
    "serverAddress": _text(high=255),
    "userName": _text(high=8),
    "userPassword": _text(high=20),
    "path": _text(high=1024),
    "firstName": _text(1, 40),
    "lastName": _text(1, 40),
    "companyRef": _text(1, 40),
    "telephoneNumber": _text(1, 18),
    "facsimileTelephoneNumber": _text(1, 18),
    "streetAddress": _text(high=40),
    "city": _text(high=40),
    "state": _text(high=40),
    "postalCode": _text(high=12),
    "country": _text(high=40),
    "postBox": _text(high=12),
    "errorMessage": _text(high=255),
    "additionalStatusInfo": _text(1, 4000),
    "missionSpecificStatusInfo": _text(high=4000),
    "supportedEncoding": _one_of(Encoding),
    "text40": _text(high=40),
    "text60": _text(high=60),
    "text255": _text(high=255),
    "text4000": _text(high=4000),
    "boolean": _BOOLEAN,
    "integer": Simple("integer"),
    "version": _text(high=5),
    "service": Simple(values=("OS",)),
    "ows:Version": _VERSION,
    "ows:Section": _text(high=255),
    "ows:OutputFormat": Simple(
        pattern=r"(application|audio|image|text|video|message|multipart|model)/.+", high=255
    ),
    "ows:Language": Simple("language", high=80),
    "owsVersion": _VERSION,
}

_ORDER = (
    "orderReference? orderRemark? deliveryInformation? invoiceAddress=DeliveryAddress? packaging~?"
    " option=Selection* deliveryOptions? priority? orderType extension*"
)
_ITEM = (
    "itemId productOrderOptionsId? orderItemRemark? option=Selection* sceneSelection=Selection*"
    " deliveryOptions? payment? extension* (productId|taskingRequestId|subscriptionId)"
)
_REQUEST = "@service @version timeStamp?"
_HEAD = "status=ResponseStatus errorMessage?"

#: Element content by type name. ``#any`` is anything at all; ``#ows`` and ``#swe`` any one of that namespace.
_COMPLEX: dict[str, str] = {
    "GetCapabilities": "@service @updateSequence=text? ows:AcceptVersions? ows:Sections? ows:AcceptFormats?"
    " ows:AcceptLanguages?",
    "ows:AcceptVersions": "ows:Version+",
    "ows:Sections": "ows:Section*",
    "ows:AcceptFormats": "ows:OutputFormat*",
    "ows:AcceptLanguages": "ows:Language+",
    "Capabilities": "@version=owsVersion @updateSequence=text? #ows* Contents? Notifications=#any?",
    "Contents": "ProductOrders=Supported SubscriptionOrders=Supported ProgrammingOrders"
    " GetQuotationCapabilities SubmitCapabilities GetStatusCapabilities"
    " DescribeResultAccessCapabilities=Supported CancelCapabilities SupportedCollection* ContentsType*",
    "Supported": "@supported=boolean",
    "ProgrammingOrders": "@supported=boolean @SPS_URL=uri?",
    "GetQuotationCapabilities": "@supported=boolean @synchronous=boolean @asynchronous=boolean"
    " @monitoring=boolean @off-line=boolean",
    "SubmitCapabilities": "@asynchronous=boolean @maxNumberOfProducts=integer? @globalDeliveryOptions=boolean"
    " @localDeliveryOptions=boolean @globalOrderOptions=boolean @localOrderOptions=boolean",
    "GetStatusCapabilities": "@orderSearch=boolean @orderRetrieve=boolean @full=boolean",
    "CancelCapabilities": "@supported=boolean @asynchronous=boolean",
    "SupportedCollection": "collectionId ProductOrders=Supported? SubscriptionOrders=Supported?"
    " DescribeResultAccessCapabilities=Supported? CancelCapabilities?",
    "ContentsType": "supportedEncoding+",
    "GetOptions": f"{_REQUEST} (collectionId|identifier+|taskingRequestId)",
    "GetOptionsResponse": f"{_HEAD} orderOptions*",
    "orderOptions": "productOrderOptionsId identifier? description=text255? orderType option=Descriptor*"
    " productDeliveryOptions+ orderOptionInfoURL=uri? paymentOptions* sceneSelectionOption*",
    "Descriptor": "#swe? grouping=text40?",
    "productDeliveryOptions": "(onlineDataAccess=Protocols|onlineDataDelivery=Protocols|mediaDelivery=Media)",
    "Protocols": "protocol+",
    "Media": "packageMedium+",
    "paymentOptions": "paymentMethod paymentOptionInfoURL=uri?",
    "sceneSelectionOption": "name=text60? description=text4000? sceneSelectionParameter*",
    "sceneSelectionParameter": "#swe? sceneRestriction*",
    "sceneRestriction": "#swe?",
    "GetQuotation": f"{_REQUEST} (orderSpecification|quotationId)",
    "GetQuotationAck": f"{_HEAD} (quotationId|quotation)?",
    "GetQuotationResponse": f"@service @version {_HEAD} quotation",
    "GetQuotationResponseAck": _HEAD,
    "quotation": "quotationId validityTime? price=Price? orderItemGroupPrice+ contractInformation?",
    "orderItemGroupPrice": "provider=Provider quotationId? validityTime? price=Price balance=Price?"
    " orderItemPrice+ contractInformation?",
    "orderItemPrice": "itemId (productId|taskingRequestId|subscriptionId) price=Price?"
    " priceInformation=text255? contractInformation?",
    "Price": "value=double currency",
    "Provider": "serviceName=text40 organization=text40",
    "Submit": f"{_REQUEST} (orderSpecification|quotationId) statusNotification",
    "SubmitAck": f"{_HEAD} orderId orderReference?",
    "orderSpecification": f"{_ORDER} orderItem+",
    "orderItem": _ITEM,
    "StatusItem": f"{_ITEM} orderItemStatusInfo=StatusInfo",
    "StatusInfo": "status=OrderStatus additionalStatusInfo? missionSpecificStatusInfo?",
    "orderMonitorSpecification": f"{_ORDER} orderId orderStatusInfo=StatusInfo orderDateTime?"
    " orderItem=StatusItem*",
    "deliveryInformation": "onlineAddress* mailAddress=DeliveryAddress?",
    "onlineAddress": "protocol serverAddress userName? userPassword? path?",
    "DeliveryAddress": "firstName? lastName? companyRef? postalAddress? telephoneNumber?"
    " facsimileTelephoneNumber?",
    "postalAddress": "streetAddress city state postalCode country postBox?",
    "Selection": "ParameterData",
    "ParameterData": "encoding values=#any",
    "deliveryOptions": "(onlineDataAccess|onlineDataDelivery=onlineDataAccess|mediaDelivery)"
    " numberOfCopies? productAnnotation? specialInstructions?",
    "onlineDataAccess": "protocol",
    "mediaDelivery": "packageMedium shippingInstructions?",
    "payment": "paymentMethod (orderAccount|creditCardInfo)?",
    "productId": "identifier collectionId?",
    "subscriptionId": "collectionId",
    "taskingRequestId": "ID",
    "GetStatus": f"{_REQUEST} (orderId|filteringCriteria) presentation",
    "GetStatusResponse": f"{_HEAD} orderMonitorSpecification*",
    "filteringCriteria": "lastUpdate? lastUpdateEnd=#any? orderStatus=OrderStatus* orderReference?"
    " extension*",
    "DescribeResultAccess": f"{_REQUEST} orderId subFunction",
    "DescribeResultAccessResponse": f"{_HEAD} URLs*",
    "URLs": "itemId productId? itemAddress expirationDate?",
    "itemAddress": "ServiceAddress? ResourceAddress",
    "ServiceAddress": "type=text? URL=uri info_URL=uri infoRequest=#any?",
    "ResourceAddress": "URL=uri serviceRequest=#any?",
    "Cancel": f"{_REQUEST} orderId statusNotification",
    "CancelAck": _HEAD,
    "SubmitResponse": f"{_REQUEST} orderMonitorSpecification",
    "SubmitResponseAck": _HEAD,
    "CancelResponse": f"{_REQUEST} orderMonitorSpecification",
    "CancelResponseAck": _HEAD,
}


@dataclass(frozen=True)
class Child:
    """One element a content model names: its qualified name, its type, and whether it may repeat."""

    tag: str
    name: str
    type: str
    many: bool
    nillable: bool


@dataclass(frozen=True)
class Part:
    """One place in a content model: alternatives, of which one (or, if optional, none) stands there."""

    children: tuple[Child, ...]
    optional: bool


@dataclass(frozen=True)
class Content:
    """A content model: attributes (name, type, optional) and the places in order."""

    attributes: tuple[tuple[str, str, bool], ...]
    parts: tuple[Part, ...]


def _child(word: str) -> tuple[Child, bool]:
    bare = word.rstrip("?*+~")
    marks = word[len(bare) :]
    name, _, kind = bare.partition("=")
    tag = f"{{{OWS}}}{name[4:]}" if name.startswith("ows:") else f"{{{OSEO}}}{name}"
    if name.startswith("#"):
        tag, kind = name, name
    many = "*" in marks or "+" in marks
    return Child(tag, name, kind or name, many, "~" in marks), "?" in marks or "*" in marks


def _content(row: str) -> Content:
    attributes = []
    parts = []
    for word in row.split():
        if word.startswith("@"):
            name, _, kind = word[1:].rstrip("?").partition("=")
            attributes.append((name, kind or name, word.endswith("?")))
        elif word.startswith("("):
            alternatives = [_child(each)[0] for each in word.rstrip("?")[1:-1].split("|")]
            parts.append(Part(tuple(alternatives), word.endswith("?")))
        else:
            child, optional = _child(word)
            parts.append(Part((child,), optional))
    return Content(tuple(attributes), tuple(parts))


CONTENTS = {name: _content(row) for name, row in _COMPLEX.items()}
ANY = {"#ows": OWS, "#swe": SWE}
#: Messages: what may stand alone.
ROOTS = (
    *(name for name, row in _COMPLEX.items() if row.startswith((_REQUEST, _HEAD))),
    "GetCapabilities",
    "Capabilities",
    "GetQuotationResponse",
    "orderMonitorSpecification",
)
