"""What a message of OGC 06-141r6 looks like: one table of element content, used twice.

Between `xmltree` and the codecs: `check` first asks libxml2, which holds the table compiled to a schema
and answers yes in hundredths of a millisecond. Only a message it refuses is walked in Python, by the same
table, to name everything wrong with it: code, element, allowed values. So a codec may trust what it reads.

Notation of a row: names in order; ``?`` none or one, ``*`` any number, ``+`` one or more, ``(a|b)`` one
of; ``name=Type`` where a name alone does not tell its type; ``@name`` attributes; ``~`` may be nil.
Bounds that the standard leaves open (``identifier``, ``extension``, URIs) are set here, generously.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lxml import etree

from oseo_lab.encoding.xmltree import OSEO, OWS, SWE, XSI, instant, local_name, text_of
from oseo_lab.model.delivery import PackageMedium, Packaging, Protocol, ShippingInstructions
from oseo_lab.model.errors import BadMessage, Problem
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.messages import Presentation, ResponseStatus, SubFunction
from oseo_lab.model.options import Encoding
from oseo_lab.model.order import Priority, StatusNotification
from oseo_lab.model.status import Status

__all__ = ["check"]

#: Most problems listed of one message.
MAX_PROBLEMS = 50
#: Longest name or item id, and longest sentence, said back, characters.
_LONGEST_NAME = 80
_LONGEST_TEXT = 1000


@dataclass(frozen=True)
class _Simple:
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


def _text(low: int = 0, high: int | None = None) -> _Simple:
    return _Simple(low=low, high=high)


def _one_of(kind: type[StrEnum]) -> _Simple:
    return _Simple(values=tuple(each.value for each in kind))


_URI = _Simple("anyURI", high=4000)
_TIME = _Simple("dateTime")
_BOOLEAN = _Simple("boolean")
_VERSION = _Simple(pattern=r"\d+\.\d?\d\.\d?\d", high=40)

#: Simple content by type name; an element without ``=Type`` has the type of its own name.
_SIMPLE: dict[str, _Simple] = {
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
    "expirationDate": _TIME,
    "numberOfCopies": _Simple("int"),
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
    "integer": _Simple("integer"),
    "version": _text(high=5),
    "service": _Simple(values=("OS",)),
    "ows:Version": _VERSION,
    "ows:Section": _text(high=255),
    "ows:OutputFormat": _Simple(
        pattern=r"(application|audio|image|text|video|message|multipart|model)/.+", high=255
    ),
    "ows:Language": _Simple("language", high=80),
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
}


@dataclass(frozen=True)
class _Child:
    """One element a content model names: its qualified name, its type, and whether it may repeat."""

    tag: str
    name: str
    type: str
    many: bool
    nillable: bool


@dataclass(frozen=True)
class _Part:
    """One place in a content model: alternatives, of which one (or, if optional, none) stands there."""

    children: tuple[_Child, ...]
    optional: bool


@dataclass(frozen=True)
class _Content:
    """A content model: attributes (name, type, optional) and the places in order."""

    attributes: tuple[tuple[str, str, bool], ...]
    parts: tuple[_Part, ...]


def _child(word: str) -> tuple[_Child, bool]:
    bare = word.rstrip("?*+~")
    marks = word[len(bare) :]
    name, _, kind = bare.partition("=")
    tag = f"{{{OWS}}}{name[4:]}" if name.startswith("ows:") else f"{{{OSEO}}}{name}"
    if name.startswith("#"):
        tag, kind = name, name
    many = "*" in marks or "+" in marks
    return _Child(tag, name, kind or name, many, "~" in marks), "?" in marks or "*" in marks


def _content(row: str) -> _Content:
    attributes = []
    parts = []
    for word in row.split():
        if word.startswith("@"):
            name, _, kind = word[1:].rstrip("?").partition("=")
            attributes.append((name, kind or name, word.endswith("?")))
        elif word.startswith("("):
            alternatives = [_child(each)[0] for each in word.rstrip("?")[1:-1].split("|")]
            parts.append(_Part(tuple(alternatives), word.endswith("?")))
        else:
            child, optional = _child(word)
            parts.append(_Part((child,), optional))
    return _Content(tuple(attributes), tuple(parts))


_CONTENTS = {name: _content(row) for name, row in _COMPLEX.items()}
_ANY = {"#ows": OWS, "#swe": SWE}
#: Messages: what may stand alone.
_ROOTS = (
    *(name for name, row in _COMPLEX.items() if row.startswith((_REQUEST, _HEAD))),
    "GetCapabilities",
    "Capabilities",
    "orderMonitorSpecification",
)


def _xsd_simple(name: str, simple: _Simple) -> str:
    facets = "".join(f'<xs:enumeration value="{value}"/>' for value in simple.values)
    facets += f'<xs:minLength value="{simple.low}"/>' if simple.low else ""
    facets += f'<xs:maxLength value="{simple.high}"/>' if simple.high is not None else ""
    facets += f'<xs:pattern value="{simple.pattern}"/>' if simple.pattern is not None else ""
    name = name.replace("ows:", "ows-")
    return (
        f'<xs:simpleType name="{name}"><xs:restriction base="xs:{simple.base}">'
        f"{facets}</xs:restriction></xs:simpleType>"
    )


def _xsd_element(child: _Child, optional: bool) -> str:
    occurs = f'minOccurs="{0 if optional else 1}" maxOccurs="{"unbounded" if child.many else 1}"'
    if child.type in _ANY and child.tag == child.type:
        return f'<xs:any namespace="{_ANY[child.type]}" processContents="skip" {occurs}/>'
    if child.name.startswith("ows:"):
        return f'<xs:element ref="{child.name}" {occurs}/>'
    kind = "any" if child.type == "#any" else child.type
    nil = ' nillable="true"' if child.nillable else ""
    return f'<xs:element name="{child.name}" type="o:{kind}"{nil} {occurs}/>'


def _xsd_complex(name: str, content: _Content) -> str:
    places = []
    for part in content.parts:
        inside = "".join(
            _xsd_element(child, part.optional and len(part.children) == 1) for child in part.children
        )
        if len(part.children) > 1:
            inside = f'<xs:choice minOccurs="{0 if part.optional else 1}">{inside}</xs:choice>'
        places.append(inside)
    attributes = "".join(
        f'<xs:attribute name="{each}" type="o:{kind}" use="{"optional" if optional else "required"}"/>'
        for each, kind, optional in content.attributes
    )
    name = name.replace("ows:", "ows-")
    sequence = "".join(places)
    return f'<xs:complexType name="{name}"><xs:sequence>{sequence}</xs:sequence>{attributes}</xs:complexType>'


_SCHEMA = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:o="{oseo}" xmlns:ows="{ows}"'
    ' targetNamespace="{target}" elementFormDefault="qualified" blockDefault="#all">'
    '<xs:import namespace="{other}" schemaLocation="{other}"/>{body}</xs:schema>'
)
_ANY_TYPE = (
    '<xs:complexType name="any" mixed="true"><xs:sequence><xs:any processContents="skip" minOccurs="0"'
    ' maxOccurs="unbounded"/></xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType>'
)


def _schema_texts() -> dict[str, str]:
    """Return the table as two XSD documents, by target namespace: libxml2 wants one document for each."""
    types = "".join(_xsd_simple(*each) for each in _SIMPLE.items())
    types += "".join(_xsd_complex(*each) for each in _CONTENTS.items()) + _ANY_TYPE
    roots = "".join(f'<xs:element name="{name}" type="o:{name}"/>' for name in _ROOTS)
    foreign = "".join(
        f'<xs:element name="{name[4:]}" type="o:ows-{name[4:]}"/>'
        for name in (*_SIMPLE, *_COMPLEX)
        if name.startswith("ows:")
    )
    names = {"oseo": OSEO, "ows": OWS}
    return {
        OSEO: _SCHEMA.format(**names, target=OSEO, other=OWS, body=types + roots),
        OWS: _SCHEMA.format(**names, target=OWS, other=OSEO, body=foreign),
    }


class _Tables(etree.Resolver):
    """Hands libxml2 the table's documents from memory; nothing is read from anywhere else."""

    def resolve(self, system_url: str, _public_id: str, context: Any) -> Any:  # type: ignore[override]
        return self.resolve_string(_TEXTS[system_url], context)  # type: ignore[call-arg]


