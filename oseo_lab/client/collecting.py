"""Everything that is ready, of many orders at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from oseo_lab.client.results import Results
from oseo_lab.model.errors import DeliveryError, Problem
from oseo_lab.model.status import Status

__all__ = ["download_ready"]

#: Where an order stands that can have delivered nothing.
_NOTHING = frozenset({Status.SUBMITTED, Status.ACCEPTED})


class _Order(Protocol):
    """What is needed of an order's handle."""

    @property
    def last_status(self) -> Status:
        """The status last heard of."""

    def results(self) -> Results:
        """Return what was delivered."""

    def download(self, folder: Any = ".", **how: Any) -> list[Path]:
        """Download it."""


def download_ready(orders: Iterable[_Order], folder: str | Path, **how: Any) -> list[Path]:
    """Download what orders have delivered (`oseo_lab.client.orders.Orders.download_ready`)."""
    paths: list[Path] = []
    problems: list[Problem] = []
    for order in orders:
        if order.last_status in _NOTHING or not len(order.results()):
            continue
        try:
            paths += order.download(folder, **how)
        except DeliveryError as wrong:
            problems += wrong.problems or (
                Problem(code="NoApplicableCode", locator="orderId", text=wrong.text),
            )
    if problems:
        told = "; ".join(str(each) for each in problems[:10])
        raise DeliveryError(
            f"{len(paths)} files are here, {len(problems)} could not be had: {told}", problems=problems
        )
    return paths
