"""Processors of the acceptance tests, named ``module:attr`` in their collection files."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from oseo_lab.model.job import FailureClass, ItemJob, Product
from oseo_lab.model.options import OptionDefinition
from oseo_lab.ports import Inputs, ProcessingFailed, Workspace


class Steady:
    """Writes a few kilobytes that depend on the product alone, and takes its time over it."""

    options: Sequence[OptionDefinition] = ()
    scene_options: Sequence[OptionDefinition] = ()

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        seed = int(hashlib.sha256(item.product.identifier.encode()).hexdigest()[:8], 16)
        end = time.monotonic() + 0.02 + seed % 100 / 1000
        path = workspace.path("data.bin")
        path.write_bytes(hashlib.sha256(str(seed).encode()).digest() * 200)
        while time.monotonic() < end:
            workspace.cancelled()
            time.sleep(0.005)
        return [Product(path=str(path), name="data.bin", media_type="application/octet-stream")]


STEADY = Steady()


class Willed:
    """Does what the file of its product's name says, in the folder ``OSEO_TEST_WILL``.

    ``fail <class>`` fails, ``wait`` waits until it says something else, ``<number>`` delivers so many bytes.
    """

    options: Sequence[OptionDefinition] = ()
    scene_options: Sequence[OptionDefinition] = ()

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        will = Path(os.environ["OSEO_TEST_WILL"]) / item.product.identifier
        while (said := will.read_text().split() if will.exists() else ["100"])[0] == "wait":
            workspace.cancelled()
            time.sleep(0.02)
        if said[0] == "fail":
            raise ProcessingFailed("as it was willed", failure_class=FailureClass(" ".join(said[1:])))
        path = workspace.path("data.bin")
        path.write_bytes(b"x" * int(said[0]))
        return [Product(path=str(path), name="data.bin", media_type="application/octet-stream")]


WILLED = Willed()
