"""Areas and times as scientists write them, made into what the service reads.

An area may be a bounding box, WKT, GeoJSON, a file, anything with ``__geo_interface__`` (shapely, geopandas,
what is drawn on a map); it becomes a GeoJSON geometry in EPSG:4326, longitude first. Mixed-up axes are
refused with the likely fix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from oseo_lab.client.area_sources import drawn, from_file, in_degrees, is_file
from oseo_lab.model.errors import ValidationError

__all__ = ["Area", "as_area", "as_period", "as_selection", "points_of", "swapped"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Area:
    """A place on Earth.

    Parameters
    ----------
    bbox : tuple of float
        West, south, east, north; degrees, EPSG:4326.
    geometry : mapping
        GeoJSON Polygon or MultiPolygon; EPSG:4326, longitude first.
    is_box : bool
        Whether it is a box, in EPSG:4326 or in ``crs``, and nothing else.
    crs : str or None
        ``EPSG:n`` it was given in, if another.
    points : tuple of (float, float)
        Its corners (a box) or outer ring as given: x, y in ``crs`` or longitude, latitude. Empty where it has
        parts or holes, which an order cannot say.
    """

    bbox: Box
    geometry: Mapping[str, Any]
    is_box: bool = False
    crs: str | None = None
    points: tuple[tuple[float, float], ...] = ()

    def __repr__(self) -> str:
        west, south, east, north = self.bbox
        kind = "box" if self.is_box else str(self.geometry["type"]).lower()
        return f"Area({kind}, {west:g} to {east:g} E, {south:g} to {north:g} N)"


def _refuse(text: str) -> ValidationError:
    return ValidationError(text, locator="area")


def as_area(area: Any, crs: Any = None) -> Area:
    """Return an area from whatever a scientist has at hand.

    Parameters
    ----------
    area : tuple of 4 float, str, Path, mapping or object with ``__geo_interface__``
        Bounding box (west, south, east, north), WKT, GeoJSON, shapely geometry, GeoSeries, GeoDataFrame, a
        file (GeoJSON, GeoPackage, shapefile, whatever geopandas reads), what was drawn on a map, `Area`.
    crs : str or int, optional
        Where coordinates are not EPSG:4326: ``"EPSG:32632"``; an object's own ``crs`` is read.

    Raises
    ------
    ValidationError
        If it is none of these, empty, or not where longitudes and latitudes are.
    """
    if isinstance(area, Area):
        return area
    if is_file(area):
        area = from_file(area)
    if crs is None:
        area = in_degrees(drawn(area))
    crs = _crs_code(crs if crs is not None else getattr(area, "crs", None))
    if isinstance(area, str):
        area = _from_wkt(area)
    if isinstance(area, Mapping) or hasattr(area, "__geo_interface__"):
        found = area if isinstance(area, Mapping) else area.__geo_interface__
        try:
            return _from_geojson(found, crs)
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as wrong:
            raise _refuse(f"the area is no GeoJSON that can be read ({wrong!s:.100})") from None
    return _from_box(area, crs)


def swapped(area: Area) -> Area | None:
    """Return the area with latitude and longitude exchanged: what may have been meant; None if it cannot."""
    west, south, east, north = area.bbox
    if area.crs or not area.is_box or max(abs(west), abs(east)) > 90:
        return None
    return _from_box((south, west, north, east), None)


def _crs_code(crs: Any) -> str | None:
    """Return ``EPSG:n`` of a CRS given as text, number or object; None for EPSG:4326."""
    if crs is None:
        return None
    epsg = crs.to_epsg() if hasattr(crs, "to_epsg") else crs
    text = f"EPSG:{epsg}" if isinstance(epsg, int) else str(epsg).upper()
    if not re.fullmatch(r"EPSG:\d{4,6}|OGC:CRS84", text):
        raise _refuse(f"crs {str(crs)[:60]!r} is not understood; write it as 'EPSG:32632'")
    return None if text in ("EPSG:4326", "OGC:CRS84") else text


def _from_wkt(text: str) -> Any:
    from shapely import from_wkt
    from shapely.errors import ShapelyError

    try:
        return from_wkt(text)
    except ShapelyError as wrong:
        raise _refuse(
            f"area {text[:60]!r} is not WKT ({wrong}); allowed: (west, south, east, north), WKT such as "
            "'POLYGON ((10 45, 11 45, 11 46, 10 45))', GeoJSON, shapely, geopandas"
        ) from None


def _from_box(box: Any, crs: str | None) -> Area:
    try:
        west, south, east, north = (float(each) for each in box)
    except (TypeError, ValueError, OverflowError):
        raise _refuse(
            f"area {str(box)[:60]!r} is not understood; allowed: (west, south, east, north), WKT, GeoJSON, "
            "shapely, geopandas, a file of these"
        ) from None
    crosses = crs is None and west - east > 180  # from 170 E to 170 W, not two corners mixed up
    if not (west < east or crosses) or not south < north:
        raise _refuse(
            f"the box is empty: west {west:g} must be below east {east:g}, south {south:g} below north "
            f"{north:g}; the order is (west, south, east, north)"
        )
    points = ((west, south), (east, north))
    bbox = (west, south, east, north)
    if crs:
        from rasterio.warp import transform_bounds

        bbox = transform_bounds(crs, "EPSG:4326", *bbox)
    _check_degrees(bbox)
    return Area(bbox, _rectangle(bbox), is_box=True, crs=crs, points=points)


def _rectangle(bbox: Box) -> dict[str, Any]:
    """Return a box as GeoJSON; across the antimeridian in two parts (RFC 7946, 3.1.9)."""
    west, south, east, north = bbox
    sides = [(west, east)] if west < east else [(west, 180.0), (-180.0, east)]
    rings = [[[[w, south], [e, south], [e, north], [w, north], [w, south]]] for w, e in sides]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _check_degrees(bbox: Box) -> None:
    west, south, east, north = bbox
    widest, highest = max(abs(west), abs(east)), max(abs(south), abs(north))
    if widest <= 180 and highest <= 90:
        return
    if widest <= 90 and highest <= 180:
        raise _refuse(
            f"latitudes reach {highest:g}, so latitude and longitude look swapped: "
            f"write (west, south, east, north), here ({south:g}, {west:g}, {north:g}, {east:g})"
        )
    raise _refuse(
        f"({west:g}, {south:g}, {east:g}, {north:g}) are not degrees; for projected coordinates name their "
        "CRS: crs='EPSG:32632'"
    )


def _from_geojson(found: Mapping[str, Any], crs: str | None) -> Area:
    geometries = [each for each in _geometries(found) if each.get("coordinates")]
    strange = sorted({str(each.get("type")) for each in geometries} - {"Polygon", "MultiPolygon"})
    if strange or not geometries:
        raise _refuse(
            f"an area is a Polygon or MultiPolygon, not {', '.join(strange) or 'empty'}; "
            "give points and lines a width first (shapely: .buffer())"
        )
    geometry = geometries[0] if len(geometries) == 1 else _united(geometries)
    points = _one_ring(geometry)
    if crs:
        from rasterio.warp import transform_geom

        geometry = transform_geom(crs, "EPSG:4326", geometry)
    degrees = list(points_of(geometry["coordinates"]))
    xs, ys = [point[0] for point in degrees], [point[1] for point in degrees]
    bbox = (min(xs), min(ys), max(xs), max(ys))
    if bbox[0] >= bbox[2] or bbox[1] >= bbox[3]:
        raise _refuse("the polygon has no surface")
    _check_degrees(bbox)
    plain = {"type": geometry["type"], "coordinates": geometry["coordinates"]}
    return Area(bbox, plain, crs=crs, points=points)


def _geometries(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    kind = found.get("type")
    if kind == "FeatureCollection":
        for feature in found.get("features", ()):
            yield from _geometries(feature)
    elif kind == "Feature":
        yield from _geometries(found.get("geometry") or {})
    elif kind == "GeometryCollection":
        for each in found.get("geometries", ()):
            yield from _geometries(each)
    else:
        yield found


def _united(geometries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    from shapely.geometry import mapping, shape
    from shapely.ops import unary_union

    united: Mapping[str, Any] = mapping(unary_union([shape(each) for each in geometries]))
    return united


def points_of(coordinates: Any) -> Iterator[tuple[float, float]]:
    """Yield the points in GeoJSON coordinates (RFC 7946, 3.1), however deep they lie, without heights."""
    if coordinates and isinstance(coordinates[0], int | float):
        yield float(coordinates[0]), float(coordinates[1])
        return
    for each in coordinates:
        yield from points_of(each)


def as_selection(area: Area, offered: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scene selection that asks for an area, as Python values by name.

    Parameters
    ----------
    area : Area
        Where.
    offered : mapping of str to OptionDefinition
        What the collection's scene selection offers.

    Raises
    ------
    ValidationError
        If the collection cannot cut out an area of this kind.
    """
    name = "sceneBoundingRectangle" if area.is_box else "sceneBoundingPolygon"
    if name not in offered:
        raise _refuse(
            f"this collection offers no {name}; allowed: {', '.join(offered) or 'whole scenes only'}"
        )
    if not area.points:
        raise _refuse(
            "the area has several parts or holes and an order holds one ring: order the parts apart, "
            "or take their hull (shapely: .convex_hull)"
        )
    points: Sequence[tuple[float, float]] = area.points
    chosen: dict[str, Any] = {}
    if area.crs and "areaCrs" in offered:
        chosen["areaCrs"] = area.crs
    elif area.crs:
        points = _corners(area) if area.is_box else _one_ring(area.geometry)
    axes = [each.name for each in offered[name].component.element.component.fields]
    axes.sort(key=lambda axis: not axis.lower().startswith("lat"))
    return {name: [{axes[0]: y, axes[1]: x} for x, y in points], **chosen}


