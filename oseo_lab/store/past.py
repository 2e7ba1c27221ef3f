"""What delivered items took, of each collection and size of area the last: what estimates are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.estimates import far, scale_of
from oseo_lab.model.quotation import Finished
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, insert_of, limited

__all__ = ["KEPT", "Past"]

#: Finished items of a collection and size of area that are kept at least; at most half as many again, and
#: what one call adds.
KEPT = 200
_TRIM_EVERY = KEPT // 2

_p = tables.past.c
_older = tables.past.alias("older").c
_COLUMNS = ("collection", "choice", "seconds", "size", "scale")
#: What is added to a logarithm: 0 is for whole products.
_SHIFT = 100

_ADD = Statement(insert_of(tables.past, _COLUMNS), *_COLUMNS)
_OF = Statement(
    limited(
        sa.select(_p.choice, _p.seconds, _p.size)
        .where(_p.collection == bindparam("collection"), _p.scale == bindparam("scale"))
        .order_by(_p.id.desc())
    ),
    "collection",
    "scale",
    "limit",
)
_LATEST = Statement(
    limited(
        sa.select(_p.choice, _p.seconds, _p.size)
        .where(_p.collection == bindparam("collection"))
        .order_by(_p.id.desc())
    ),
    "collection",
    "limit",
)
_SCALES = Statement(
    sa.select(_p.scale).where(_p.collection == bindparam("collection")).distinct(), "collection"
)
_last_to_go = (
    sa.select(_older.id)
    .where(_older.collection == bindparam("of_collection"), _older.scale == bindparam("of_scale"))
    .order_by(_older.id.desc())
    .limit(sa.literal_column("1"))
    .offset(sa.literal_column(str(KEPT)))
    .scalar_subquery()
)
_TRIM = Statement(
    sa.delete(tables.past).where(
        _p.collection == bindparam("collection"), _p.scale == bindparam("scale"), _p.id <= _last_to_go
    ),
    "collection",
    "scale",
    "of_collection",
    "of_scale",
)


class Past:
    """`oseo_lab.ports.Past` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, finished: Sequence[Finished]) -> None:
        """Remember items that were delivered; now and then, forget the oldest of their collections."""
        session = self._session
        rows = [
            (
                *(session.ref(each.collection_id), session.ref(each.choice)),
                *(each.seconds, each.size, _column(scale_of(each.choice))),
            )
            for each in finished
        ]
        session.many(_ADD, rows)
        added = session.caches.past_added
        for kind, count in Counter((row[0], row[4]) for row in rows).items():
            since = added.get(kind, _TRIM_EVERY) + count  # who knows how many there are after a start
            if since >= _TRIM_EVERY:
                session.run(_TRIM, (*kind, *kind))
                since = 0
            added[kind] = since

    def of(self, collection_id: str, choices: Iterable[str] = (), limit: int = 200) -> list[Finished]:
        """Return the latest of a collection, newest first.

        With choices those of areas as large as theirs, so many of each size; of the nearest size where there
        are none.
        """
        session = self._session
        ref = session.find(collection_id)
        wanted = {_column(scale_of(each)) for each in choices}
        if ref is None:
            rows = []
        elif wanted:
            rows = [row for each in sorted(wanted) for row in self._as_large(ref, each, limit)]
        else:
            rows = session.all(_LATEST, (ref, limit))
        texts = session.texts(row[0] for row in rows)
        return [
            Finished(collection_id=collection_id, choice=texts[row[0]], seconds=row[1], size=row[2])
            for row in rows
        ]

    def _as_large(self, collection: int, scale: int, limit: int) -> list[Any]:
        """Return the latest of a size of area; of the nearest one where there are none."""
        rows = self._session.all(_OF, (collection, scale, limit))
        if rows:
            return rows
        there = [row[0] for row in self._session.all(_SCALES, (collection,))]
        if not there:
            return []
        nearest = min(there, key=lambda each: far(_scale(each), _scale(scale)))
        return self._session.all(_OF, (collection, nearest, limit))


def _column(scale: int | None) -> int:
    return 0 if scale is None else scale + _SHIFT


def _scale(column: int) -> int | None:
    return None if column == 0 else column - _SHIFT
