"""The fixtures under test; users name the module in ``pytest_plugins`` of their topmost conftest."""

from __future__ import annotations

from oseo_lab.testing import (  # noqa: F401  # fixtures are found by their names
    oseo_clock,
    oseo_collections,
    oseo_order,
    oseo_server,
    oseo_settings,
)
