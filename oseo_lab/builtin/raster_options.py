"""What a user can choose of a raster: the options of the processor ``raster``, declared once.

GetOptions, the JSON Schema, validation and forms all show these very definitions; `Choices` is what one
item chose of them, as the other ``raster_*`` modules read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oseo_lab.model.job import FailureClass
from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import Category, DataArray, Field, OptionDefinition, Quantity, Vector
from oseo_lab.ports import ProcessingFailed

__all__ = ["KEEPING", "OPTIONS", "RULES", "SCENE_OPTIONS", "Choices"]

_GROUP = "Processing Option"
#: Ways of resampling that make no values that were not there.
KEEPING = frozenset({"nearest", "mode"})
_EPSG = r"EPSG:[1-9]\d{3,5}"

_POINT = Field(
    name="point",
    component=Vector(
        reference_frame="http://www.opengis.net/def/crs/EPSG/0/4326",
        description="One corner; latitude and longitude in degrees, or northing and easting in areaCrs.",
        fields=(
            Field(name="latitude", component=Quantity(uom="deg", label="Latitude (or northing)")),
            Field(name="longitude", component=Quantity(uom="deg", label="Longitude (or easting)")),
        ),
    ),
)

#: What is made of the scene.
OPTIONS: tuple[OptionDefinition, ...] = (
    OptionDefinition(
        name="format",
        grouping=_GROUP,
        component=Category(
            label="File format",
            description="COG: GeoTIFF that can be read piecewise over HTTP, with overviews; GeoTIFF: "
            "the same without overviews; NetCDF: CF-1.8, one variable per band; PNG: a picture of at most "
            "2048 pixels a side, with a world file: three bands in colour or the first in grey, stretched "
            "to bytes unless they are bytes.",
            allowed=("COG", "GeoTIFF", "NetCDF", "PNG"),
            value="COG",
        ),
    ),
    OptionDefinition(
        name="crs",
        grouping=_GROUP,
        component=Category(
            label="Coordinate reference system",
            description="native keeps the scene's own grid, pixel for pixel (for a scene placed by control "
            "points: the CRS of the points); EPSG:4326 is latitude/longitude, EPSG:326nn / 327nn UTM zone "
            "nn north / south, EPSG:3857 web maps.",
            allowed=("native",),
            pattern=_EPSG,
            value="native",
        ),
    ),
    OptionDefinition(
        name="resolution",
        grouping=_GROUP,
        component=Quantity(
            label="Pixel size",
            description="Width and height of a pixel in units of the chosen CRS (metres, or degrees for "
            "EPSG:4326); without it, that of the finest chosen band.",
            optional=True,
            intervals=(("1e-7", "1e7"),),
        ),
    ),
    OptionDefinition(
        name="resampling",
        grouping=_GROUP,
        component=Category(
            label="Resampling",
            description="How pixels of a new grid are made. bilinear, cubic, lanczos: for measured "
            "quantities; average: for coarser pixels; nearest, mode: for classes and flags (they keep the "
            "original values). Bands known to hold classes or flags get nearest where neither is chosen.",
            allowed=("nearest", "bilinear", "cubic", "average", "mode", "lanczos"),
            value="bilinear",
        ),
    ),
    OptionDefinition(
        name="bands",
        grouping=_GROUP,
        component=DataArray(
            label="Bands",
            description="Names of the bands to deliver, in this order; without it, all of them.",
            optional=True,
            element=Field(name="band", component=Category(label="Band name", pattern=r"[\w .()+/-]{1,100}")),
        ),
    ),
    OptionDefinition(
        name="dataType",
        grouping=_GROUP,
        component=Category(
            label="Data type",
            description="native keeps that of the scene; values outside an integer type's range are cut off "
            "at its ends, fractions are rounded.",
            allowed=("native", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"),
            value="native",
        ),
    ),
    OptionDefinition(
        name="scaling",
        grouping=_GROUP,
        component=Category(
            label="Scaling of values",
            description="none: values as they are; offset-scale: physical values by the scale and offset "
            "that the scene's metadata give, as float32 unless dataType says otherwise; minmax, percentile: "
            "stretched from the least to the greatest value, or from the 2nd to the 98th percentile, over "
            "the range of dataType (uint8 if native; 0 is kept for nodata; floats become 0 to 1).",
            allowed=("none", "offset-scale", "minmax", "percentile"),
            value="none",
        ),
    ),
)

#: Which part of the scene is made.
SCENE_OPTIONS: tuple[OptionDefinition, ...] = (
    OptionDefinition(
        name="sceneBoundingRectangle",
        component=DataArray(
            label="Area: rectangle",
            description="Two points: the south-west corner, then the north-east one. A first longitude "
            "greater than the second crosses the antimeridian. The result covers the rectangle.",
            optional=True,
            element=_POINT,
            element_count=2,
        ),
    ),
    OptionDefinition(
        name="sceneBoundingPolygon",
        component=DataArray(
            label="Area: polygon",
            description="Three points or more, in order; the ring is closed if it is not. Pixels whose "
            "centre lies outside become nodata (0 or NaN if the scene has none). Across the antimeridian "
            "write longitudes above 180.",
            optional=True,
            element=_POINT,
        ),
    ),
    OptionDefinition(
        name="areaCrs",
        component=Category(
            label="CRS of the area",
            description="CRS of the area's coordinates. Given in the scene's own CRS, the area cuts the "
            "scene on its pixels before anything else is done.",
            pattern=_EPSG,
            value="EPSG:4326",
        ),
    ),
)

#: Which of these go together: a choice that would change nothing, or could not be made, is not offered.
RULES: tuple[OptionRule, ...] = (
    OptionRule(
        when={"format": ("PNG",)}, then={"dataType": ("native", "uint8")}, reason="a PNG picture holds bytes"
    ),
    OptionRule(
        when={"format": ("PNG",)},
        then={"scaling": ("none", "minmax", "percentile")},
        reason="a PNG picture shows stretched values, never physical ones",
    ),
    OptionRule(
        when={"sceneBoundingRectangle": ()},
        then={"sceneBoundingPolygon": ()},
        reason="an area is a rectangle or a polygon",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What one item chose.

    Parameters
    ----------
    format, resampling, data_type, scaling : str
        As `OPTIONS` allows.
    epsg : int or None
        Target CRS; None for the scene's own.
    resolution : float or None
        Pixel size, units of the target CRS.
    bands : tuple of str
        Wanted band names; empty for all.
    corners : tuple of (float, float)
        The area's points as x (longitude, easting), y (latitude, northing); empty for the whole scene.
    is_polygon : bool
        Whether the points are a ring rather than two corners.
    area_epsg : int
        CRS of the points.
    """

    format: str = "COG"
    epsg: int | None = None
    resolution: float | None = None
    resampling: str = "bilinear"
    bands: tuple[str, ...] = ()
    data_type: str = "native"
    scaling: str = "none"
    corners: tuple[tuple[float, float], ...] = ()
    is_polygon: bool = False
    area_epsg: int = 4326

    @classmethod
    def of(cls, options: Mapping[str, Any], scene: Mapping[str, Any]) -> Choices:
        """Read an item's checked options and scene selection.

        Raises
        ------
        ProcessingFailed
            (bad request) If they contradict each other or name no CRS.
        """
        rectangle = scene.get("sceneBoundingRectangle") or ()
        polygon = scene.get("sceneBoundingPolygon") or ()
        if rectangle and polygon:
            raise _refused("choose sceneBoundingRectangle or sceneBoundingPolygon, not both")
        if rectangle and len(rectangle) != 2:
            raise _refused(f"sceneBoundingRectangle has two corners, not {len(rectangle)}")
        if polygon and len(polygon) < 3:
            raise _refused(f"sceneBoundingPolygon has three points or more, not {len(polygon)}")
        crs = str(options.get("crs") or "native")
        resolution = options.get("resolution")
        return cls(
            format=options.get("format") or cls.format,
            epsg=None if crs == "native" else _code(crs, "crs"),
            resolution=None if resolution is None else float(resolution),
            resampling=options.get("resampling") or cls.resampling,
            bands=tuple(options.get("bands") or ()),
            data_type=options.get("dataType") or cls.data_type,
            scaling=options.get("scaling") or cls.scaling,
            corners=tuple((float(p["longitude"]), float(p["latitude"])) for p in polygon or rectangle),
            is_polygon=bool(polygon),
            area_epsg=_code(str(scene.get("areaCrs") or "EPSG:4326"), "areaCrs"),
        )

    def described(self) -> dict[str, Any]:
        """Return the choices as the options' own names and values, for the result's provenance."""
        chosen = {
            "format": self.format,
            "crs": f"EPSG:{self.epsg}" if self.epsg else "native",
            "resolution": self.resolution,
            "resampling": self.resampling,
            "bands": list(self.bands) or None,
            "dataType": self.data_type,
            "scaling": self.scaling,
            "area": [list(corner) for corner in self.corners] or None,
            "areaCrs": f"EPSG:{self.area_epsg}" if self.corners else None,
        }
        return {name: value for name, value in chosen.items() if value is not None}


def _code(text: str, name: str) -> int:
    # only digits ever reach PROJ: CRS.from_user_input would open files and URLs
    if not re.fullmatch(_EPSG, text):
        raise _refused(f"{name} is EPSG: and digits, not {text[:100]!r}")
    return int(text.removeprefix("EPSG:"))


def _refused(reason: str) -> ProcessingFailed:
    return ProcessingFailed(reason, failure_class=FailureClass.BAD_REQUEST)
