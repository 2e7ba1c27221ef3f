"""Delivered files: what was delivered when, until when it stays, and what was fetched of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from oseo_lab.encoding.quick import maker
from oseo_lab.model.order import ResultFile
from oseo_lab.model.reuse import Earlier
from oseo_lab.store import tables
from oseo_lab.store.earlier import find_earlier
from oseo_lab.store.session import Session, Statement, insert_of, limited
from oseo_lab.store.values import from_micros, micros, pack, unpack

__all__ = ["Results"]

_make_file = maker(ResultFile)
_COLUMNS = (
    "order_ref",
    "number",
    "attempt",
    "position",
    "name",
    "size",
    "sha256",
    "media_type",
    "is_data",
    "sequence",
    "expires",
    "removed",
    "fetched",
    "href",
)

_r = tables.results.c
_o = tables.orders.c
_firsts = tables.results.alias("first")
_first = _firsts.c
_FILE = [_r[name] for name in _COLUMNS]

_ADD = Statement(insert_of(tables.results, _COLUMNS), *_COLUMNS)
_NEXT_SEQUENCES = Statement(
    sa.update(tables.orders)
    .values(
        sequence=_o.sequence + bindparam("more", type_=sa.Integer),
        size=_o.size + bindparam("bytes", type_=sa.BigInteger),
    )
    .where(_o.id == bindparam("key"))
    .returning(_o.sequence),
    "more",
    "bytes",
    "key",
)
_LAST_SEQUENCE = Statement(sa.select(_o.sequence).where(_o.id == bindparam("key")), "key")
_SIZE = Statement(sa.select(_o.size).where(_o.id == bindparam("key")), "key")
_OF = Statement(
    sa.select(*_FILE).where(_r.order_ref == bindparam("order_ref")).order_by(_r.number, _r.name),
    "order_ref",
)
_OF_ITEM = Statement(
    sa.select(*_FILE)
    .where(_r.order_ref == bindparam("order_ref"), _r.number == bindparam("number"))
    .order_by(_r.name),
    "order_ref",
    "number",
)
# Expired deliveries are found by their first file, which is therefore named (and marked removed) last.
_EXPIRED = Statement(
    limited(
        sa.select(*_FILE)
        .join(
            _firsts,
            sa.and_(
                _first.order_ref == _r.order_ref, _first.number == _r.number, _first.attempt == _r.attempt
            ),
        )
        .where(
            _first.position == sa.literal_column("0"),
            _first.removed == sa.literal_column("0"),
            _first.expires <= bindparam("now", type_=sa.BigInteger),
            _r.removed == sa.literal_column("0"),
        )
        .order_by(_first.expires, _r.order_ref, _r.number, _r.attempt, _r.position.desc())
    ),
    "now",
    "limit",
)
_WHICH = sa.and_(
    _r.order_ref == bindparam("key"),
    _r.number == bindparam("key_number"),
    _r.attempt == bindparam("key_attempt"),
    _r.name == bindparam("key_name"),
)
_REMOVED = Statement(
    sa.update(tables.results).values(removed=sa.literal_column("1")).where(_WHICH),
    "key",
    "key_number",
    "key_attempt",
    "key_name",
)
_FETCHED_OF = Statement(sa.select(_r.fetched).where(_WHICH), "key", "key_number", "key_attempt", "key_name")
_FETCHED = Statement(
    sa.update(tables.results).values(fetched=bindparam("ranges")).where(_WHICH),
    "ranges",
    "key",
    "key_number",
    "key_attempt",
    "key_name",
)


class Results:
    """`oseo_lab.ports.Results` on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, files: Sequence[ResultFile]) -> None:
        """Save the files of deliveries; all of one delivery share a new ``sequence`` of their order."""
        session = self._session
        refs = session.known_refs(file.order_id for file in files)
        deliveries: dict[tuple[int, int, int], list[ResultFile]] = {}
        for file in files:
            deliveries.setdefault((refs[file.order_id], file.number, file.attempt), []).append(file)
        sequences = self._sequences(deliveries)
        rows = [
            _row(key[0], position, sequences[key], file, session)
            for key, delivery in deliveries.items()
            for position, file in enumerate(delivery)
        ]
        session.many(_ADD, rows)

    def _sequences(
        self, deliveries: Mapping[tuple[int, int, int], Sequence[ResultFile]]
    ) -> dict[tuple[int, int, int], int]:
        """Give each delivery the next number of its order, asking once per order, which counts the bytes."""
        by_order: dict[int, list[tuple[int, int, int]]] = {}
        for key in deliveries:
            by_order.setdefault(key[0], []).append(key)
        given: dict[tuple[int, int, int], int] = {}
        for ref, keys in by_order.items():
            products = (
                file for key in keys if key[1] for file in deliveries[key]
            )  # a package holds them again
            size = sum(file.size for file in products if file.is_data)
            last = self._session.all(_NEXT_SEQUENCES, (len(keys), size, ref))[0][0]
            given.update(zip(keys, range(last - len(keys) + 1, last + 1), strict=True))
        return given

    def of(self, order_id: str, *, data_only: bool = False, number: int | None = None) -> list[ResultFile]:
        """Return an order's files (or one item's), by number and name; of each item its last delivery's."""
        files = self._files(_OF, order_id) if number is None else self._files(_OF_ITEM, order_id, number)
        return _that_count([file for file in files if file.is_data or not data_only])

    def file(self, order_id: str, number: int, name: str) -> ResultFile | None:
        """Return one file of the delivery that counts."""
        return next((file for file in self.of(order_id, number=number) if file.name == name), None)

    def last_sequence(self, order_id: str) -> int:
        """Return the sequence of an order's last delivery; 0 before the first."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(_LAST_SEQUENCE, (ref,))
        return 0 if row is None else int(row[0])

    def size(self, order_id: str) -> int:
        """Return the bytes of data files that an order has delivered; a package holds them again."""
        ref = self._session.order_ref(order_id)
        row = None if ref is None else self._session.one(_SIZE, (ref,))
        return 0 if row is None else int(row[0])

    def earlier(self, owner: str, recipes: Iterable[str], at: datetime) -> dict[str, Earlier]:
        """Return an owner's newest kept result of each recipe that stays until ``at``, without its files."""
        return find_earlier(self._session, owner, recipes, at)

    def fetched(self, file: ResultFile, ranges: Sequence[tuple[int, int]]) -> None:
        """Save which byte ranges of a file have been served, united with those before."""
        key = self._key(file)
        row = None if key is None else self._session.one(_FETCHED_OF, key)
        if key is not None and row is not None:
            before = [(start, end) for start, end in json.loads(row[0] or "[]")]
            self._session.run(_FETCHED, (json.dumps(_united([*before, *ranges])), *key))

    def expired(self, now: datetime, limit: int) -> list[ResultFile]:
        """Return files whose time is over and that are still there; a delivery's expire together."""
        rows = self._session.all(_EXPIRED, (micros(now), limit))
        names = self._session.order_ids(row[0] for row in rows)
        return [_file(row, names[row[0]], self._session) for row in rows]

    def removed(self, files: Sequence[ResultFile]) -> None:
        """Mark files as removed."""
        keys = [key for file in files if (key := self._key(file)) is not None]
        self._session.many(_REMOVED, keys)

    def _key(self, file: ResultFile) -> tuple[Any, ...] | None:
        ref = self._session.order_ref(file.order_id)
        return None if ref is None else (ref, file.number, file.attempt, file.name)

    def _files(self, statement: Statement, order_id: str, *rest: int) -> list[ResultFile]:
        ref = self._session.order_ref(order_id)
        rows = [] if ref is None else self._session.all(statement, (ref, *rest))
        return [_file(row, order_id, self._session) for row in rows]


