"""Plugins at hand: what a processor has against values is asked only where it looks at them."""

from __future__ import annotations

from dataclasses import replace

from oseo_lab.settings import Settings
from oseo_lab.wiring.at_hand import Plugins
from tests.operations.orders import OPTICAL


def test_a_processor_that_looks_at_nothing_costs_submitting_nothing(tmp_path):
    raster = replace(OPTICAL, id="raster", processor="raster")
    plugins = Plugins(Settings(data_dir=tmp_path), {each.id: each for each in (OPTICAL, raster)})
    assert plugins.checker("optical") is None and not plugins.checks_values("optical")
    assert plugins.checks_values("raster")
    assert plugins.checker("raster") is plugins.checker("raster")  # found out once
