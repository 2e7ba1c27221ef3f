"""What lies beside delivered data: ``item.json`` (a STAC item) and ``manifest.json`` (sizes and digests).

STAC 1.1.0 with the extensions file 2.1.0, projection 2.0.0 and processing 1.2.0. The manifest is written
and delivered last: where it lies, the delivery is whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from oseo_lab.model.job import CatalogueItem, ItemJob, Product
from oseo_lab.model.reuse import Earlier
from oseo_lab.ports import Workspace

__all__ = ["ITEM", "MANIFEST", "measured", "rewrite_item", "sha256_of", "write_item", "write_manifest"]

ITEM = "item.json"
MANIFEST = "manifest.json"
EXTENSIONS = [
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
]
#: Multihash prefix of a SHA-256 digest: function 0x12, 0x20 bytes (file extension, ``file:checksum``).
SHA256 = "1220"
#: Source properties that stop being true once the pixels are processed.
STALE = ("proj:", "file:", "raster:", "processing:")
#: Fields a processor may set on a product to say where the result lies, EPSG:4326; they go to the item.
PLACE = ("bbox", "geometry")


def measured(product: Product, workspace: Workspace) -> Product:
    """Return a product with its size and digest among its properties, as STAC's file extension has them."""
    path = workspace.root / product.path
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as source:
        while block := source.read(1 << 20):
            workspace.cancelled()
            digest.update(block)
            size += len(block)
    found = {"file:size": size, "file:checksum": SHA256 + digest.hexdigest()}
    return replace(product, properties={**product.properties, **found})


def write_item(
    job: ItemJob,
    source: CatalogueItem | None,
    products: Sequence[Product],
    now: datetime,
    workspace: Workspace,
    made: Sequence[Product] | None = None,
) -> Product:
    """Write the STAC item of a delivery.

    Parameters
    ----------
    job : ItemJob
        The order item.
    source : CatalogueItem or None
        What it was made from; None for an order package.
    products : sequence of Product
        The measured files delivered.
    now : datetime
        When they were made, UTC.
    workspace : Workspace
        Where to write.
    made : sequence of Product, optional
        What the processor made, if a container hides it: where the result lies is asked of these.
    """
    place = _place(source, made or products)
    document = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": EXTENSIONS,
        "id": f"{job.product.identifier}-{job.number}" if source else job.order_id,
        "collection": job.collection_id,
        **place,
        "properties": _properties(job, source, now),
        "links": [_derived_from(job, source)] if source else [],
        "assets": {product.name: _asset(product) for product in products},
    }
    if not document["collection"]:
        del document["collection"]
    return _write(ITEM, "application/geo+json", document, workspace)


def rewrite_item(
    job: ItemJob, earlier: Earlier, document: Mapping[str, Any], now: datetime, workspace: Workspace
) -> Product:
    """Write the STAC item of a delivery that is made of an earlier one, whose item the document is.

    When and how it was processed stays as it was; whose it is now, and where it comes from, is said.
    """
    properties = {
        **document.get("properties", {}),
        "created": _text(now),
        "oseo:order": job.order_id,
        "oseo:item": job.item_id,
        "oseo:number": job.number,
        "oseo:reused_from": _origin(earlier),
    }
    named = f"{job.product.identifier}-{job.number}"
    return _write(
        ITEM, "application/geo+json", {**document, "id": named, "properties": properties}, workspace
    )


def _origin(earlier: Earlier) -> dict[str, Any]:
    """Return where a result comes from that was used again."""
    delivered = {} if earlier.delivered is None else {"delivered": _text(earlier.delivered)}
    return {"order": earlier.order_id, "name": earlier.name, "number": earlier.number, **delivered}


def sha256_of(product: Product) -> str:
    """Return the digest of a measured product."""
    return str(product.properties["file:checksum"]).removeprefix(SHA256)