def _compiled() -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Tables())
    return etree.XMLSchema(etree.fromstring(_TEXTS[OSEO].encode(), parser, base_url=OSEO))


_TEXTS = _schema_texts()
_VALID = _compiled()
_NIL = f"{{{XSI}}}nil"
_NOT_OURS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation", _NIL, f"{{{XSI}}}type")


def check(element: etree._Element) -> None:
    """Refuse a message that is not as 06-141r6 says.

    Parameters
    ----------
    element : lxml element
        A request or response of the table, in the OSEO namespace.

    Raises
    ------
    BadMessage
        With every problem found (at most fifty): ``MissingParameterValue`` for what is not there,
        ``InvalidParameterValue`` for what is wrong; the locator is the element's or attribute's name.
    """
    if _VALID.validate(element):
        return
    found: list[Problem] = []
    for problem in _problems(element, local_name(element), None):
        found.append(problem)
        if len(found) == MAX_PROBLEMS:
            break
    raise BadMessage.of(found or [_libxml2_says(element)])


def _libxml2_says(element: etree._Element) -> Problem:
    """Turn the schema's own complaint into a problem, where the table's walk found nothing to add."""
    last: Any = _VALID.error_log.last_error  # type: ignore[attr-defined]
    said = last.message.replace(f"{{{OSEO}}}", "") if last is not None else "not as 06-141r6 says"
    name = re.match(r"Element '(?:\{[^}]*\})?([^']+)'", said)
    return Problem(
        code="InvalidParameterValue", locator=name[1] if name else local_name(element), text=said[:500]
    )


