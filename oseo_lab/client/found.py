"""Products that a catalogue has, as a sequence that shows itself: what a search found, what would match.

And as other libraries know them: pandas, geopandas, pystac, whatever reads ``__geo_interface__``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from oseo_lab.client import display
from oseo_lab.model.archive import about
from oseo_lab.model.job import CatalogueItem

__all__ = ["Found", "can_be_ordered", "cloud_of", "footprint", "size_of", "stac_item"]


class Found(Sequence[CatalogueItem]):
    """Products of one collection, in the catalogue's order.

    Parameters
    ----------
    collection_id : str
        What they belong to.
    items : sequence of CatalogueItem
        The products.
    """

    def __init__(self, collection_id: str, items: Sequence[CatalogueItem]) -> None:
        self.collection_id = collection_id
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> CatalogueItem: ...

    @overload
    def __getitem__(self, index: slice) -> Found: ...

    def __getitem__(self, index: int | slice) -> CatalogueItem | Found:
        return (
            Found(self.collection_id, self._items[index]) if isinstance(index, slice) else self._items[index]
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """The products' identifiers."""
        return tuple(each.identifier for each in self._items)

    def table(self) -> Any:
        """Return them as a `pandas.DataFrame`: id, date, cloud (%), size (bytes), can_be_ordered, why_not.

        Raises
        ------
        ConfigurationError
            If pandas is missing: ``pip install 'oseo-lab[notebook]'``.
        """
        from oseo_lab.client.tabulating import frame

        columns = ("id", "date", "cloud", "size", "can_be_ordered", "why_not")
        return frame([_row(each) for each in self], columns, ("date",), "products.table()")

    def to_gdf(self) -> Any:
        """Return them as a `geopandas.GeoDataFrame` of footprints, EPSG:4326, with the columns of `table`.

        Raises
        ------
        ConfigurationError
            If geopandas is missing: ``pip install 'oseo-lab[notebook]'``.
        """
        from oseo_lab.client.tabulating import geo_frame

        rows = [
            {**_row(each), "collection": each.collection_id, "geometry": footprint(each)} for each in self
        ]
        return geo_frame(rows, ("date",), "products.to_gdf()")

    def to_stac(self) -> Any:
        """Return them as a `pystac.ItemCollection`, as the catalogue describes them."""
        import pystac

        return pystac.ItemCollection([pystac.Item.from_dict(stac_item(each)) for each in self])

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        """GeoJSON of the footprints, for geopandas, maps, whatever reads it."""
        features = [
            {
                "type": "Feature",
                "id": each.identifier,
                "geometry": footprint(each),
                "properties": {
                    **each.properties,
                    "collection": each.collection_id,
                    "datetime": None if each.datetime is None else each.datetime.isoformat(),
                    "can_be_ordered": each.orderable,
                },
            }
            for each in self
        ]
        return {"type": "FeatureCollection", "features": features}

    def __repr__(self) -> str:
        what = "1 product" if len(self) == 1 else f"{len(self)} products"
        return f"{what} of {self.collection_id}{_dates(self._items)}{_offline(self._items)}"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [
            (
                number,
                each.identifier,
                "" if each.datetime is None else f"{each.datetime:%Y-%m-%d %H:%M}",
                _percent(each),
                display.size(found) if (found := size_of(each)) else "",
                can_be_ordered(each),
            )
            for number, each in enumerate(self._items[: display.ROWS])
        ]
        head = ("#", "id", "time (UTC)", "cloud", "size", "can be ordered")
        return display.card(repr(self), display.table(head, rows, total=len(self)) if rows else "")


def _dates(items: Sequence[CatalogueItem]) -> str:
    days = sorted(each.datetime for each in items if each.datetime is not None)
    if not days:
        return ""
    first, last = f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}"
    return f", {first}" if first == last else f", {first} to {last}"


def _offline(items: Sequence[CatalogueItem]) -> str:
    """Return how many are ready and how many in an archive; empty where none is."""
    offline = [each.offline for each in items if each.orderable and each.offline is not None]
    if not offline:
        return ""
    times = [each.usually for each in offline if each.usually is not None]
    usual = f" (restore {about(max(times))})" if times else ""
    ready = sum(each.orderable and each.offline is None for each in items)
    return f" · {ready} ready · {len(offline)} offline{usual}"


def can_be_ordered(item: CatalogueItem) -> str:
    """Return whether a product can be ordered, in words: why not, and what it must wait for."""
    if not item.orderable:
        return f"no: {item.reason or 'not now'}"
    if item.offline is None:
        return "yes"
    usual = "" if item.offline.usually is None else f" ({about(item.offline.usually)})"
    return f"yes, after restore{usual}"


def cloud_of(item: CatalogueItem) -> float | None:
    """Return the cloud cover of a product, percent; None where it is not told."""
    cover = item.properties.get("eo:cloud_cover", item.properties.get("cloud_cover"))
    return float(cover) if isinstance(cover, int | float) else None


def _percent(item: CatalogueItem) -> str:
    cover = cloud_of(item)
    return "" if cover is None else f"{cover:.0f} %"


def size_of(item: CatalogueItem) -> int | None:
    """Return the bytes of a product's data, as far as the catalogue tells them; None where it does not."""
    data = [each for each in item.assets if not each.roles or "data" in each.roles]
    sizes = [each.size for each in data if each.size]
    return sum(sizes) or None


def footprint(item: CatalogueItem) -> Mapping[str, Any] | None:
    """Return where a product lies, as GeoJSON: its footprint, else its box; None where neither is told."""
    if item.geometry is not None or item.bbox is None:
        return item.geometry
    west, south, east, north = item.bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _row(item: CatalogueItem) -> dict[str, Any]:
    return {
        "id": item.identifier,
        "date": item.datetime,
        "cloud": cloud_of(item),
        "size": size_of(item),
        "can_be_ordered": item.orderable,
        "why_not": "" if item.orderable else item.reason or "not now",
    }


def stac_item(item: CatalogueItem) -> dict[str, Any]:
    """Return a product as a STAC item (1.1.0)."""
    properties = dict(item.properties)
    properties["datetime"] = None if item.datetime is None else item.datetime.isoformat()
    if item.datetime is None:  # STAC wants a span then: one that is open to both sides says nothing wrong
        properties.setdefault("start_datetime", "0001-01-01T00:00:00Z")
        properties.setdefault("end_datetime", "9999-12-31T23:59:59Z")
    assets = {
        each.name: {
            "href": each.href,
            **({"type": each.media_type} if each.media_type else {}),
            **({"roles": list(each.roles)} if each.roles else {}),
            **({"bands": [{"name": name} for name in each.bands]} if each.bands else {}),
            **({"file:size": each.size} if each.size else {}),
        }
        for each in item.assets
    }
    geometry = footprint(item)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": item.identifier,
        "collection": item.collection_id,
        "geometry": geometry,
        **({"bbox": list(item.bbox)} if item.bbox is not None and geometry is not None else {}),
        "properties": properties,
        "links": [],
        "assets": assets,
    }
