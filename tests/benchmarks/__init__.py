"""Benchmarks: each figure beside its floor, measured in turn in the same run (``make bench``)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure and its floor.

    ``ratio`` is ours / floor unless ``higher_is_better`` (throughputs), where it is still ours / floor
    but the target is a minimum.
    """

    what: str
    ours: float
    floor: float
    unit: str
    target: float | None = None
    higher_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.ratio >= self.target if self.higher_is_better else self.ratio <= self.target