def _corners(area: Area) -> tuple[tuple[float, float], ...]:
    west, south, east, north = area.bbox
    return (west, south), (east, north)


def _one_ring(geometry: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    """Return the ring of a polygon without holes or further parts; empty for others."""
    coordinates = geometry["coordinates"]
    if geometry["type"] == "MultiPolygon":
        coordinates = coordinates[0] if len(coordinates) == 1 else ()
    return tuple(points_of(coordinates[0])) if len(coordinates) == 1 else ()


def as_period(given: Any) -> tuple[datetime, datetime] | None:
    """Return a closed period in UTC from dates as people write them.

    Parameters
    ----------
    given : str, date, datetime or tuple
        ``"2024-06"``, ``"2024-06/2024-07"``, ``"2024-06-01/.."``, a date, or two of them. A month or day
        at the end means all of it.

    Raises
    ------
    ValidationError
        If it cannot be read, runs backwards, or is a datetime without a zone.
    """
    if given is None:
        return None
    parts = given.split("/") if isinstance(given, str) else given
    ends = list(parts) if isinstance(parts, list | tuple) else [parts]
    if not 1 <= len(ends) <= 2:
        raise _wrong_time(given)
    start = _span(ends[0], datetime(1900, 1, 1, tzinfo=UTC))[0]
    end = _span(ends[-1], datetime(2200, 1, 1, tzinfo=UTC))[1]
    if start > end:
        raise ValidationError(
            f"the time runs backwards: {start:%Y-%m-%d} is after {end:%Y-%m-%d}", locator="time"
        )
    return start, end


def _wrong_time(given: Any) -> ValidationError:
    return ValidationError(
        f"time {str(given)[:60]!r} is not understood; allowed: '2024', '2024-06', '2024-06-15', "
        "'2024-06/2024-07', '2024-06-01/..', dates, aware datetimes, or a tuple of two",
        locator="time",
    )


def _span(given: Any, unbounded: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last moment of what one end names."""
    if given is None or given in ("", ".."):
        return unbounded, unbounded
    if isinstance(given, datetime):
        return _aware(given), _aware(given)
    if isinstance(given, date):
        first = datetime.combine(given, time(), UTC)
        return first, first + timedelta(days=1, microseconds=-1)
    if not isinstance(given, str):
        raise _wrong_time(given)
    return _text_span(given.strip())


def _aware(given: datetime) -> datetime:
    if given.tzinfo is None:
        raise ValidationError(
            f"{given!r} has no time zone; say which: .replace(tzinfo=timezone.utc)", locator="time"
        )
    return given.astimezone(UTC)


def _text_span(text: str) -> tuple[datetime, datetime]:
    tick = timedelta(microseconds=1)
    if found := re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text):
        year, month = int(found[1]), int(found[2] or 1)
        if not (1 <= year <= 9998 and 1 <= month <= 12):
            raise _wrong_time(text)
        first = datetime(year, month, 1, tzinfo=UTC)
        after = (
            first.replace(year=year + 1)
            if found[2] is None or month == 12
            else first.replace(month=month + 1)
        )
        return first, (after if found[2] is None or month < 12 else after.replace(month=1)) - tick
    try:
        if len(text) == 10:
            return _span(date.fromisoformat(text), datetime.max)
        moment = _aware(datetime.fromisoformat(text))
    except ValueError:
        raise _wrong_time(text) from None
    return moment, moment
