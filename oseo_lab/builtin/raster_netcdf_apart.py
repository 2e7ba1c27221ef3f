"""NetCDF files are written in a process apart: HDF5, as it is shipped, knows no threads.

Two threads that use it at once, each its own file, end the process; and a worker's threads share theirs
with whatever else opens NetCDF there: a notebook (``oseo_lab.connect("demo")``), another processor. No lock
of ours can reach that. So each process that makes NetCDF has one child, begun with the first file, which
does one thing after the other for all its threads (`raster_netcdf` is what it runs) and ends with it.

Frames on both pipes: a length of eight bytes, then a pickle of nobody's but ours.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from oseo_lab.builtin.raster_result import Result

__all__ = ["NETCDF_TYPE", "NetCdfApart"]

NETCDF_TYPE = "application/x-netcdf"
_LENGTH = struct.Struct("<Q")
_FAREWELL = 5.0  # seconds for a child to end


class NetCdfApart:
    """Writes one NetCDF file in the child; rows come in order.

    Parameters
    ----------
    path : Path
        The file to write.
    result : Result
        What it says of itself.

    Raises
    ------
    OSError
        From each method: if it cannot be written, or the child has ended.
    """

    def __init__(self, path: Path, result: Result) -> None:
        self._number = next(_NUMBERS)
        self._child = _child()
        self._is_open = True
        self._child.ask("open", self._number, path, result)

    def write(self, row: int, pixels: np.ndarray) -> None:
        """Write the next rows: bands, rows, columns."""
        self._child.ask("write", self._number, row, np.ascontiguousarray(pixels))

    def close(self, check: Callable[[float], None]) -> None:
        """Finish the file."""
        check(1.0)
        self._is_open = False
        self._child.ask("close", self._number)

    def abandon(self) -> None:
        """Let go of the file after a failure; the workspace removes it."""
        if self._is_open:
            self._is_open = False
            with suppress(OSError):  # there is nobody left who holds it
                self._child.ask("abandon", self._number)


# ------------------------------------------------------------------------------------------- this process

_NUMBERS = itertools.count(1)
_BEGINNING = threading.Lock()
_CHILDREN: dict[int, _Child] = {}


def _child() -> _Child:
    """Return this process's child, begun if there is none that lives; a forked process has its own."""
    with _BEGINNING:
        known = _CHILDREN.get(os.getpid())
        if known is None or not known.is_alive:
            known = _CHILDREN[os.getpid()] = _Child()
        return known


class _Child:
    """The process that writes, and the pipes to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],  # what lies in the working folder is no module of it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is meant for the parent, who ends it
        )
        atexit.register(self.end)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, *what: Any) -> None:
        """Have something done; raises what went wrong as `OSError`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            try:
                _send(self._process.stdin, what)
                wrong = _receive(self._process.stdout)
            except (EOFError, BrokenPipeError, ValueError) as gone:
                raise OSError("the process that writes NetCDF has ended") from gone
        if wrong is not None:
            raise OSError(*wrong)

    def end(self) -> None:
        """Let it end: it does when nobody can ask it any more."""
        atexit.unregister(self.end)
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _send(pipe: IO[bytes], what: Any) -> None:
    body = pickle.dumps(what, protocol=5)
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    if len(body) < length:
        raise EOFError
    return pickle.loads(body)


# ---------------------------------------------------------------------------------------------- the child


def _serve() -> None:
    """Do what is asked until nobody asks; what others print here goes to the parent's errors."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from oseo_lab.builtin.raster_netcdf import NetCdf

    files: dict[int, NetCdf] = {}

    def done(what: str, number: int, *about: Any) -> None:
        if what == "open":
            files[number] = NetCdf(*about)
        elif what == "write":
            files[number].write(*about)
        elif what == "close":
            files.pop(number).close(lambda fraction: None)
        elif number in files:
            files.pop(number).abandon()

    while True:
        try:
            asked = _receive(sys.stdin.buffer)
        except EOFError:
            return
        wrong = None
        try:
            done(*asked)
        except Exception as error:  # netCDF4 says RuntimeError where a disk is full
            wrong = (getattr(error, "errno", None) or 0, f"{type(error).__name__}: {error}")
        _send(answers, wrong)


if __name__ == "__main__":
    _serve()