def _wrong(code: str, locator: str, text: str, item: str | None) -> Problem:
    """Make a problem; names come from the message, so they are cut before they are said back fifty times."""
    return Problem(code=code, locator=locator[:_LONGEST_NAME], text=text[:_LONGEST_TEXT], item_id=item)


def _problems(element: etree._Element, kind: str, item: str | None) -> Iterator[Problem]:
    """Yield what is wrong with an element of a type, and below it."""
    if kind == "#any" or kind in _ANY:
        return
    if kind in _SIMPLE:
        yield from _value_problems(element, _SIMPLE[kind], item)
        return
    if kind in ("orderItem", "StatusItem"):
        item = (element.findtext(f"{{{OSEO}}}itemId") or "")[:_LONGEST_NAME] or item
    content = _CONTENTS[kind]
    yield from _attribute_problems(element, content, item)
    if text_of(element).strip():
        name = local_name(element)
        yield _wrong("InvalidParameterValue", name, f"{name} holds elements, and no text beside them", item)
    yield from _place_problems(element, content, item)


def _value_problems(element: etree._Element, simple: _Simple, item: str | None) -> Iterator[Problem]:
    name = local_name(element)
    if len(element):
        text = f"{name} holds text only, not {local_name(element[0])}"
        yield _wrong("InvalidParameterValue", name, text, item)
    elif element.get(_NIL, "").strip() in ("true", "1"):
        if element.text:
            yield _wrong("InvalidParameterValue", name, f"{name} says it is nil and has a value", item)
    elif wrong := simple.problem(element.text or ""):
        yield _wrong("InvalidParameterValue", name, f"{name}: {wrong}", item)


def _attribute_problems(element: etree._Element, content: _Content, item: str | None) -> Iterator[Problem]:
    given: dict[str, str] = {str(name): str(value) for name, value in element.attrib.items()}
    name = local_name(element)
    for each, kind, optional in content.attributes:
        value = given.pop(each, None)
        if value is None and not optional:
            yield _wrong("MissingParameterValue", each, f"{name} must have the attribute {each}", item)
        elif value is not None and (wrong := _SIMPLE[kind].problem(value)):
            yield _wrong("InvalidParameterValue", each, f"{each}: {wrong}", item)
    for strange in list(given)[:MAX_PROBLEMS]:
        if strange not in _NOT_OURS:
            bare = strange.rpartition("}")[2]
            yield _wrong("InvalidParameterValue", bare, f"{name} has no attribute {bare}", item)


def _place_problems(element: etree._Element, content: _Content, item: str | None) -> Iterator[Problem]:
    """Yield what is missing, too much, strange or out of order among an element's children."""
    places = {child.tag: (at, child) for at, part in enumerate(content.parts) for child in part.children}
    filled: dict[int, str] = {}
    reached = 0
    parent = local_name(element)
    for each in element:
        name = local_name(each)
        at, child = places.get(_place_of(str(each.tag), places), (None, None))
        if at is None or child is None:
            names = ", ".join(child.name for _, child in places.values()) or "nothing"
            text = f"{name} does not belong in {parent}; allowed, in this order: {names}"
            yield _wrong("InvalidParameterValue", name, text, item)
            continue
        if at in filled and (filled[at] != each.tag or not child.many):
            others = " or ".join(other.name for other in content.parts[at].children)
            yield _wrong("InvalidParameterValue", name, f"{parent} has one {others} only", item)
        elif at < reached:
            text = f"{name} comes too late in {parent}: it goes before {_name_at(content, reached)}"
            yield _wrong("InvalidParameterValue", name, text, item)
        filled.setdefault(at, str(each.tag))
        reached = max(reached, at)
        yield from _problems(each, child.type, item)
    for at, part in enumerate(content.parts):
        if not part.optional and at not in filled:
            names = " or ".join(child.name for child in part.children)
            text = f"{parent} must have {names}"
            yield _wrong("MissingParameterValue", part.children[0].name, text, item)


def _place_of(tag: str, places: dict[str, tuple[int, _Child]]) -> str:
    """Return the key of an element's place: its own name, or the wildcard of its namespace."""
    namespace = tag[1:].partition("}")[0]
    wildcard = next((mark for mark, of in _ANY.items() if of == namespace), tag)
    return tag if tag in places else wildcard


def _name_at(content: _Content, at: int) -> str:
    return " or ".join(child.name for child in content.parts[at].children)
