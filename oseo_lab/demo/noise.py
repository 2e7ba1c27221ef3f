"""Smooth noise and small tools on grids, all of it a function of a seed: the raw matter of the landscape."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Grid", "blur", "cells", "enlarge", "fractal", "ridged", "smoothstep"]

Grid = np.ndarray[Any, np.dtype[np.float32]]


def fractal(size: int, seed: int, *, slope: float, lowest: float = 1.0) -> Grid:
    """Return noise whose amplitude falls with frequency to the power ``slope``; mean 0, deviation 1.

    Parameters
    ----------
    size : int
        Cells along each side.
    seed : int
        Which noise.
    slope : float
        2 is like hills, 1 is rough.
    lowest : float
        Lowest frequency kept, in waves over the grid.
    """
    white = np.random.RandomState(seed).standard_normal((size, size))
    across = np.fft.fftfreq(size)[:, None] * size
    along = np.fft.rfftfreq(size)[None, :] * size
    frequency = np.hypot(across, along)
    amplitude = np.where(frequency >= lowest, np.maximum(frequency, 1.0) ** -slope, 0.0)
    found = np.fft.irfft2(np.fft.rfft2(white) * amplitude, s=(size, size))
    return np.asarray((found - found.mean()) / found.std(), dtype=np.float32)


def ridged(size: int, seed: int, *, slope: float, lowest: float = 1.0) -> Grid:
    """Return noise with sharp crests, 0 to 1."""
    return np.asarray(
        np.exp(-np.abs(fractal(size, seed, slope=slope, lowest=lowest)) * 1.6), dtype=np.float32
    )


def smoothstep(low: float, high: float, value: Any) -> Any:
    """Return 0 below ``low``, 1 above ``high`` (or the reverse), and a smooth way between."""
    part = np.clip((value - low) / (high - low), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)


def blur(grid: Grid, times: int = 1) -> Grid:
    """Return a grid smoothed by the weights 1, 2, 1 in both directions, edges repeated."""
    for _ in range(times):
        tall = np.concatenate([grid[:1], grid, grid[-1:]])
        grid = (tall[:-2] + tall[2:]) * np.float32(0.25) + grid * np.float32(0.5)
        wide = np.concatenate([grid[:, :1], grid, grid[:, -1:]], axis=1)
        grid = (wide[:, :-2] + wide[:, 2:]) * np.float32(0.25) + grid * np.float32(0.5)
    return np.asarray(grid, dtype=np.float32)


def enlarge(grid: Grid) -> Grid:
    """Return a grid of twice the cells, smooth."""
    return blur(np.repeat(np.repeat(grid, 2, axis=0), 2, axis=1), 1)


def cells(across: Any, along: Any, seed: int) -> tuple[np.ndarray[Any, Any], Grid]:
    """Return which cell of a jittered grid each point is nearest to, and how far inside it lies.

    Distances are the larger of the two coordinates', so cells have straight edges like parcels of land.
    """
    table = np.random.RandomState(seed)
    jitter = (table.random_sample((2, 512, 512)) * 0.7 + 0.15).astype(np.float32)
    row, column = np.floor(along).astype(np.int32), np.floor(across).astype(np.int32)
    best = np.full(across.shape, 9.0, dtype=np.float32)
    second = best.copy()
    which = np.zeros(across.shape, dtype=np.int32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            r, c = (row + down) & 511, (column + right) & 511
            apart = np.maximum(
                np.abs(along - (row + down) - jitter[0, r, c]),
                np.abs(across - (column + right) - jitter[1, r, c]),
            )
            nearer = apart < best
            second = np.where(nearer, best, np.minimum(second, apart))
            which = np.where(nearer, r * 512 + c, which)
            best = np.where(nearer, apart, best)
    return which, np.asarray(second - best, dtype=np.float32)
