"""Putting a Cloud Optimized GeoTIFF together from tiles that are already compressed.

GDAL's COG driver wants the whole picture first, compresses it a second time, and cannot be stopped while
it does. Here every level (full resolution and overviews) was written strip by strip as a tiled BigTIFF of
its own; what is left is to write all directories first and to copy the compressed tiles behind them,
smallest overview first. Layout: TIFF 6.0, BigTIFF, and GDAL's COG driver page (structural metadata
``LAYOUT=IFDS_BEFORE_DATA``, block leaders and trailers). Nothing here knows what the pixels mean.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["assemble"]

_SUBFILE, _OFFSETS, _COUNTS = 254, 324, 325
_PLACE = frozenset({33550, 33922, 34264, 34735, 34736, 34737})  # of GeoTIFF (OGC 19-008r4)
_LONG, _LONG8 = 4, 16
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_CLASSIC_END = 4_200_000_000  # bytes; beyond, offsets need 64 bits
_STRUCTURE = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
_STEP = 64  # tiles between two questions whether to go on


@dataclass(frozen=True)
class _Tag:
    """One entry of a directory, its value as bytes."""

    code: int
    kind: int
    count: int
    value: bytes


@dataclass(frozen=True)
class _Level:
    """One picture: its tags, and where its tiles lie in its own file."""

    path: Path
    tags: tuple[_Tag, ...]
    offsets: tuple[int, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class _Form:
    """How classic TIFF and BigTIFF write the same things."""

    header: bytes
    number: str  # of entries in a directory
    entry: str  # code, kind, count
    offset: str

    @property
    def inline(self) -> int:
        """Bytes of a value that fit into its entry."""
        return struct.calcsize(self.offset)

    def size(self, tags: Sequence[_Tag]) -> int:
        """Return the bytes of a directory with the values that do not fit into it."""
        fixed = struct.calcsize(self.number) + self.inline
        each = struct.calcsize(self.entry) + self.inline
        outside = sum(_padded(len(tag.value)) for tag in tags if len(tag.value) > self.inline)
        return _padded(fixed + each * len(tags)) + outside


_CLASSIC = _Form(b"II" + struct.pack("<HL", 42, 8), "<H", "<HHL", "<L")
_BIG = _Form(b"II" + struct.pack("<HHHQ", 43, 8, 0, 16), "<Q", "<HHQ", "<Q")


def assemble(levels: Sequence[Path], target: Path, check: Callable[[float], None]) -> None:
    """Write one COG from tiled BigTIFF files.

    Parameters
    ----------
    levels : sequence of Path
        Full resolution first, then overviews, each half the one before; one picture each.
    target : Path
        The file to write.
    check : callable
        Called often with the fraction done; may raise to stop.
    """
    found = [_read(path, is_overview=number > 0) for number, path in enumerate(levels)]
    bytes_of_tiles = sum(sum(level.counts) + 8 * len(level.counts) for level in found)
    form = _CLASSIC if bytes_of_tiles + (1 << 20) < _CLASSIC_END else _BIG
    with target.open("wb") as out:
        start = _write_directories(out, found, form)
        out.seek(start)
        done = 0
        for level in reversed(found):
            with level.path.open("rb") as source:
                for number, (offset, count) in enumerate(zip(level.offsets, level.counts, strict=True)):
                    if number % _STEP == 0:
                        check(done / max(1, bytes_of_tiles))
                    source.seek(offset)
                    tile = source.read(count)
                    out.write(struct.pack("<L", count) + tile + tile[-4:])
                    done += count + 8


def _write_directories(out: BinaryIO, levels: Sequence[_Level], form: _Form) -> int:
    """Write header, structural metadata and all directories; return where tiles begin."""
    ghost = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_STRUCTURE) + _STRUCTURE
    first = _padded(len(form.header) + len(ghost))
    header = form.header[: -form.inline] + struct.pack(form.offset, first)
    starts = [first]
    for level in levels:
        starts.append(starts[-1] + form.size(_with_tiles(level, level.offsets, form)))
    offsets: dict[int, list[int]] = {}
    position = starts[-1]
    for number in reversed(range(len(levels))):
        offsets[number] = []
        for count in levels[number].counts:
            offsets[number].append(position + 4)
            position += count + 8
    out.write((header + ghost).ljust(first, b"\0"))
    for number, level in enumerate(levels):
        following = starts[number + 1] if number + 1 < len(levels) else 0
        tags = _with_tiles(level, offsets[number], form)
        out.write(_directory(tags, starts[number], following, form))
    return starts[-1]


def _with_tiles(level: _Level, offsets: Sequence[int], form: _Form) -> list[_Tag]:
    kind, letter = (_LONG, "L") if form is _CLASSIC else (_LONG8, "Q")
    number = len(offsets)
    if form is _CLASSIC:
        offsets = [offset & 0xFFFFFFFF for offset in offsets]  # sizes are asked for before places are known
    tags = [
        *level.tags,
        _Tag(_OFFSETS, kind, number, struct.pack(f"<{number}{letter}", *offsets)),
        _Tag(_COUNTS, _LONG, number, struct.pack(f"<{number}L", *level.counts)),
    ]
    return sorted(tags, key=lambda tag: tag.code)


def _directory(tags: Sequence[_Tag], start: int, following: int, form: _Form) -> bytes:
    fixed = struct.calcsize(form.number) + form.inline
    each = struct.calcsize(form.entry) + form.inline
    outside = start + _padded(fixed + each * len(tags))
    entries, values = [struct.pack(form.number, len(tags))], b""
    for tag in tags:
        entries.append(struct.pack(form.entry, tag.code, tag.kind, tag.count))
        if len(tag.value) <= form.inline:
            entries.append(tag.value.ljust(form.inline, b"\0"))
        else:
            entries.append(struct.pack(form.offset, outside + len(values)))
            values += tag.value.ljust(_padded(len(tag.value)), b"\0")
    entries.append(struct.pack(form.offset, following))
    return b"".join(entries).ljust(outside - start, b"\0") + values


def _read(path: Path, *, is_overview: bool) -> _Level:
    """Read the one directory of a little-endian BigTIFF as GDAL writes it."""
    with path.open("rb") as file:
        magic, where = struct.unpack("<4s4xQ", file.read(16))
        if magic != b"II+\0":
            raise ValueError(f"{path.name} is not a little-endian BigTIFF")
        file.seek(where)
        (number,) = struct.unpack("<Q", file.read(8))
        block = file.read(20 * number)
        tags = {}
        for position in range(0, 20 * number, 20):
            code, kind, count = struct.unpack_from("<HHQ", block, position)
            size = _SIZES[kind] * count
            if size <= 8:
                value = block[position + 12 : position + 12 + size]
            else:
                file.seek(struct.unpack_from("<Q", block, position + 12)[0])
                value = file.read(size)
            tags[code] = _Tag(code, kind, count, value)
    offsets, counts = _numbers(tags.pop(_OFFSETS)), _numbers(tags.pop(_COUNTS))
    if is_overview:
        tags = {code: tag for code, tag in tags.items() if code not in _PLACE}  # the whole picture tells it
        tags[_SUBFILE] = _Tag(_SUBFILE, _LONG, 1, struct.pack("<L", 1))
    return _Level(path, tuple(tags.values()), offsets, counts)


def _numbers(tag: _Tag) -> tuple[int, ...]:
    letter = {3: "H", 4: "L", 16: "Q"}[tag.kind]
    return struct.unpack(f"<{tag.count}{letter}", tag.value)


def _padded(size: int) -> int:
    return (size + 7) // 8 * 8