def _that_count(files: Sequence[ResultFile]) -> list[ResultFile]:
    """Return the files of each item's latest delivery."""
    latest: dict[int, int] = {}
    for file in files:
        latest[file.number] = max(latest.get(file.number, 0), file.sequence)
    return [file for file in files if file.sequence == latest[file.number]]


def _united(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return half-open ranges in order, those that touch or overlap as one."""
    united: list[tuple[int, int]] = []
    for start, end in sorted(each for each in ranges if each[0] < each[1]):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united


def _row(order_ref: int, position: int, sequence: int, file: ResultFile, session: Session) -> tuple[Any, ...]:
    """Return a delivered file's columns (`_COLUMNS`)."""
    return (
        order_ref,
        file.number,
        file.attempt,
        position,
        file.name,
        file.size,
        pack(file.sha256),
        session.ref(file.media_type),
        int(file.is_data),
        sequence,
        micros(file.expires),
        int(file.removed),
        json.dumps(file.fetched) if file.fetched else None,
        file.href,
    )


def _file(row: Sequence[Any], order_id: str, session: Session) -> ResultFile:
    """Return the delivered file of `_COLUMNS`."""
    return _make_file(
        order_id=order_id,
        number=row[1],
        attempt=row[2],
        name=row[4],
        size=row[5],
        sha256=unpack(row[6]),
        media_type=session.text(row[7]) or "",
        is_data=bool(row[8]),
        sequence=row[9],
        expires=from_micros(row[10]),
        removed=bool(row[11]),
        fetched=tuple((start, end) for start, end in json.loads(row[12])) if row[12] else (),
        href=row[13],
    )
