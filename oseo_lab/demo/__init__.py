"""The demo collections ``demo-s2`` and ``demo-dem``, made deterministically on first use, without network.

A year of optical scenes over one made-up lake in the mountains (one file damaged on purpose, so that an
order can succeed in part), and the elevation of the same land. Nothing heavy is imported until it is made.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from oseo_lab.model.errors import ConfigurationError

__all__ = ["VERSION", "make_demo"]

#: What is said while they are made: that takes all cores for a while.
DRAWING = "drawing the demo scenes, this once: about half a minute …"

#: Raised whenever other files or pixels are made; data of another version are made anew.
VERSION = "8"
_MARKER = ".demo-version"
_MAKING = ".demo-making-"
_ABANDONED = 3600.0  # seconds after which somebody else's unfinished folder is nobody's


def make_demo(folder: Path, say: Callable[[str], object] = lambda text: None) -> Path:
    """Make the demo collections, unless they are there.

    They are made in a folder beside and renamed when whole: whoever looks sees all or nothing, and of
    two processes that make them at once one wins.

    Parameters
    ----------
    folder : Path
        Where the collection files (``demo-s2.toml``, ``demo-dem.toml``) and their data will lie; absent,
        empty, or made by an earlier call.
    say : callable, optional
        Told, in a sentence, before they are made; not where they are there.

    Returns
    -------
    Path
        The folder, resolved.

    Raises
    ------
    ConfigurationError
        If something else lies there.
    """
    folder = Path(folder).resolve()
    if _is_made(folder):
        return folder
    _refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    from oseo_lab.demo.files import write_demo

    say(DRAWING)
    making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=folder.parent))
    try:
        making.chmod(0o755)
        write_demo(making)
        (making / _MARKER).write_text(VERSION + "\n", encoding="ascii")
        _put(making, folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def _is_made(folder: Path) -> bool:
    try:
        return (folder / _MARKER).read_text(encoding="ascii").strip() == VERSION
    except OSError:
        return False


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not (folder / _MARKER).exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder} holds something else than demo data; name an empty folder, or one that is not there"
        )


def _put(making: Path, folder: Path) -> None:
    """Rename the finished folder into place; what another process has put there meanwhile stays."""
    if (folder / _MARKER).exists() and not _is_made(folder):
        old = Path(tempfile.mkdtemp(prefix=_MAKING, dir=folder.parent))
        folder.rename(old / "old")
        shutil.rmtree(old, ignore_errors=True)
    try:
        making.rename(folder)
    except OSError:
        if not _is_made(folder):
            raise


def _sweep(parent: Path) -> None:
    """Remove what processes that were killed have left."""
    for left in parent.glob(f"{_MAKING}*"):
        try:
            abandoned = time.time() - left.stat().st_mtime > _ABANDONED
        except FileNotFoundError:
            continue  # its maker has just finished
        if abandoned:
            shutil.rmtree(left, ignore_errors=True)
