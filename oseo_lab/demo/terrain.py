"""The shape of the land: a long lake between mountains, a river valley beside it, a plain to the south.

Mountains are raised and at once worn down by their own streams (stream-power law, solved implicitly from
the mouths upwards as Braun and Willett 2013 do), which gives valleys that branch like real ones.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from oseo_lab.demo.noise import Grid, blur, enlarge, fractal, ridged, smoothstep

__all__ = ["CELL", "LAKE_LEVEL", "SIZE", "Terrain", "make_terrain"]

SIZE = 1024  #: Pixels along each side.
CELL = 20.0  #: Metres along the side of a pixel.
LAKE_LEVEL = 65.0  #: Metres above the sea.
_TOP = 2150.0
_WEAR = 0.10  # how fast streams cut, against how fast the land rises


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """The land, as grids of `SIZE` by `SIZE`.

    Parameters
    ----------
    height : Grid
        Metres above the sea; the lake's surface where there is lake.
    shore : Grid
        Distance to the lake's shore in parts of the map's width; negative in the lake.
    river : Grid
        Distance to the nearest river, in parts of the map's width.
    flow : Grid
        Logarithm of the area that drains through a cell, 0 to 1.
    """

    height: Grid
    shore: Grid
    river: Grid
    flow: Grid


def _places(size: int) -> tuple[Grid, Grid]:
    line = np.asarray((np.arange(size) + 0.5) / size, dtype=np.float32)
    south, east = np.meshgrid(line, line, indexing="ij")
    return east, south


def _lake(east: Grid, south: Grid, rough: Grid) -> Grid:
    middle = 0.33 + 0.12 * south + 0.030 * np.sin(7.0 * south + 0.6) + 0.010 * np.sin(19.0 * south)
    half = 0.030 + 0.105 * smoothstep(0.18, 0.60, south)
    end = 0.70
    cap = np.sqrt(np.clip(1.0 - np.clip((south - 0.50) / (end - 0.50), 0, 1) ** 2, 0, 1))
    beyond = np.where(south > end, south - end, 0.0)
    peninsula = 0.075 * np.exp(-(((east - 0.430) / 0.008) ** 2)) * smoothstep(0.585, 0.66, south)
    shore = np.abs(east - middle) - half * cap + beyond + peninsula + 0.010 * rough
    return np.asarray(shore, dtype=np.float32)


def _rivers(east: Grid, south: Grid) -> tuple[Grid, Grid]:
    """Return distance to the valley's river, and to the lake's outflow."""
    valley = 0.815 + 0.035 * np.sin(5.2 * south) + 0.010 * np.sin(17 * south + 1) + 0.05 * south**2
    outflow = 0.475 + 0.018 * np.sin(15 * south) + 0.006 * np.sin(47 * south) + 0.1 * (south - 0.7)
    away = np.where(south < 0.69, 0.69 - south, 0.0)
    to_outflow = np.hypot(east - outflow, away * 3)
    return np.abs(east - valley).astype(np.float32), to_outflow.astype(np.float32)


def _uplift(east: Grid, south: Grid, shore: Grid, valley: Grid, size: int) -> Grid:
    rough = fractal(size, 11, slope=1.6)
    front = smoothstep(0.70, 0.42, south + 0.05 * rough + 0.16 * np.abs(east - 0.42))
    west = smoothstep(0.0, 0.16, shore) * (east < 0.42) * 0.95
    ridge = (
        smoothstep(0.0, 0.07, shore) * smoothstep(0.02, 0.09, valley) * (east >= 0.36) * (east < 0.84) * 1.15
    )
    far = smoothstep(0.02, 0.10, valley) * (east >= 0.80) * 0.75
    moraine = 0.055 * np.exp(-(((np.hypot(east - 0.42, (south - 0.52) * 0.9) - 0.245) / 0.035) ** 2))
    moraine = moraine * smoothstep(0.60, 0.72, south) * np.clip(1 + rough, 0.2, 2)
    return np.asarray(front * (west + ridge + far) * (1 + 0.25 * rough) + moraine + 0.002, dtype=np.float32)


def _fill(height: Any, mouths: Any) -> Any:
    """Return the height with hollows filled so that every cell drains to a mouth (Barnes 2014)."""
    wide = height.shape[0] + 2  # with a border that counts as seen, so that nothing flows over the edge
    level = np.pad(height, 1).ravel().tolist()
    seen = np.pad(mouths, 1, constant_values=True).ravel().tolist()
    heap = [(level[cell], cell) for cell in np.flatnonzero(np.pad(mouths, 1).ravel()).tolist()]
    heapq.heapify(heap)
    around = [dy * wide + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    pop, push = heapq.heappop, heapq.heappush
    while heap:
        flood, cell = pop(heap)
        flood += 1e-6
        for step in around:
            near = cell + step
            if not seen[near]:
                seen[near] = True
                if level[near] < flood:
                    level[near] = flood
                push(heap, (level[near], near))
    return np.asarray(level).reshape(wide, wide)[1:-1, 1:-1]


def _drain(height: Any, mouths: Any) -> tuple[list[int], list[int]]:
    """Return cells from the mouths upwards, and the neighbour each drains to, the steepest way down."""
    size = height.shape[0]
    filled = np.pad(_fill(height, mouths), 1, constant_values=np.inf)
    here = filled[1:-1, 1:-1]
    steepest = np.zeros((size, size))
    to = np.arange(size * size).reshape(size, size)
    own = to.copy()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            there = filled[1 + dy : 1 + dy + size, 1 + dx : 1 + dx + size]
            fall = (here - there) / max(np.hypot(dy, dx), 1.0)
            steeper = (fall > steepest) & ~mouths
            steepest = np.where(steeper, fall, steepest)
            to = np.where(steeper, own + dy * size + dx, to)
    return np.argsort(here, axis=None, kind="stable").tolist(), to.ravel().tolist()


def _erode(height: Any, uplift: Any, mouths: Any, steps: int) -> tuple[Any, Any]:
    """Raise the land and wear it down; return the height and the area draining through each cell."""
    size = height.shape[0]
    rising = np.where(mouths, 0.0, uplift) * 0.05
    for _ in range(steps):
        order, to = _drain(height, mouths)
        area = [1.0 / size**2] * size**2
        for cell in reversed(order):
            if to[cell] != cell:
                area[to[cell]] += area[cell]
        wear = (_WEAR * np.asarray(area) ** 0.45 * size).tolist()
        level = (height + rising).ravel().tolist()
        for cell in order:
            down = to[cell]
            if down != cell and level[cell] > level[down]:
                level[cell] = (level[cell] + wear[cell] * level[down]) / (1 + wear[cell])
        height = np.asarray(level).reshape(size, size)
        height = np.where(mouths, height, 0.75 * height + 0.25 * blur(height))  # slopes creep
    return height, np.asarray(area).reshape(size, size)


def _mountains() -> tuple[Grid, Grid]:
    """Return heights (0 at the lake, 1 at the top) and drained area, 256 by 256."""
    height: Any = None
    for size, steps in ((128, 40), (256, 10)):
        east, south = _places(size)
        shore = _lake(east, south, fractal(1024, 5, slope=1.7, lowest=3)[:: 1024 // size, :: 1024 // size])
        valley, outflow = _rivers(east, south)
        uplift = _uplift(east, south, shore, valley, size)
        mouths = (shore < 0) | (valley < 0.012) | (outflow < 0.006) | (south > 1 - 1.5 / size)
        start = 0.01 * np.abs(fractal(size, 21, slope=1.2)) + 0.02 * np.clip(shore, 0, None)
        height = start if height is None else enlarge(height) + 0.01 * fractal(size, 22, slope=1.2)
        height = np.where(mouths, 0.0, height)
        height, area = _erode(height, uplift, mouths, steps)
    return np.asarray(height / height.max(), dtype=np.float32), np.asarray(area, dtype=np.float32)


def make_terrain() -> Terrain:
    """Make the land; the same every time."""
    high, area = _mountains()
    flow = np.log10(area * 256 * 256) / 4.0
    relief = enlarge(enlarge(high))
    east, south = _places(SIZE)
    shore = _lake(east, south, fractal(SIZE, 5, slope=1.7, lowest=3))
    valley, outflow = _rivers(east, south)
    crests = ridged(SIZE, 31, slope=1.35, lowest=10) - 0.45
    rough = fractal(SIZE, 33, slope=1.25, lowest=14)
    strength = np.clip(relief * 3.0, 0, 1) * (0.4 + relief)
    height = relief * (_TOP - LAKE_LEVEL) + strength * (70.0 * crests + 9.0 * rough)
    floor = 60.0 * np.clip(shore, 0, 0.5) + 75.0 * smoothstep(0.45, 0.9, east) * smoothstep(0.9, 0.1, south)
    height = np.maximum(height, 0) + floor + 1.5 * rough * smoothstep(0.0, 0.02, shore)
    height = np.where(shore < 0, 0.0, np.maximum(height * smoothstep(-0.002, 0.010, shore), 0.5)) + LAKE_LEVEL
    return Terrain(
        height=blur(np.asarray(height, dtype=np.float32)),
        shore=shore,
        river=np.asarray(np.minimum(valley, outflow * 1.6), dtype=np.float32),
        flow=enlarge(enlarge(np.asarray(np.clip(flow, 0, 1), dtype=np.float32))),
    )
