"""The capabilities document and the request for it (06-141r6 clause 8, OWS Common 2.0).

Its last section, the notifications, is the SWE Service Model's (OGC 09-001, clause 17) with a topic set of
WS-Topics 1.3.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from oseo_lab.encoding.notifications_xml import DIALECTS
from oseo_lab.encoding.xmltree import OSEO, OWS, XLINK, attribute, escape, local_name, one, option_name
from oseo_lab.model.collection import CollectionCapability
from oseo_lab.model.messages import (
    VERSION,
    Capabilities,
    Contents,
    GetCapabilities,
    NotificationProducer,
    OperationMetadata,
    ServiceIdentification,
    ServiceProvider,
)

__all__ = ["read_capabilities", "read_request", "write_capabilities", "write_request"]

_O = f"{{{OSEO}}}"
_W = f"{{{OWS}}}"
_HREF = f"{{{XLINK}}}href"
_SWES = "http://www.opengis.net/swes/2.0"
_TOPICS = "http://docs.oasis-open.org/wsn/t-1"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"


#: Field of the request, the element it travels in, and that of one entry.
_ACCEPTED = (
    ("accept_versions", "AcceptVersions", "Version"),
    ("sections", "Sections", "Section"),
    ("accept_formats", "AcceptFormats", "OutputFormat"),
    ("accept_languages", "AcceptLanguages", "Language"),
)


def read_request(element: etree._Element) -> GetCapabilities:
    """Read ``GetCapabilities``; an empty ``updateSequence`` (official sample) counts as none."""
    lists = {
        field: tuple(each.text or "" for each in element.iterfind(f"{_W}{outer}/{_W}{inner}"))
        for field, outer, inner in _ACCEPTED
    }
    return GetCapabilities(update_sequence=element.get("updateSequence") or None, **lists)


def write_request(request: GetCapabilities) -> str:
    """Write what stands inside ``GetCapabilities``."""
    parts = []
    for field, outer, inner in _ACCEPTED:
        entries = "".join([one(f"ows:{inner}", each) for each in getattr(request, field)])
        parts.append(f"<ows:{outer}>{entries}</ows:{outer}>" if entries else "")
    return "".join(parts)


# --- Contents: attribute and field of each element, in the order of the schema ----------------------------

_SUPPORT: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("ProductOrders", (("supported", "product_orders"),)),
    ("SubscriptionOrders", (("supported", "subscription_orders"),)),
    ("ProgrammingOrders", (("supported", "programming_orders"), ("SPS_URL", "sps_url"))),
    (
        "GetQuotationCapabilities",
        (
            ("supported", "quotation"),
            ("synchronous", "quotation_synchronous"),
            ("asynchronous", "quotation_asynchronous"),
            ("monitoring", "quotation_monitoring"),
            ("off-line", "quotation_off_line"),
        ),
    ),
    (
        "SubmitCapabilities",
        (
            ("asynchronous", "submit_asynchronous"),
            ("maxNumberOfProducts", "max_number_of_products"),
            ("globalDeliveryOptions", "global_delivery_options"),
            ("localDeliveryOptions", "local_delivery_options"),
            ("globalOrderOptions", "global_order_options"),
            ("localOrderOptions", "local_order_options"),
        ),
    ),
    (
        "GetStatusCapabilities",
        (("orderSearch", "order_search"), ("orderRetrieve", "order_retrieve"), ("full", "full")),
    ),
    ("DescribeResultAccessCapabilities", (("supported", "describe_result_access"),)),
    ("CancelCapabilities", (("supported", "cancel"), ("asynchronous", "cancel_asynchronous"))),
)
_OF_COLLECTION = tuple(
    row
    for row in _SUPPORT
    if row[0]
    in ("ProductOrders", "SubscriptionOrders", "DescribeResultAccessCapabilities", "CancelCapabilities")
)
_FROM_TEXT = {"sps_url": str, "max_number_of_products": int}


def _flag(text: str) -> bool:
    return text.strip() in ("true", "1")


def _support(element: etree._Element, rows: tuple[Any, ...]) -> dict[str, Any]:
    values = {}
    for name, attributes in rows:
        found = element.find(_O + name)
        for each, field in attributes:
            text = None if found is None else found.get(each)
            if text is not None:
                values[field] = _FROM_TEXT.get(field, _flag)(text)
    return values


def _write_support(value: Any, rows: tuple[Any, ...]) -> str:
    written = []
    for name, attributes in rows:
        given = [(each, getattr(value, field)) for each, field in attributes]
        if given[0][1] is None:
            continue
        pairs = "".join(f' {each}="{_as_text(held)}"' for each, held in given if held is not None)
        written.append(f"<{name}{pairs}/>")
    return "".join(written)


def _as_text(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else attribute(str(value))


def _read_contents(element: etree._Element | None) -> Contents | None:
    if element is None:
        return None
    collections = tuple(
        CollectionCapability(
            collection_id=each.findtext(_O + "collectionId") or "", **_support(each, _OF_COLLECTION)
        )
        for each in element.iterfind(_O + "SupportedCollection")
    )
    encodings = tuple(each.text or "" for each in element.iterfind(f"{_O}ContentsType/{_O}supportedEncoding"))
    return Contents(collections=collections, encodings=encodings, **_support(element, _SUPPORT))


def _write_contents(contents: Contents | None) -> str:
    if contents is None:
        return ""
    collections = "".join(
        f"<SupportedCollection>{one('collectionId', each.collection_id)}"
        f"{_write_support(each, _OF_COLLECTION)}</SupportedCollection>"
        for each in contents.collections
    )
    encodings = "".join([one("supportedEncoding", each) for each in contents.encodings])
    encodings = f"<ContentsType>{encodings}</ContentsType>" if encodings else ""
    return f"<Contents>{_write_support(contents, _SUPPORT)}{collections}{encodings}</Contents>"


# --- the OWS part -----------------------------------------------------------------------------------------


def _texts(element: etree._Element, path: str) -> tuple[str, ...]:
    return tuple(each.text or "" for each in element.iterfind(path))


def _read_identification(element: etree._Element | None) -> ServiceIdentification | None:
    if element is None:
        return None
    return ServiceIdentification(
        title=element.findtext(_W + "Title") or "",
        abstract=element.findtext(_W + "Abstract"),
        keywords=_texts(element, f"{_W}Keywords/{_W}Keyword"),
        service_type=element.findtext(_W + "ServiceType") or "",
        service_type_versions=_texts(element, _W + "ServiceTypeVersion"),
        fees=element.findtext(_W + "Fees"),
        access_constraints=_texts(element, _W + "AccessConstraints"),
    )


def _write_identification(found: ServiceIdentification | None) -> str:
    if found is None:
        return ""
    keywords = "".join([one("ows:Keyword", each) for each in found.keywords])
    return (
        f"<ows:ServiceIdentification>{one('ows:Title', found.title)}{one('ows:Abstract', found.abstract)}"
        f"{f'<ows:Keywords>{keywords}</ows:Keywords>' if keywords else ''}"
        f"{one('ows:ServiceType', found.service_type)}"
        f"{''.join([one('ows:ServiceTypeVersion', each) for each in found.service_type_versions])}"
        f"{one('ows:Fees', found.fees)}"
        f"{''.join([one('ows:AccessConstraints', each) for each in found.access_constraints])}"
        "</ows:ServiceIdentification>"
    )


def _read_provider(element: etree._Element | None) -> ServiceProvider | None:
    if element is None:
        return None
    site = element.find(_W + "ProviderSite")
    contact = f"{_W}ServiceContact/{_W}"
    return ServiceProvider(
        name=element.findtext(_W + "ProviderName") or "",
        site=None if site is None else site.get(_HREF),
        individual_name=element.findtext(contact + "IndividualName"),
        position_name=element.findtext(contact + "PositionName"),
        voice=element.findtext(f"{contact}ContactInfo/{_W}Phone/{_W}Voice"),
        role=element.findtext(contact + "Role"),
    )


def _write_provider(found: ServiceProvider | None) -> str:
    if found is None:
        return ""
    site = "" if found.site is None else f'<ows:ProviderSite xlink:href="{attribute(found.site)}"/>'
    voice = one("ows:Voice", found.voice)
    phone = f"<ows:ContactInfo><ows:Phone>{voice}</ows:Phone></ows:ContactInfo>" if voice else ""
    return (
        f"<ows:ServiceProvider>{one('ows:ProviderName', found.name)}{site}<ows:ServiceContact>"
        f"{one('ows:IndividualName', found.individual_name)}{one('ows:PositionName', found.position_name)}"
        f"{phone}{one('ows:Role', found.role)}</ows:ServiceContact></ows:ServiceProvider>"
    )


def _read_operations(element: etree._Element | None) -> tuple[OperationMetadata, ...] | None:
    if element is None:
        return None
    found = []
    for each in element.iterfind(_W + "Operation"):
        post = each.find(f"{_W}DCP/{_W}HTTP/{_W}Post")
        found.append(
            OperationMetadata(name=each.get("name", ""), post="" if post is None else post.get(_HREF, ""))
        )
    return tuple(found)


def _write_operations(operations: tuple[OperationMetadata, ...] | None) -> str:
    if operations is None:
        return ""
    rows = [
        f'<ows:Operation name="{attribute(each.name)}"><ows:DCP><ows:HTTP>'
        f'<ows:Post xlink:href="{attribute(each.post)}"/></ows:HTTP></ows:DCP></ows:Operation>'
        for each in operations
    ]
    return f"<ows:OperationsMetadata>{''.join(rows)}</ows:OperationsMetadata>"


# --- notifications ----------------------------------------------------------------------------------------


def _read_notifications(element: etree._Element | None) -> NotificationProducer | None:
    found = None if element is None else element.find(f"{{{_SWES}}}NotificationProducerMetadata")
    if found is None:
        return None
    address = f"{{{_SWES}}}producerEndpoint/{{{_ADDRESSING}}}EndpointReference/{{{_ADDRESSING}}}Address"
    topics = found.find(f"{{{_SWES}}}servedTopics/{{{_TOPICS}}}TopicSet")
    served = () if topics is None else topics.iterdescendants(f"{_O}*")
    marked = (each for each in served if _flag(each.get(f"{{{_TOPICS}}}topic", "false")))
    return NotificationProducer(
        endpoint=(found.findtext(address) or "").strip(), topics=tuple(local_name(each) for each in marked)
    )


def _write_notifications(found: NotificationProducer | None) -> str:
    """Write the section; the first topic is the root of the others (06-141r6 7.5)."""
    if found is None:
        return ""
    dialects = "".join([one("swes:topicExpressionDialect", each) for each in DIALECTS])
    root, *below = [option_name(each) for each in found.topics]
    topics = "".join([f'<{each} wstop:topic="true"/>' for each in below])
    return (
        f'<Notifications><swes:NotificationProducerMetadata xmlns:swes="{_SWES}">'
        f'<swes:producerEndpoint><wsa:EndpointReference xmlns:wsa="{_ADDRESSING}">'
        f"{one('wsa:Address', found.endpoint)}</wsa:EndpointReference></swes:producerEndpoint>"
        "<swes:supportedDialects><swes:FilterDialectMetadata>"
        f"{dialects}</swes:FilterDialectMetadata></swes:supportedDialects>"
        "<swes:fixedTopicSet>true</swes:fixedTopicSet>"
        f'<swes:servedTopics><wstop:TopicSet xmlns:wstop="{_TOPICS}">'
        f'<{root} wstop:topic="true">{topics}</{root}></wstop:TopicSet></swes:servedTopics>'
        "</swes:NotificationProducerMetadata></Notifications>"
    )


# --- the document -----------------------------------------------------------------------------------------


def read_capabilities(element: etree._Element) -> Capabilities:
    """Read ``Capabilities``; parts that the model does not name (profiles) are passed over."""
    languages = element.find(_W + "Languages")
    return Capabilities(
        version=element.get("version", VERSION),
        update_sequence=element.get("updateSequence") or None,
        identification=_read_identification(element.find(_W + "ServiceIdentification")),
        provider=_read_provider(element.find(_W + "ServiceProvider")),
        operations=_read_operations(element.find(_W + "OperationsMetadata")),
        languages=None if languages is None else _texts(languages, _W + "Language"),
        contents=_read_contents(element.find(_O + "Contents")),
        notifications=_read_notifications(element.find(_O + "Notifications")),
    )


def write_capabilities(found: Capabilities) -> str:
    """Write what stands inside ``Capabilities``; its attributes are the caller's."""
    languages = ""
    if found.languages is not None:
        entries = "".join([f"<ows:Language>{escape(each)}</ows:Language>" for each in found.languages])
        languages = f"<ows:Languages>{entries}</ows:Languages>"
    return (
        _write_identification(found.identification)
        + _write_provider(found.provider)
        + _write_operations(found.operations)
        + languages
        + _write_contents(found.contents)
        + _write_notifications(found.notifications)
    )
