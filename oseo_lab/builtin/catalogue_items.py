"""From a STAC item as it was read to a `CatalogueItem`, and what all catalogues know of times and failure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oseo_lab.builtin.catalogue_assets import AssetRules
from oseo_lab.model.errors import Unavailable
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import ProcessingFailed

__all__ = ["CatalogueFailed", "bounds_of", "read_item", "read_time"]


class CatalogueFailed(ProcessingFailed, Unavailable):
    """A catalogue did not answer.

    A worker reads it as a failed item (tried again where ``retry``), a server as 503.
    """


def read_time(text: Any) -> datetime | None:
    """Return an RFC 3339 time in UTC; None where it is none. A time without an offset is taken as UTC."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # an offset may lead out of the years 1 to 9999
        return None


def bounds_of(box: Any, geometry: Mapping[str, Any] | None) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north (EPSG:4326) from a STAC bbox of 4 or 6 numbers, or a geometry."""
    try:
        numbers = [float(number) for number in box or ()]
        if len(numbers) == 6:
            numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
        if len(numbers) == 4:
            return (numbers[0], numbers[1], numbers[2], numbers[3])
        if geometry:
            from shapely.geometry import shape

            west, south, east, north = shape(geometry).bounds
            return (west, south, east, north)
    except Exception:  # foreign geometry: shapely raises half a dozen kinds of error
        return None
    return None


def read_item(
    feature: Mapping[str, Any], collection_id: str, rules: AssetRules, base: Path | str | None
) -> CatalogueItem:
    """Return a STAC item (any version; foreign) as a catalogue item of this collection.

    Parameters
    ----------
    feature : mapping
        The item's JSON.
    collection_id : str
        The collection it is ordered from.
    rules : AssetRules
        What its assets may point to.
    base : Path, str or None
        Folder or URL of the item, for relative hrefs.
    """
    properties = feature.get("properties")
    properties = dict(properties) if isinstance(properties, Mapping) else {}
    geometry = feature.get("geometry")
    geometry = geometry if isinstance(geometry, Mapping) else None
    assets = feature.get("assets")
    found, thumbnail, reason = rules.read(assets if isinstance(assets, Mapping) else {}, base)
    return CatalogueItem(
        identifier=str(feature["id"]),
        collection_id=collection_id,
        assets=found,
        bbox=bounds_of(feature.get("bbox"), geometry),
        geometry=geometry,
        datetime=read_time(properties.get("datetime")) or read_time(properties.get("start_datetime")),
        properties=properties,
        thumbnail=thumbnail,
        orderable=reason is None,
        reason=reason,
    )
