"""One scene: the land on a day, as the satellite saw it. Reflectance x 10000 of B02, B03, B04, B08, and SCL.

Season (greenness, crops, snow line, colour of the lake), the sun's place over the same terrain, haze,
clouds and their shadows; scene classes as Sentinel-2 level 2A numbers them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from oseo_lab.demo.cover import Cover
from oseo_lab.demo.noise import Grid, blur, enlarge, fractal, smoothstep
from oseo_lab.demo.terrain import CELL, SIZE, Terrain

__all__ = ["BANDS", "SCENES", "Picture", "Scene", "Sun", "paint", "sun_of"]

BANDS = ("B02", "B03", "B04", "B08", "SCL")
_LATITUDE = 45.7
_CLOUD_HEIGHT = 1800.0  # metres above ground


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is particular to one day.

    Parameters
    ----------
    day : str
        ``YYYYMMDD``.
    snow_line : float
        Metres above the sea; above all tops where there is none.
    cloud : float
        Share of the sky that is covered, about.
    title : str
        For people.
    cut : bool
        Whether the orbit's edge leaves a corner without data.
    damaged : bool
        Whether the file is broken on purpose.
    """

    day: str
    snow_line: float
    cloud: float
    title: str
    cut: bool = False
    damaged: bool = False

    @property
    def time(self) -> datetime:
        """When it was taken, UTC; the satellite passes at 10:10 or 10:20."""
        minute = 10 + 10 * (int(self.day) % 2)
        return datetime.strptime(self.day, "%Y%m%d").replace(hour=10, minute=minute, second=31, tzinfo=UTC)

    @property
    def identifier(self) -> str:
        """``S2-DEMO_`` and the day."""
        return f"S2-DEMO_{self.day}"

    @property
    def year_part(self) -> float:
        """How far the year has gone, 0 to 1."""
        return self.time.timetuple().tm_yday / 366


SCENES = (
    Scene(day="20240108", snow_line=1050, cloud=0.0, title="Winter, snow down to the forests"),
    Scene(day="20240212", snow_line=950, cloud=0.07, title="Late winter, a few clouds"),
    Scene(day="20240323", snow_line=1350, cloud=0.02, title="Early spring, the first green in the plain"),
    Scene(day="20240417", snow_line=1550, cloud=0.16, title="Spring, broken cloud"),
    Scene(day="20240512", snow_line=1850, cloud=0.015, title="Late spring, wheat high, last snow"),
    Scene(day="20240607", snow_line=2080, cloud=0.012, title="Early summer, clear"),
    Scene(day="20240622", snow_line=9000, cloud=0.22, title="Summer, cumulus over the mountains"),
    Scene(day="20240707", snow_line=9000, cloud=0.0, title="High summer, clear, wheat harvested"),
    Scene(day="20240722", snow_line=9000, cloud=0.05, title="High summer, fair-weather clouds"),
    Scene(
        day="20240816",
        snow_line=9000,
        cloud=0.02,
        title="Summer; its file is damaged on purpose",
        damaged=True,
    ),
    Scene(day="20240905", snow_line=9000, cloud=0.04, title="Late summer, the orbit's edge", cut=True),
    Scene(day="20240930", snow_line=2050, cloud=0.42, title="Early autumn, half under cloud"),
    Scene(day="20241022", snow_line=1950, cloud=0.03, title="Autumn, forests turning"),
    Scene(day="20241116", snow_line=1500, cloud=0.10, title="Late autumn, first snow"),
    Scene(day="20241211", snow_line=1250, cloud=0.01, title="Early winter, low sun"),
)

