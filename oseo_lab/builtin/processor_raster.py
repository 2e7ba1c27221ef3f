"""The processor ``raster``: part of a scene, its bands, on the grid and in the format a user wants.

Runs on the worker, between staged inputs and delivery. The server loads it too, for its options alone: so
`raster_make`, with GDAL behind it, is imported when the first item is made.

Files are named after the product: letters, digits and ``._-`` of its identifier, at most 80, and the suffix
of the format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oseo_lab.builtin.raster_options import OPTIONS, RULES, SCENE_OPTIONS
from oseo_lab.model.errors import Problem
from oseo_lab.model.job import ItemJob, Product
from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import OptionDefinition
from oseo_lab.ports import Inputs, Workspace

__all__ = ["RASTER", "RasterProcessor"]

_AREAS = ("sceneBoundingRectangle", "sceneBoundingPolygon")


class RasterProcessor:
    """Clips, reprojects, picks bands, converts values, writes COG, GeoTIFF, NetCDF or a PNG quicklook."""

    options: Sequence[OptionDefinition] = OPTIONS
    scene_options: Sequence[OptionDefinition] = SCENE_OPTIONS
    rules: Sequence[OptionRule] = RULES

    def check(self, options: Mapping[str, Any], scene: Mapping[str, Any]) -> Iterable[Problem]:
        """Return what would fail at the worker whatever the scene: a CRS that is none, and the like."""
        if options.get("crs") in (None, "native") and not any(scene.get(each) for each in _AREAS):
            return ()
        from oseo_lab.builtin.raster_checks import problems_of

        return problems_of(options, scene)

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        """Make the item's file (and a picture's sidecars) in the workspace.

        Raises
        ------
        ProcessingFailed
            If the choices contradict each other, the area does not touch the scene, a band does not exist
            or the file cannot be read (permanent); if a remote file breaks off (transient).
        """
        from oseo_lab.builtin.raster_make import make

        return make(item, inputs, workspace)


RASTER = RasterProcessor()
