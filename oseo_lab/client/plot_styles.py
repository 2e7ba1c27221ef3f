"""Which colours data want: natural colours, a ramp that suits what a band holds, a legend of classes.

Decided from names and attributes, then from values; nothing here draws. Used by `plots`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Style", "natural_colours", "rgba", "style_of"]

#: Bands of a picture in natural colours, by the names that missions give them; red, green, blue.
_TRIOS = (
    ("red", "green", "blue"),
    ("B04", "B03", "B02"),
    ("B4", "B3", "B2"),
    ("SR_B4", "SR_B3", "SR_B2"),
    ("Red", "Green", "Blue"),
)
#: Green lowland, fields, bare slopes, rock, snow: no blue, which would read as water.
_LAND = ("#4f7f5c", "#9db27a", "#ddd6a3", "#c9a777", "#9a7658", "#b9aba2", "#fbfaf8")
#: Bare to nothing to green: told apart by those who see red and green alike.
_GREENNESS = ("#7a4a16", "#b98542", "#e5cf9f", "#f6f4ee", "#a9cf96", "#4f9a52", "#14532d")
#: Dry to nothing to wet.
_WETNESS = ("#7a4a16", "#b98542", "#e5cf9f", "#f6f4ee", "#9cc7dd", "#3f8fbf", "#123f6b")

_ELEVATION = ("elevation", "dem", "dsm", "dtm", "height", "altitude", "surface_altitude")
_VEGETATION = ("ndvi", "evi", "savi", "gndvi", "ndre")
_WATER = ("ndwi", "mndwi", "ndmi", "ndsi")
_CLASSES = ("scl", "class", "classes", "classification", "landcover", "land_cover", "mask", "qa")
#: Scene classes of Sentinel-2 level 2A (product specification 14.9, table of SCL).
_SCENE_CLASSES: Mapping[int, tuple[str, str]] = {
    0: ("no data", "#000000"),
    1: ("saturated or defective", "#d64541"),
    2: ("dark area", "#4a4a4a"),
    3: ("cloud shadow", "#7a5a3a"),
    4: ("vegetation", "#4f9a52"),
    5: ("bare soil", "#e0cf7a"),
    6: ("water", "#2f6fb0"),
    7: ("unclassified", "#8a8a8a"),
    8: ("cloud, medium probability", "#c4c4c4"),
    9: ("cloud, high probability", "#f2f2f2"),
    10: ("thin cirrus", "#9fd0e6"),
    11: ("snow or ice", "#f4a6d7"),
}
#: Most classes a legend lists; more values are a ramp.
_MOST_CLASSES = 20


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one band is coloured.

    Parameters
    ----------
    colours : tuple of str
        A ramp from low to high, or a name of one in matplotlib alone.
    low, high : float
        Values at its ends.
    shaded : bool
        Whether slopes are lit from the north-west.
    classes : mapping of int to (str, str)
        Name and colour of each value, where values are codes.
    """

    colours: tuple[str, ...] = ("viridis",)
    low: float = 0.0
    high: float = 1.0
    shaded: bool = False
    classes: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def natural_colours(data: Any) -> tuple[str, str, str] | None:
    """Return the red, green and blue variables of a dataset, by STAC common names or bands; None without."""
    common = {str(data[name].attrs.get("common_name", "")): str(name) for name in data.data_vars}
    if {"red", "green", "blue"} <= common.keys():
        return common["red"], common["green"], common["blue"]
    return next((trio for trio in _TRIOS if set(trio) <= set(data.data_vars)), None)


def rgba(panels: Sequence[Any], stretch: tuple[float, float]) -> list[Any]:
    """Return each panel (3 bands, y, x) as RGBA, 0 to 1: one stretch for all bands, and for all panels.

    The ends are the median of the panels' own percentiles: one cloudy day does not darken the others. Pixels
    that are missing in any band are transparent.
    """
    import numpy

    ends = [_percentiles(each, stretch) for each in panels]
    known = [each for each in ends if each is not None]
    low, high = numpy.median(known, axis=0) if known else (0.0, 1.0)
    made = []
    for each in panels:
        light = numpy.clip((each - low) / ((high - low) or 1.0), 0, 1)
        there = numpy.isfinite(each).all(axis=0)
        colour = numpy.where(there, light, 0.0) ** _GAMMA
        made.append(numpy.dstack([*colour, there.astype(float)]))
    return made