#: Reflectance x 10000 in B02, B03, B04, B08.
_COLOURS: Mapping[str, tuple[float, float, float, float]] = {
    "deep": (330, 330, 170, 70),
    "milky": (520, 700, 300, 100),
    "shallow": (640, 900, 520, 170),
    "leaf_summer": (230, 520, 270, 3700),
    "leaf_autumn": (330, 600, 830, 2500),
    "leaf_winter": (430, 560, 640, 1500),
    "conifer": (190, 370, 230, 2300),
    "grass_summer": (330, 720, 430, 4000),
    "grass_autumn": (560, 830, 930, 2500),
    "grass_winter": (720, 880, 1040, 1800),
    "rock": (1250, 1420, 1560, 1950),
    "soil": (720, 980, 1260, 1900),
    "crop": (260, 640, 300, 4700),
    "ripe": (820, 1230, 1640, 2900),
    "stubble": (760, 1060, 1380, 2350),
    "vines": (450, 720, 640, 2900),
    "olives": (520, 740, 690, 2500),
    "town": (880, 960, 1090, 1700),
    "road": (860, 940, 1020, 1400),
    "snow": (3000, 3040, 3080, 2700),
    "cloud": (2700, 2700, 2720, 2900),
}


@dataclass(frozen=True, kw_only=True)
class Sun:
    """Where the sun stands, in degrees: above the horizon, and from north by east."""

    elevation: float
    azimuth: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A scene's pixels and what follows from them: cloud and snow in per cent of the valid pixels."""

    pixels: np.ndarray[Any, np.dtype[np.uint16]]
    cloud_cover: float
    snow_cover: float
    sun: Sun


def sun_of(time: datetime) -> Sun:
    """Return where the sun stands over the map (declination by Cooper 1969, good to a degree)."""
    day = time.timetuple().tm_yday
    declination = math.radians(23.45 * math.sin(math.radians(360 / 365 * (284 + day))))
    hour = math.radians(15 * (time.hour + time.minute / 60 + 10.7 / 15 - 12))
    latitude = math.radians(_LATITUDE)
    up = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(
        hour
    )
    east = -math.cos(declination) * math.sin(hour)
    north = math.cos(latitude) * math.sin(declination) - math.sin(latitude) * math.cos(
        declination
    ) * math.cos(hour)
    return Sun(elevation=math.degrees(math.asin(up)), azimuth=math.degrees(math.atan2(east, north)) % 360)


def _peak(part: float, middle: float, width: float) -> float:
    """Return how near the year is to a day: 1 on it, falling to 0 before and after."""
    apart = abs((part - middle + 0.5) % 1 - 0.5)
    return math.exp(-((apart / width) ** 2))


def _mix(*parts: tuple[str, float]) -> np.ndarray[Any, Any]:
    """Return the weighted mean of colours."""
    total = sum(weight for _, weight in parts)
    return np.asarray(sum(np.asarray(_COLOURS[name]) * weight for name, weight in parts) / total)


def _season(part: float) -> dict[str, np.ndarray[Any, Any]]:
    """Return each cover's colour on a day of the year."""
    green = float(smoothstep(0.24, 0.37, part) * smoothstep(0.88, 0.76, part))
    autumn = _peak(part, 0.815, 0.055)
    lush = float(smoothstep(0.17, 0.33, part) * smoothstep(0.90, 0.68, part))
    whiting = _peak(part, 0.56, 0.12)
    wheat = _peak(part, 0.37, 0.09) * 2 + 0.25 * (part > 0.83) + 0.5 * _peak(part, 0.2, 0.07)
    maize = _peak(part, 0.60, 0.10) * 2.5
    return {
        "water": _mix(("deep", 1.0), ("milky", whiting * 0.8)),
        "shallow": _mix(("shallow", 0.65 + whiting * 0.5), ("deep", 0.35)),
        "leaf": _mix(("leaf_summer", green), ("leaf_winter", 1.02 - green), ("leaf_autumn", autumn * 2.5)),
        "conifer": _mix(("conifer", 1)),
        "grass": _mix(("grass_summer", lush), ("grass_winter", 1.02 - lush), ("grass_autumn", autumn)),
        "rock": _mix(("rock", 1)),
        "town": _mix(("town", 1)),
        "road": _mix(("road", 1)),
        "wheat": _mix(
            ("crop", wheat),
            ("ripe", _peak(part, 0.475, 0.045) * 2.5),
            ("stubble", _peak(part, 0.60, 0.12)),
            ("soil", 0.25),
        ),
        "maize": _mix(("crop", maize), ("ripe", _peak(part, 0.74, 0.05)), ("soil", 0.5)),
        "meadow": _mix(("grass_summer", 0.35 + lush), ("grass_winter", 1.05 - lush)),
        "vines": _mix(("vines", 0.2 + green), ("soil", 1.1 - green * 0.8), ("leaf_autumn", autumn)),
        "olives": _mix(("olives", 1)),
        "soil": _mix(("soil", 1), ("crop", 0.3 * lush)),
    }


