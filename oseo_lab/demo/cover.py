"""What grows and stands on the land: forest belts by height, rock, parcels of fields, towns and roads.

Shares of each cover are grids from 0 to 1 that sum to 1; the seasons come later, in `scenes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from oseo_lab.demo.noise import Grid, blur, cells, fractal, smoothstep
from oseo_lab.demo.terrain import CELL, SIZE, Terrain

__all__ = ["CROPS", "Cover", "make_cover"]

#: What is grown on parcels; a parcel's crop is its index here.
CROPS = ("wheat", "maize", "meadow", "vines", "olives", "soil")

#: Towns: east, south (parts of the map), radius (parts), density.
_TOWNS = (
    (0.415, 0.765, 0.040, 1.0),
    (0.560, 0.655, 0.020, 0.9),
    (0.245, 0.640, 0.022, 0.9),
    (0.262, 0.360, 0.012, 0.8),
    (0.455, 0.300, 0.010, 0.8),
    (0.825, 0.560, 0.022, 0.9),
    (0.835, 0.230, 0.016, 0.9),
    (0.690, 0.840, 0.045, 1.0),
    (0.180, 0.850, 0.026, 0.9),
    (0.910, 0.930, 0.030, 0.9),
    (0.330, 0.930, 0.015, 0.8),
    (0.070, 0.740, 0.014, 0.8),
    (0.560, 0.960, 0.012, 0.8),
)


@dataclass(frozen=True, kw_only=True)
class Cover:
    """What covers the land, as grids of `SIZE` by `SIZE`.

    Parameters
    ----------
    shares : mapping of str to Grid
        Share of each cover in a pixel: water, shallow, leaf, conifer, grass, rock, town, road, and `CROPS`.
    parcel : Grid
        A number from 0 to 1 for each parcel of land.
    texture : Grid
        Fine noise, mean 0, deviation 1.
    """

    shares: Mapping[str, Grid]
    parcel: Grid
    texture: Grid

    @cached_property
    def stack(self) -> Grid:
        """The shares one above the other, in their order; made uneven where nature is."""
        calm = ("water", "shallow", "road")
        vary = np.asarray(1 + 0.07 * self.texture, dtype=np.float32)
        return np.stack([share if name in calm else share * vary for name, share in self.shares.items()])


def _parcels() -> tuple[np.ndarray[Any, Any], Grid]:
    """Return the number of each pixel's parcel, and its distance from the parcel's edge."""
    line = np.arange(SIZE, dtype=np.float32)
    down, right = np.meshgrid(line, line, indexing="ij")
    bend = fractal(SIZE, 41, slope=2.2) * 14
    district, _ = cells((right + bend) / 150, (down - bend) / 150, 42)
    angle = np.random.RandomState(43).random_sample(512 * 512)[district].astype(np.float32) * 0.9 - 0.2
    across = np.cos(angle) * right + np.sin(angle) * down
    along = np.cos(angle) * down - np.sin(angle) * right
    number, inside = cells(
        (across + bend * 0.3) / 20 + district % 97, (along + bend * 0.3) / 11 + district % 89, 44
    )
    return number, inside


def _towns(terrain: Terrain, parcel: Grid) -> Grid:
    line = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    south, east = np.meshgrid(line, line, indexing="ij")
    wavy = fractal(SIZE, 51, slope=1.35, lowest=8)
    density = np.zeros((SIZE, SIZE), dtype=np.float32)
    for at_east, at_south, radius, most in _TOWNS:
        away = np.hypot(east - at_east, south - at_south) / radius
        density = np.maximum(density, most * smoothstep(1.6, 0.35, away * (1.15 + 0.40 * wavy)))
    hamlets = smoothstep(2.1, 2.6, fractal(SIZE, 52, slope=0.6, lowest=30)) * 0.7
    flat = smoothstep(260, 180, terrain.height)
    blocks = parcel * 0.55 + 0.55 * smoothstep(0.2, 0.9, density)
    built = smoothstep(0.42, 0.62, np.maximum(density, hamlets * flat) * blocks * 1.5)
    return np.asarray(built * (terrain.shore > 0.001) * (terrain.river > 0.004), dtype=np.float32)


def _roads(terrain: Terrain, slope: Grid) -> Grid:
    line = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    south, east = np.meshgrid(line, line, indexing="ij")
    ways = [
        (np.abs(south - 0.815 - 0.03 * np.sin(4.5 * east) - 0.035 * east), 0.0016),
        (np.abs(east - 0.868 - 0.035 * np.sin(5.2 * south) - 0.05 * south**2), 0.0013),
        (np.abs(terrain.shore - 0.012) + 10 * (south > 0.76), 0.0008),
        (np.abs(east - 0.19 - 0.05 * np.sin(3 * south)) + 10 * (south < 0.60), 0.0008),
        (np.abs(east - 0.69 + 0.25 * (south - 0.84)) + 10 * (south < 0.66), 0.0009),
        (np.abs(south - 0.925 - 0.07 * (east - 0.4)), 0.0008),
    ]
    paved = np.zeros((SIZE, SIZE), dtype=np.float32)
    for away, width in ways:
        paved = np.maximum(paved, smoothstep(width * 1.4, width * 0.5, away))
    return np.asarray(paved * (terrain.shore > 0.002) * smoothstep(0.5, 0.3, slope), dtype=np.float32)


def _wild(terrain: Terrain, slope: Grid, texture: Grid) -> dict[str, Grid]:
    """Return forest, grass and rock as if nobody farmed."""
    patchy = fractal(SIZE, 61, slope=1.15, lowest=5)
    height = terrain.height + 70 * patchy + 25 * texture
    treeline = smoothstep(1680, 1480, height)
    rock = np.maximum(smoothstep(1.25, 1.75, slope + 0.16 * patchy), 0.75 * smoothstep(1720, 1950, height))
    rock = np.maximum(rock, smoothstep(0.75, 1.10, slope) * smoothstep(1350, 1750, height) * 0.7)
    clearing = smoothstep(0.9, 1.5, patchy + 1.2 * smoothstep(0.45, 0.15, slope)) * 0.85
    forest = treeline * (1 - clearing)
    needles = smoothstep(800, 1250, height + 120 * patchy)
    open_land = 1 - rock
    return {
        "rock": rock,
        "leaf": open_land * forest * (1 - needles),
        "conifer": open_land * forest * needles,
        "grass": open_land * (1 - forest),
    }


def _crop(parcel: Grid, terrain: Terrain, wild: Grid) -> np.ndarray[Any, Any]:
    """Return the crop of each parcel: vines and olives near the lake and on slopes, the rest in the plain."""
    lakeside = smoothstep(0.16, 0.02, terrain.shore) + 0.5 * smoothstep(110, 200, terrain.height)
    shuffled = (parcel * 7919.0) % 1.0
    field = np.select([shuffled < 0.34, shuffled < 0.64, shuffled < 0.86, shuffled < 0.93], [0, 1, 2, 3], 5)
    orchard = np.where((parcel * 104729.0) % 1.0 < 0.55, 3, 4)
    return np.where(shuffled * 0.9 + 0.1 * wild < lakeside * 0.75, orchard, field)


def make_cover(terrain: Terrain) -> Cover:
    """Cover the land; the same every time."""
    texture = blur(fractal(SIZE, 71, slope=0.35))
    texture = np.asarray(texture / texture.std(), dtype=np.float32)
    down, right = np.gradient(terrain.height, CELL)
    slope = blur(np.asarray(np.hypot(down, right), dtype=np.float32))
    number, inside = _parcels()
    parcel = np.random.RandomState(45).random_sample(512 * 512)[number].astype(np.float32)

    water = np.maximum(smoothstep(0.001, -0.001, terrain.shore), smoothstep(0.0032, 0.0020, terrain.river))
    shallow = (
        smoothstep(-0.024, -0.001, terrain.shore + 0.005 * fractal(SIZE, 72, slope=1.5, lowest=4)) * water
    )
    left = 1 - water
    road = _roads(terrain, slope) * left
    left = left - road
    town = _towns(terrain, parcel) * left
    left = left - town
    wild = _wild(terrain, slope, texture)
    stream = smoothstep(0.62, 0.80, terrain.flow) * 0.8 + smoothstep(0.011, 0.004, terrain.river) * 0.6
    farmed = smoothstep(0.26, 0.12, slope) * smoothstep(420, 240, terrain.height + 200 * (parcel - 0.5))
    farmed = farmed * (1 - np.clip(stream, 0, 0.9))
    hedge = smoothstep(0.10, 0.02, inside) * 0.55
    crop = _crop(parcel, terrain, texture)
    shares = {"water": water - shallow, "shallow": shallow, "road": road, "town": town}
    shares |= {name: share * left * (1 - farmed) for name, share in wild.items()}
    shares["leaf"] = shares["leaf"] + left * farmed * hedge
    for index, name in enumerate(CROPS):
        shares[name] = left * farmed * (1 - hedge) * (crop == index)
    as_grids = {name: np.asarray(share, dtype=np.float32) for name, share in shares.items()}
    return Cover(shares=as_grids, parcel=parcel, texture=texture)