def write_manifest(
    job: ItemJob,
    products: Sequence[Product],
    now: datetime,
    workspace: Workspace,
    source: str | None = None,
) -> Product:
    """Write the manifest of measured products; ``source`` tells the state of what they were made from."""
    files = [
        {
            "name": product.name,
            "size": product.properties["file:size"],
            "sha256": sha256_of(product),
            "media_type": product.media_type,
        }
        for product in products
    ]
    document = {
        "order": job.order_id,
        "item": job.item_id,
        "number": job.number,
        "attempt": job.attempt,
        "created": _text(now),
        **({} if job.earlier is None else {"reused_from": _origin(job.earlier)}),
        **({} if source is None else {"source": source}),
        "files": files,
    }
    return _write(MANIFEST, "application/json", document, workspace)


def _write(name: str, media_type: str, document: Mapping[str, Any], workspace: Workspace) -> Product:
    text = json.dumps(document, indent=1, ensure_ascii=False, default=str).encode()
    path = workspace.path(name)
    path.write_bytes(text)
    found = {"file:size": len(text), "file:checksum": SHA256 + hashlib.sha256(text).hexdigest()}
    return Product(path=str(path), name=name, media_type=media_type, role="metadata", properties=found)


def _place(source: CatalogueItem | None, products: Sequence[Product]) -> dict[str, Any]:
    """Return geometry and bbox: a product's own, else the source's; a bbox only beside a geometry."""
    for product in products:
        own = {name: product.properties[name] for name in PLACE if name in product.properties}
        if "geometry" in own or "bbox" in own:
            return _closed(own.get("geometry"), own.get("bbox"))
    return _closed(source.geometry, source.bbox) if source else {"geometry": None}


def _closed(geometry: Any, bbox: Any) -> dict[str, Any]:
    if geometry is None and bbox is not None:
        west, south, east, north = bbox
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
    if geometry is None:
        return {"geometry": None}
    return {"geometry": geometry, "bbox": list(bbox if bbox is not None else _bbox(geometry))}


def _bbox(geometry: Mapping[str, Any]) -> list[float]:
    points = list(_points(geometry.get("coordinates", [])))
    lons, lats = [point[0] for point in points], [point[1] for point in points]
    return [min(lons), min(lats), max(lons), max(lats)]


def _points(coordinates: Sequence[Any]) -> list[Sequence[float]]:
    if coordinates and isinstance(coordinates[0], (int, float)):
        return [coordinates]
    return [point for part in coordinates for point in _points(part)]


def _properties(job: ItemJob, source: CatalogueItem | None, now: datetime) -> dict[str, Any]:
    own = dict(source.properties) if source else {}
    kept = {name: value for name, value in own.items() if not name.startswith(STALE)}
    acquired = source.datetime if source else None
    has_range = "start_datetime" in kept and "end_datetime" in kept
    return {
        **kept,
        # STAC wants a datetime or a range; a product the catalogue cannot date has the time it was made
        "datetime": _text(acquired) if acquired else None if has_range else _text(now),
        "created": _text(now),
        "processing:datetime": _text(now),
        "processing:software": {"oseo_lab": _version()},
        "processing:lineage": _lineage(job),
        "oseo:order": job.order_id,
        "oseo:item": job.item_id,
        "oseo:number": job.number,
        "oseo:options": {**job.options, **job.scene},
    }


def _lineage(job: ItemJob) -> str:
    if job.is_order_package:
        return f"{len(job.deliveries)} deliveries of one order packed together"
    return f"{job.product.identifier} of {job.collection_id}, made by processor {job.processor!r}"


def _derived_from(job: ItemJob, source: CatalogueItem | None) -> dict[str, Any]:
    """Link to the source: its published address, else a name; never a path of this machine."""
    published = str(source.properties.get("self_href", "")) if source else ""
    named = f"urn:x-oseo:product:{quote(job.collection_id, safe='')}:{quote(job.product.identifier, safe='')}"
    is_public = published.startswith(("http://", "https://"))
    return {"rel": "derived_from", "href": published if is_public else named, "type": "application/geo+json"}


def _asset(product: Product) -> dict[str, Any]:
    fields = {name: value for name, value in product.properties.items() if name not in PLACE}
    titled = {"title": product.title} if product.title else {}
    about = {"href": f"./{product.name}", "type": product.media_type, "roles": [product.role]}
    return {**about, **titled, **fields}


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@cache
def _version() -> str:
    return version("oseo-lab")