def _ground(cover: Cover, part: float) -> Grid:
    """Return the land's reflectance in full sun, by band."""
    colours = _season(part)
    table = np.array([colours[name] for name in cover.shares], dtype=np.float32)
    land = np.asarray(np.tensordot(table.T, cover.stack, axes=1), dtype=np.float32)
    farmed = sum(cover.shares[name] for name in ("wheat", "maize", "meadow", "vines", "soil"))
    tone = 1 + (cover.parcel - 0.5) * 0.42 * farmed
    warm = (cover.parcel * 613.0) % 1.0 - 0.5
    for band, lean in enumerate((0.05, 0.10, 0.30, -0.25)):
        land[band] *= tone * (1 + lean * warm * (farmed + cover.shares["town"]))
        land[band] = blur(land[band])  # the instrument sees a little beside each pixel, too
    return land


def _light(terrain: Terrain, sun: Sun) -> Grid:
    """Return how much light a slope gets against level ground, cast shadows included."""
    down, right = np.gradient(blur(terrain.height), CELL)
    up, turn = math.radians(sun.elevation), math.radians(sun.azimuth)
    toward = math.cos(up) * (-right * math.sin(turn) + down * math.cos(turn)) + math.sin(up)
    light = np.clip(toward / np.sqrt(1 + down**2 + right**2), 0, None) / math.sin(up)
    shade = _cast(terrain.height, sun)
    sky = 0.26 + 0.10 * math.sin(up)
    return np.asarray(sky + (1 - sky) * np.clip(light, 0, 2.2) * (1 - shade), dtype=np.float32)


