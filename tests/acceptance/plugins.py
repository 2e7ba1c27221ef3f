"""Processors of the acceptance tests, named ``module:attr`` in their collection files."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from oseo_lab.model.job import ItemJob, Product
from oseo_lab.model.options import OptionDefinition
from oseo_lab.ports import Inputs, Workspace


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