#: Lifts what is dark: forests and water are told apart.
_GAMMA = 0.85


def _percentiles(values: Any, stretch: tuple[float, float]) -> tuple[float, float] | None:
    import numpy

    known = values[numpy.isfinite(values)]
    if not known.size:
        return None
    low, high = numpy.percentile(known, stretch)
    return float(low), float(high)


def style_of(
    name: str, attrs: Mapping[str, Any], panels: Sequence[Any], stretch: tuple[float, float]
) -> Style:
    """Return how a band is coloured, the same way in all panels.

    Parameters
    ----------
    name, attrs : str, mapping
        What the band is called, and said to be.
    panels : sequence of array
        Its values, missing ones NaN.
    stretch : tuple of float
        Percentiles at the ends of a ramp.
    """
    import numpy

    parts = [each[numpy.isfinite(each)] for each in panels]
    known = numpy.concatenate(parts) if parts else numpy.empty(0)
    if not known.size:
        return Style()
    words = {
        name.lower(),
        str(attrs.get("standard_name", "")).lower(),
        str(attrs.get("long_name", "")).lower(),
    }
    if classes := _classes(words, attrs, known):
        return Style(classes=classes)
    low, high = (float(each) for each in numpy.percentile(known, stretch))
    if words & set(_ELEVATION):
        return Style(colours=_LAND, low=float(known.min()), high=float(known.max()), shaded=True)
    if words & {*_VEGETATION, *_WATER} or (low < 0 < high and max(-low, high) <= 1.001):
        most = min(1.0, max(abs(low), abs(high))) or 1.0
        return Style(colours=_WETNESS if words & set(_WATER) else _GREENNESS, low=-most, high=most)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return Style(colours=("gray",) if _is_reflectance(name, attrs) else ("viridis",), low=low, high=high)


def _is_reflectance(name: str, attrs: Mapping[str, Any]) -> bool:
    stem = name.upper().removeprefix("SR_")
    is_band = stem[:1] == "B" and stem[1:].rstrip("A").isdigit()
    return (
        is_band
        or "common_name" in attrs
        or stem in ("VV", "VH", "HH", "HV", "GREY", "RED", "GREEN", "BLUE", "NIR")
    )


def _classes(words: set[str], attrs: Mapping[str, Any], known: Any) -> dict[int, tuple[str, str]]:
    """Return name and colour of each code that occurs; none if the values are no codes."""
    import numpy

    is_told = "flag_values" in attrs or bool(words & set(_CLASSES))
    if not is_told:
        return {}
    found = numpy.unique(known)
    if len(found) > _MOST_CLASSES or not (found == numpy.round(found)).all():
        return {}
    codes = [int(each) for each in found]
    if "scl" in words:
        return {each: _SCENE_CLASSES.get(each, (f"{each}", "#ff00ff")) for each in codes}
    names = _flag_names(attrs)
    return {each: (names.get(each, str(each)), _LIST[rank % len(_LIST)]) for rank, each in enumerate(codes)}


#: Colours of classes that nobody coloured: apart in lightness too (after Okabe and Ito's eight).
_LIST = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#4d4d4d",
    "#999999",
    "#7f3b08",
)


def _flag_names(attrs: Mapping[str, Any]) -> dict[int, str]:
    """Return the names of codes as CF gives them (``flag_values``, ``flag_meanings``)."""
    values, meanings = attrs.get("flag_values", ()), str(attrs.get("flag_meanings", "")).split()
    if len(meanings) != len(values):
        return {}
    return {int(value): name.replace("_", " ") for value, name in zip(values, meanings, strict=True)}