def _cast(height: Grid, sun: Sun) -> Grid:
    """Return where mountains throw shadow, 0 to 1; marched towards the sun on half the pixels."""
    coarse = height.reshape(SIZE // 2, 2, SIZE // 2, 2).mean(axis=(1, 3))
    step, rise = 2.0, 2.0 * 2 * CELL * math.tan(math.radians(sun.elevation))
    turn = math.radians(sun.azimuth)
    over = np.full(coarse.shape, -1e4, dtype=np.float32)
    steps = int(min(60, (coarse.max() - coarse.min()) / rise))
    for number in range(1, steps + 1):
        moved = _shift(coarse, -step * number * math.cos(turn), step * number * math.sin(turn))
        over = np.maximum(over, moved - number * rise - coarse)
    return enlarge(np.asarray(smoothstep(-10, 25, over), dtype=np.float32))


def _shift(grid: Grid, down: float, right: float) -> Grid:
    """Return a grid as seen from so many cells further down and right; edges repeated."""
    size = grid.shape[0]
    rows = np.clip(np.arange(size) + round(down), 0, size - 1)
    columns = np.clip(np.arange(size) + round(right), 0, size - 1)
    return np.asarray(grid[rows[:, None], columns[None, :]])


def _clouds(scene: Scene, terrain: Terrain, sun: Sun) -> tuple[Grid, Grid, Grid]:
    """Return how opaque clouds are, how bright, and how much they shade the ground."""
    nothing = np.zeros((SIZE, SIZE), dtype=np.float32)
    if scene.cloud <= 0:
        return nothing, nothing, nothing
    seed = int(scene.day)
    broad = fractal(SIZE, seed, slope=2.1, lowest=2)
    puffy = fractal(SIZE, seed + 1, slope=1.35, lowest=6)
    wisps = fractal(SIZE, seed + 2, slope=0.9, lowest=25)
    hills = smoothstep(200, 1500, terrain.height) - 0.9 * smoothstep(0.02, -0.03, terrain.shore)
    mass = 0.75 * broad + 0.75 * puffy + 0.13 * wisps + 0.8 * hills
    edge = float(np.quantile(mass, 1 - scene.cloud))
    opaque = smoothstep(edge - 0.30, edge + 0.75, mass) ** 0.8
    bright = 0.80 + 0.20 * smoothstep(edge, edge + 1.6, mass) + 0.05 * puffy * opaque
    far = _CLOUD_HEIGHT / math.tan(math.radians(sun.elevation)) / CELL
    turn = math.radians(sun.azimuth)
    away = (round(-far * math.cos(turn)), round(far * math.sin(turn)))
    shade = blur(np.asarray(np.roll(opaque, (-away[0], -away[1]), axis=(0, 1)), dtype=np.float32), 2)
    return np.asarray(opaque, dtype=np.float32), np.asarray(bright, dtype=np.float32), shade


def _snow(scene: Scene, terrain: Terrain, cover: Cover, light: Grid) -> Grid:
    """Return the share of snow: more in shade and hollows, less under trees and on cliffs."""
    if scene.snow_line > terrain.height.max() + 200:
        return np.zeros((SIZE, SIZE), dtype=np.float32)
    level = terrain.height + 130 * (1 - np.clip(light, 0.3, 1.7)) + 35 * cover.texture
    lying = smoothstep(scene.snow_line - 110, scene.snow_line + 170, level)
    hidden = 0.80 * cover.shares["conifer"] + 0.45 * cover.shares["leaf"] + 0.30 * cover.shares["rock"]
    dry = 1 - cover.shares["water"] - cover.shares["shallow"]
    return np.asarray(lying * (1 - hidden) * dry, dtype=np.float32)


def paint(scene: Scene, terrain: Terrain, cover: Cover) -> Picture:
    """Return a scene's pixels; the same every time."""
    sun = sun_of(scene.time)
    light = _light(terrain, sun)
    snow = _snow(scene, terrain, cover, light)
    opaque, bright, shade = _clouds(scene, terrain, sun)
    water = cover.shares["water"] + cover.shares["shallow"]
    lit = np.where(water > 0.5, 1.0, light) * (1 - 0.55 * shade)
    land = _ground(cover, scene.year_part)
    grain = np.random.RandomState(int(scene.day)).standard_normal((SIZE, SIZE)).astype(np.float32)
    haze = np.exp(-(terrain.height - 65) / 900)
    pixels = np.zeros((5, SIZE, SIZE), dtype=np.uint16)
    for band, scatter in enumerate((260.0, 190.0, 140.0, 40.0)):
        seen = land[band] * (1 - snow) * lit + _COLOURS["snow"][band] * snow * np.minimum(lit, 1.25)
        seen = seen + scatter * haze
        seen = seen * (1 - opaque) + _COLOURS["cloud"][band] * bright * opaque
        pixels[band] = np.clip(np.rint(seen * (1 + 0.004 * grain) + 2.5 * grain), 1, 12000)
    pixels[4] = _classes(pixels, snow, water, opaque, shade)
    if scene.cut:
        line = np.arange(SIZE)
        pixels[:, line[None, :] < 210 - 0.22 * line[:, None]] = 0
    valid = max(int((pixels[4] > 0).sum()), 1)
    cloudy = float(np.isin(pixels[4], (8, 9)).sum()) / valid
    snowy = float((pixels[4] == 11).sum()) / valid
    return Picture(
        pixels=pixels, cloud_cover=round(100 * cloudy, 2), snow_cover=round(100 * snowy, 2), sun=sun
    )


def _classes(pixels: Any, snow: Grid, water: Grid, opaque: Grid, shade: Grid) -> np.ndarray[Any, Any]:
    """Return the scene classes of Sentinel-2 level 2A (product specification 14.9, table of SCL)."""
    red, infrared = pixels[2].astype(np.float32), pixels[3].astype(np.float32)
    green = (infrared - red) / np.maximum(infrared + red, 1) > 0.4
    tests = [opaque > 0.7, opaque > 0.3, snow > 0.4, water > 0.5, shade > 0.4, green]
    return np.select(tests, [9, 8, 11, 6, 3, 4], 5)
