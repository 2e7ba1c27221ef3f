"""What delivered items took: of each collection the last few hundred, what estimates are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.model.quotation import Finished
from oseo_lab.store import tables
from oseo_lab.store.session import Session, Statement, insert_of, limited

__all__ = ["KEPT", "Past"]

#: Finished items of a collection that are kept at least; at most half as many again, and what one call adds.
KEPT = 500
_TRIM_EVERY = KEPT // 2

_p = tables.past.c
_older = tables.past.alias("older").c
_COLUMNS = ("collection", "choice", "seconds", "size")

_ADD = Statement(insert_of(tables.past, _COLUMNS), *_COLUMNS)
_OF = Statement(
    limited(
        sa.select(_p.choice, _p.seconds, _p.size)
        .where(_p.collection == bindparam("collection"))
        .order_by(_p.id.desc())
    ),
    "collection",
    "limit",
)
_last_to_go = (
    sa.select(_older.id)
    .where(_older.collection == bindparam("of_collection"))
    .order_by(_older.id.desc())
    .limit(sa.literal_column("1"))
    .offset(sa.literal_column(str(KEPT)))
    .scalar_subquery()
)
_TRIM = Statement(
    sa.delete(tables.past).where(_p.collection == bindparam("collection"), _p.id <= _last_to_go),
    "collection",
    "of_collection",
)


class Past:
    """`oseo_lab.ports.Past` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, finished: Sequence[Finished]) -> None:
        """Remember items that were delivered; now and then, forget the oldest of their collections."""
        session = self._session
        rows = [
            (session.ref(each.collection_id), session.ref(each.choice), each.seconds, each.size)
            for each in finished
        ]
        session.many(_ADD, rows)
        added = session.caches.past_added
        for ref, count in Counter(row[0] for row in rows).items():
            assert ref is not None  # a collection has an id
            since = added.get(ref, _TRIM_EVERY) + count  # who knows how many there are after a start
            if since >= _TRIM_EVERY:
                session.run(_TRIM, (ref, ref))
                since = 0
            added[ref] = since

    def of(self, collection_id: str, limit: int = 200) -> list[Finished]:
        """Return the latest of a collection, newest first."""
        session = self._session
        ref = session.find(collection_id)
        rows = [] if ref is None else session.all(_OF, (ref, limit))
        choices = session.texts(row[0] for row in rows)
        return [
            Finished(collection_id=collection_id, choice=choices[row[0]], seconds=row[1], size=row[2])
            for row in rows
        ]
