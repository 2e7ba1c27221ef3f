"""ISO 19139 records of products, written the way EO catalogues write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

_NAMESPACES = (
    'xmlns:gmd="http://www.isotc211.org/2005/gmd" xmlns:gco="http://www.isotc211.org/2005/gco" '
    'xmlns:gmi="http://www.isotc211.org/2005/gmi" xmlns:gml="http://www.opengis.net/gml"'
)


def text(name: str, said: str) -> str:
    return f"<gmd:{name}><gco:CharacterString>{escape(said)}</gco:CharacterString></gmd:{name}>"


def decimal(name: str, number: float) -> str:
    return f"<gmd:{name}><gco:Decimal>{number}</gco:Decimal></gmd:{name}>"


def online(url: str, protocol: str, name: str, function: str = "download") -> str:
    return (
        f"<gmd:onLine><gmd:CI_OnlineResource><gmd:linkage><gmd:URL>{escape(url)}</gmd:URL></gmd:linkage>"
        f"{text('protocol', protocol)}{text('name', name)}<gmd:function><gmd:CI_OnLineFunctionCode "
        f'codeList="x" codeListValue="{function}">{function}</gmd:CI_OnLineFunctionCode></gmd:function>'
        "</gmd:CI_OnlineResource></gmd:onLine>"
    )


def record(
    identifier: str,
    *,
    title: str = "",
    abstract: str = "",
    parent: str = "",
    box: Sequence[float] | None = None,
    begin: str = "",
    end: str = "",
    keywords: Sequence[str] = (),
    resources: Sequence[str] = (),
    browse: str = "",
    cloud_cover: float | None = None,
) -> str:
    """Return one record; what is not given is left out."""
    names = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
    sides = dict(zip(names, box or (), strict=False))
    # the schema's order is west, east, south, north
    ordered = "".join(
        decimal(name, sides[name]) for name in (names[0], names[2], names[1], names[3]) if sides
    )
    area = f"<gmd:geographicElement><gmd:EX_GeographicBoundingBox>{ordered}</gmd:EX_GeographicBoundingBox></gmd:geographicElement>"  # noqa: E501
    period = (
        "<gmd:temporalElement><gmd:EX_TemporalExtent><gmd:extent><gml:TimePeriod gml:id='t'>"
        f"<gml:beginPosition>{begin}</gml:beginPosition><gml:endPosition>{end}</gml:endPosition>"
        "</gml:TimePeriod></gmd:extent></gmd:EX_TemporalExtent></gmd:temporalElement>"
    )
    picture = (
        f"<gmd:graphicOverview><gmd:MD_BrowseGraphic>{text('fileName', browse)}</gmd:MD_BrowseGraphic>"
        "</gmd:graphicOverview>"
    )
    words = "".join(text("keyword", each) for each in keywords)
    clouds = (
        "<gmd:contentInfo><gmd:MD_ImageDescription><gmd:attributeDescription/><gmd:contentType/>"
        f"<gmd:cloudCoverPercentage><gco:Real>{cloud_cover}</gco:Real></gmd:cloudCoverPercentage>"
        "</gmd:MD_ImageDescription></gmd:contentInfo>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><gmi:MI_Metadata {_NAMESPACES}>'
        + text("fileIdentifier", identifier)
        + (text("parentIdentifier", parent) if parent else "")
        + '<gmd:hierarchyLevel><gmd:MD_ScopeCode codeList="x" codeListValue="dataset"/></gmd:hierarchyLevel>'
        + "<gmd:dateStamp><gco:Date>2024-12-31</gco:Date></gmd:dateStamp>"
        + "<gmd:identificationInfo><gmd:MD_DataIdentification><gmd:citation><gmd:CI_Citation>"
        + text("title", title or identifier)
        + "</gmd:CI_Citation></gmd:citation>"
        + text("abstract", abstract)
        + (picture if browse else "")
        + f"<gmd:descriptiveKeywords><gmd:MD_Keywords>{words}</gmd:MD_Keywords></gmd:descriptiveKeywords>"
        + "<gmd:extent><gmd:EX_Extent>"
        + (area if box else "")
        + (period if begin else "")
        + "</gmd:EX_Extent></gmd:extent>"
        + "</gmd:MD_DataIdentification></gmd:identificationInfo>"
        + (clouds if cloud_cover is not None else "")
        + "<gmd:distributionInfo><gmd:MD_Distribution><gmd:transferOptions><gmd:MD_DigitalTransferOptions>"
        + "".join(resources)
        + "</gmd:MD_DigitalTransferOptions></gmd:transferOptions></gmd:MD_Distribution>"
        + "</gmd:distributionInfo></gmi:MI_Metadata>"
    )


def of_stac(item: Mapping[str, Any], url: str, parent: str) -> str:
    """Return the record of a product that a STAC item describes; its files lie below a URL."""
    said, folder = item["properties"], f"{url}/{item['id']}"
    data, picture = item["assets"]["data"]["href"], item["assets"]["thumbnail"]["href"]
    return record(
        item["id"],
        title=said["title"],
        parent=parent,
        box=item["bbox"],
        begin=said["datetime"],
        end=said["datetime"],
        keywords=("optical", f"eo:snowCover:{said['eo:snow_cover']}"),
        cloud_cover=said["eo:cloud_cover"],
        resources=(
            online(f"{folder}/{data.removeprefix('./')}", "WWW:DOWNLOAD-1.0-http--download", "data"),
            online("http://maps.example/wms?", "OGC:WMS", "map", "information"),
        ),
        browse=f"{folder}/{picture.removeprefix('./')}",
    )
