"""A processor for people to watch: it takes its time, in stages, and fails as the product's name says.

``Q…`` quick, ``T…`` steady (0.7 s), ``S…`` slow (5 s), ``D…`` damaged at its
provider, ``F…`` refused at first, then made.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from oseo_lab.model.job import FailureClass, ItemJob, Product
from oseo_lab.model.options import OptionDefinition
from oseo_lab.ports import Inputs, ProcessingFailed, Workspace

_SECONDS = {"Q": 0.15, "T": 0.7, "S": 5.0, "F": 0.1}
_STAGES = ("clip", "reproject", "format")
_REFUSALS = {
    "D": ("The source file is damaged at the provider: its checksum differs.", FailureClass.PERMANENT),
    "F": ("The provider allows no more requests today.", FailureClass.QUOTA),
}


class Watched:
    """Writes a few kilobytes."""

    options: Sequence[OptionDefinition] = ()
    scene_options: Sequence[OptionDefinition] = ()

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        name = item.product.identifier
        if name[0] in _REFUSALS and not (name[0] == "F" and item.attempt > 1):
            reason, failure = _REFUSALS[name[0]]
            raise ProcessingFailed(reason, failure_class=failure)
        began, takes = time.monotonic(), _SECONDS[name[0]]
        while (done := (time.monotonic() - began) / takes) < 1:
            workspace.cancelled()
            workspace.progress(done, _STAGES[int(done * len(_STAGES))])
            time.sleep(0.05)
        path = workspace.path("data.bin")
        path.write_bytes(name.encode() * 3000)
        return [Product(path=str(path), name="data.bin", media_type="application/octet-stream")]


WATCHED = Watched()
