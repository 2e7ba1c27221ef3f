"""Items and products as `pandas.DataFrame`, for those who filter and count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oseo_lab.client.describing import needed
from oseo_lab.model.errors import NotSupported

__all__ = ["frame", "outcomes_of"]


def frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], times: Sequence[str], what: str) -> Any:
    """Return rows as a `pandas.DataFrame` whose index is the first column.

    Parameters
    ----------
    rows : iterable of mapping
        Values by column.
    columns, times : sequence of str
        All columns, in their order; those that hold moments, UTC.
    what : str
        What was called, for whom pandas is missing.
    """
    pandas = needed("pandas", what, "notebook")
    table = pandas.DataFrame(list(rows), columns=list(columns))
    for each in times:
        table[each] = pandas.to_datetime(table[each], utc=True)
    return table.set_index(columns[0])


def outcomes_of(order: Any) -> dict[int, str | None]:
    """Return how the last attempt at each item of an order ended, by number; nothing where none is told."""
    try:
        return {each.number: each.outcome for each in order.attempts()}
    except NotSupported:  # another service tells no history
        return {}
