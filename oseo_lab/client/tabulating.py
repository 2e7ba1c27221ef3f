"""Items and products as `pandas.DataFrame` and `geopandas.GeoDataFrame`, for those who filter and count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oseo_lab.client.describing import needed
from oseo_lab.model.errors import NotSupported
from oseo_lab.model.order import Attempt, StatusChange

__all__ = ["frame", "geo_frame", "past_of"]


def frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], times: Sequence[str], what: str) -> Any:
    """Return rows as a `pandas.DataFrame` whose index is the first column.

    Parameters
    ----------
    rows : iterable of mapping
        Values by column.
    columns, times : sequence of str
        All columns, in their order; those that hold moments, UTC.
    what : str
        What was called, for whom pandas is missing.
    """
    pandas = needed("pandas", what, "notebook")
    table = pandas.DataFrame(list(rows), columns=list(columns))
    for each in times:
        table[each] = pandas.to_datetime(table[each], utc=True)
    return table.set_index(columns[0])


def geo_frame(rows: Sequence[Mapping[str, Any]], times: Sequence[str], what: str) -> Any:
    """Return rows as a `geopandas.GeoDataFrame`, EPSG:4326; ``geometry`` is GeoJSON, or None."""
    geopandas, pandas = needed("geopandas", what, "notebook"), needed("pandas", what, "notebook")
    shapes = [_shape(each.get("geometry")) for each in rows]
    plain = pandas.DataFrame([{name: each[name] for name in each if name != "geometry"} for each in rows])
    for each in times if len(rows) else ():
        plain[each] = pandas.to_datetime(plain[each], utc=True, format="ISO8601")
    return geopandas.GeoDataFrame(plain, geometry=shapes, crs="EPSG:4326")


def _shape(geometry: Any) -> Any:
    """Return a footprint as a shape; None where a catalogue tells none that can be drawn."""
    from shapely.errors import ShapelyError
    from shapely.geometry import shape

    if not isinstance(geometry, Mapping) or not isinstance(geometry.get("type"), str):
        return None
    try:
        return shape(geometry)
    except (ShapelyError, TypeError, ValueError, KeyError, AttributeError, IndexError):
        return None


def past_of(order: Any) -> tuple[dict[int, StatusChange], dict[int, Attempt]]:
    """Return the last change of each item of an order and the last attempt at it, by the item's number.

    Nothing where none is told: another service has no history.
    """
    from oseo_lab.encoding.json_form import from_plain

    try:
        told = order.session.transport.history(order.id)
    except NotSupported:
        return {}, {}
    changes = (from_plain(StatusChange, each) for each in told.get("history", ()))
    attempts = (from_plain(Attempt, each) for each in told.get("attempts", ()))
    return {each.number: each for each in changes}, {each.number: each for each in attempts}
