"""One connection at work: statements compiled once, driver errors turned into ours, texts by number.

`Statement` is written in SQLAlchemy Core and compiled once per database; `Session` runs it on the
driver's cursor with plain tuples, whole batches at a time. Everything in this package that touches the
database does so here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from oseo_lab.model.errors import Conflict, NotFound, OseoError, Unavailable, ValidationError
from oseo_lab.model.order import order_uuid
from oseo_lab.store import tables

__all__ = [
    "NO_LIMIT",
    "WRITER_LOCK",
    "Caches",
    "Session",
    "Statement",
    "among_statements",
    "chunks",
    "insert_of",
    "limited",
    "order_id_of",
    "uuid_of",
]

Row = tuple[Any, ...]
K = TypeVar("K")

#: Keys looked up by one statement; shorter lists are padded, so that few statements serve all lengths.
_CHUNKS = (1, 8, 64, 256)
#: Entries of a cache before it starts again from nothing: bounds memory, whatever the store's size.
_CACHE_LIMIT = 1024
NO_LIMIT = 2**62
#: "A writer is at work" among the advisory locks of one PostgreSQL database.
WRITER_LOCK = 0x05E0

_BEGIN_WRITE = {
    "sqlite": "BEGIN IMMEDIATE",
    # Each statement sees what was committed before it, whatever the database's default is: a snapshot taken
    # while waiting for the lock would not show what its last holder wrote.
    "postgresql": f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITER_LOCK})",
}
_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_BEGIN_READ = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}


class Statement:
    """A Core statement whose parameters are given as a tuple, in the order of ``names``.

    Parameters
    ----------
    core : Core statement, or function
        A function is given the database's own ``insert``, for what to do where the row is there already.
    names : str
        All bind parameters.
    """

    def __init__(self, core: sa.ClauseElement | Callable[[Any], Any], *names: str) -> None:
        self._core = core
        self._names = names
        self._compiled: dict[str, tuple[str, Callable[[Row], Row] | None]] = {}

    def on(self, dialect: Dialect) -> tuple[str, Callable[[Row], Row] | None]:
        """Return the SQL text and what puts the parameters in its order (None: they already are)."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> tuple[str, Callable[[Row], Row] | None]:
        core = self._core
        if not isinstance(core, sa.ClauseElement):
            core = core(_INSERTS[dialect.name])
        compiled: Any = core.compile(dialect=dialect)
        order = compiled.positiontup or []
        if set(order) != set(self._names):
            raise TypeError(f"parameters {order} of {compiled} are not those named: {self._names}")
        if tuple(order) == self._names:
            return str(compiled), None
        places = [self._names.index(name) for name in order]
        if len(places) == 1:
            return str(compiled), lambda row: (row[places[0]],)
        return str(compiled), itemgetter(*places)


class Caches:
    """What never changes once it is committed, kept in memory for all sessions of a store.

    Attributes
    ----------
    text_of, ref_of_text : dict
        Interned texts by number, and the reverse.
    ref_of_order, order_of_ref : dict
        Orders' numbers by order id, and the reverse.
    choices, rests : dict
        What a stored document reads as, by its number (`oseo_lab.store.values`).
    ref_of_choice : dict
        The reverse of ``choices``.
    past_added : dict
        By collection and size of area: how many finished items were added since it was last trimmed.
    """

    def __init__(self) -> None:
        self.text_of: dict[int, str] = {}
        self.ref_of_text: dict[str, int] = {}
        self.ref_of_order: dict[str, int] = {}
        self.order_of_ref: dict[int, str] = {}
        self.choices: dict[int, Any] = {}
        self.rests: dict[int, Any] = {}
        self.ref_of_choice: dict[Any, int] = {}
        self.past_added: dict[Any, int] = {}


def keep(cache: dict[Any, Any], key: Any, value: Any) -> None:
    """Put a value into a cache that must not grow for ever."""
    if len(cache) >= _CACHE_LIMIT:
        cache.clear()
    cache[key] = value


def insert_of(table: sa.Table, columns: Iterable[str]) -> sa.Insert:
    """Return an insert of these columns, each a parameter of its name."""
    return sa.insert(table).values({name: sa.bindparam(name) for name in columns})


def limited(query: sa.Select[Any]) -> sa.Select[Any]:
    """Return the query with a parameter ``limit``; `NO_LIMIT` for all rows."""
    # The literal offset keeps SQLite's compiler from adding a parameter of its own.
    return query.limit(sa.bindparam("limit", type_=sa.BigInteger)).offset(sa.literal_column("0"))


def uuid_of(order_id: str) -> bytes | None:
    """Return the 16 bytes of one of our order ids; None for anybody else's."""
    text = order_uuid(order_id)
    return None if text is None else bytes.fromhex(text.replace("-", ""))


def order_id_of(identifier: bytes) -> str:
    """Return the order id of 16 bytes."""
    text = identifier.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def chunks(keys: Iterable[K]) -> Iterator[list[K]]:
    """Cut keys into lists of few different lengths, the last one padded with its own last key."""
    rest = list(keys)
    while rest:
        size = next((size for size in _CHUNKS if size >= len(rest)), _CHUNKS[-1])
        part, rest = rest[:size], rest[size:]
        yield part + [part[-1]] * (size - len(part))


_FIND_TEXT = Statement(
    sa.select(tables.texts.c.id).where(tables.texts.c.digest == sa.bindparam("digest")), "digest"
)
_ADD_TEXT = Statement(
    sa.insert(tables.texts)
    .values(digest=sa.bindparam("digest"), text=sa.bindparam("text"))
    .returning(tables.texts.c.id),
    "digest",
    "text",
)


def among_statements(
    column: sa.Column[Any], *columns: sa.ColumnElement[Any], where: sa.ColumnElement[bool] | None = None
) -> dict[int, Statement]:
    """Make "these columns where column is one of" for each length that `chunks` gives."""
    also = () if where is None else (where,)
    made = {}
    for size in _CHUNKS:
        names = [f"key_{place}" for place in range(size)]
        keys = [sa.bindparam(name, type_=column.type) for name in names]
        made[size] = Statement(sa.select(*columns).where(column.in_(keys), *also), *names)
    return made


_TEXTS = among_statements(tables.texts.c.id, tables.texts.c.id, tables.texts.c.text)
_REFS_OF_ORDERS = among_statements(tables.orders.c.uuid, tables.orders.c.id, tables.orders.c.uuid)
_ORDERS_OF_REFS = among_statements(tables.orders.c.id, tables.orders.c.id, tables.orders.c.uuid)


class Session:
    """One connection of the store's, its prepared statements and its transaction.

    Parameters
    ----------
    connection : driver connection
        In autocommit mode: transactions are begun and ended here.
    dialect : sqlalchemy Dialect
        What statements are compiled for.
    caches : Caches
        Shared by all sessions of the store.
    """

    def __init__(self, connection: Any, dialect: Dialect, caches: Caches) -> None:
        self.dialect = dialect
        self.caches = caches
        self.is_broken = False
        #: Whether the transaction added to the history.
        self.has_news = False
        self._cursor = connection.cursor()
        self._dbapi: Any = dialect.loaded_dbapi
        self._errors = (self._dbapi.Error, UnicodeEncodeError)
        self._undo: list[tuple[dict[Any, Any], Any]] = []

    # ------------------------------------------------------------------------------------- statements

    def all(self, statement: Statement, values: Row = ()) -> list[Row]:
        """Return all rows of a query."""
        sql, arrange = statement.on(self.dialect)
        try:
            self._cursor.execute(sql, arrange(values) if arrange else values)
            return self._cursor.fetchall()  # type: ignore[no-any-return]
        except self._errors as error:
            raise self.translated(error) from error

    def one(self, statement: Statement, values: Row = ()) -> Row | None:
        """Return the first row of a query, or None."""
        rows = self.all(statement, values)
        return rows[0] if rows else None

    def run(self, statement: Statement, values: Row = ()) -> int:
        """Run a statement that changes rows; return how many."""
        sql, arrange = statement.on(self.dialect)
        try:
            self._cursor.execute(sql, arrange(values) if arrange else values)
        except self._errors as error:
            raise self.translated(error) from error
        return self._cursor.rowcount  # type: ignore[no-any-return]

    def many(self, statement: Statement, rows: Sequence[Row]) -> int:
        """Run a statement that changes rows once per tuple; return how many rows changed in all."""
        if not rows:
            return 0
        sql, arrange = statement.on(self.dialect)
        try:
            self._cursor.executemany(sql, [arrange(row) for row in rows] if arrange else rows)
        except self._errors as error:
            raise self.translated(error) from error
        return self._cursor.rowcount  # type: ignore[no-any-return]

    def among(self, statements: dict[int, Statement], keys: Iterable[Any]) -> list[Row]:
        """Return the rows of these keys, whatever their number; statements by length of `chunks`."""
        return [row for part in chunks(keys) for row in self.all(statements[len(part)], tuple(part))]

    # ----------------------------------------------------------------------------------- transactions

    def begin_read(self) -> None:
        """Open a snapshot."""
        self._control(_BEGIN_READ[self.dialect.name])

    def begin_write(self) -> None:
        """Become the one writer among all processes; waits for another to finish."""
        self._control(_BEGIN_WRITE[self.dialect.name])

    def commit(self) -> None:
        """Make everything since `begin_write` durable."""
        self._control("COMMIT")
        self._undo.clear()

    def end_read(self) -> None:
        """Let go of the snapshot."""
        self._undo.clear()
        self._control("ROLLBACK")

    def rollback(self) -> None:
        """Undo everything since the beginning."""
        self._forget(0)
        self._control("ROLLBACK")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside, and only that, if it raises."""
        mark = len(self._undo)
        self._control("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self._forget(mark)
            self._control("ROLLBACK TO SAVEPOINT step")
            self._control("RELEASE SAVEPOINT step")
            raise
        self._control("RELEASE SAVEPOINT step")

    def _control(self, sql: str) -> None:
        try:
            if self.dialect.name == "postgresql":
                self._cursor.execute(sql, prepare=False)
            else:
                self._cursor.execute(sql)
        except self._errors as error:
            self.is_broken = True
            raise self.translated(error) from error

    def remember(self, cache: dict[Any, Any], key: Any, value: Any) -> None:
        """Keep what this transaction made, unless it is undone."""
        keep(cache, key, value)
        self._undo.append((cache, key))

    def _forget(self, mark: int) -> None:
        while len(self._undo) > mark:
            cache, key = self._undo.pop()
            cache.pop(key, None)

    def translated(self, error: Exception) -> OseoError:
        """Turn an error of the driver into one of ours; its text never shows what was stored."""
        if isinstance(error, self._dbapi.IntegrityError):
            return Conflict("this is stored already, under the same name or number; read it again")
        if isinstance(error, (self._dbapi.DataError, UnicodeEncodeError)):
            text = "the order store cannot hold a value: a number is too large or a text is not Unicode"
            return ValidationError(text)
        if isinstance(error, (self._dbapi.OperationalError, self._dbapi.InterfaceError)):
            self.is_broken = True
            kind = type(error).__name__
            return Unavailable(f"the order store does not answer now ({kind}); try again in a moment")
        return OseoError(f"the order store refused a statement ({type(error).__name__})")

    # ------------------------------------------------------------------------------------------ texts

    def ref(self, text: str | None) -> int | None:
        """Return the number of a text, storing it if it is new."""
        if text is None:
            return None
        found = self.caches.ref_of_text.get(text)
        if found is None:
            found = self.find(text)
        if found is None:
            found = self.all(_ADD_TEXT, (_digest(text), text))[0][0]
            self.remember(self.caches.ref_of_text, text, found)
            self.remember(self.caches.text_of, found, text)
        return found

    def find(self, text: str) -> int | None:
        """Return the number of a text; None if it was never stored."""
        found = self.caches.ref_of_text.get(text)
        if found is None:
            row = self.one(_FIND_TEXT, (_digest(text),))
            if row is None:
                return None
            found = int(row[0])
            self.remember(self.caches.ref_of_text, text, found)
        return found

    def text(self, ref: int | None) -> str | None:
        """Return the text of a number."""
        if ref is None:
            return None
        found = self.caches.text_of.get(ref)
        return self.texts((ref,))[ref] if found is None else found

    def texts(self, refs: Iterable[int | None]) -> dict[int, str]:
        """Return the texts of many numbers, read together where they are not at hand."""
        cached = self.caches.text_of
        wanted = {ref for ref in refs if ref is not None}
        found = {ref: text for ref in wanted if (text := cached.get(ref)) is not None}
        for ref, text in self.among(_TEXTS, wanted - found.keys()):
            self.remember(cached, ref, text)
            found[ref] = text
        return found

    # ----------------------------------------------------------------------------------------- orders

    def remember_order(self, ref: int, order_id: str) -> None:
        """Keep an order's number at hand."""
        self.remember(self.caches.ref_of_order, order_id, ref)
        self.remember(self.caches.order_of_ref, ref, order_id)

    def order_ref(self, order_id: str) -> int | None:
        """Return an order's number; None where there is no such order."""
        found = self.caches.ref_of_order.get(order_id)
        return self.order_refs((order_id,)).get(order_id) if found is None else found

    def order_refs(self, order_ids: Iterable[str]) -> dict[str, int]:
        """Return the numbers of many orders; those unknown are missing."""
        wanted = set(order_ids)
        cached = self.caches.ref_of_order
        found = {name: ref for name in wanted if (ref := cached.get(name)) is not None}
        missing = [key for name in wanted - found.keys() if (key := uuid_of(name)) is not None]
        for ref, identifier in self.among(_REFS_OF_ORDERS, missing):
            name = order_id_of(identifier)
            found[name] = ref
            self.remember(cached, name, ref)
        return found

    def known_refs(self, order_ids: Iterable[str]) -> dict[str, int]:
        """Return the numbers of many orders, all of which must be there.

        Raises
        ------
        NotFound
            If one is not.
        """
        wanted = set(order_ids)
        found = self.order_refs(wanted)
        if len(found) < len(wanted):
            missing = ", ".join(sorted(wanted - found.keys()))
            raise NotFound(f"no such order: {missing}", locator="orderId")
        return found

    def order_ids(self, refs: Iterable[int]) -> dict[int, str]:
        """Return the order ids of many numbers."""
        wanted = set(refs)
        cached = self.caches.order_of_ref
        found = {ref: name for ref in wanted if (name := cached.get(ref)) is not None}
        for ref, identifier in self.among(_ORDERS_OF_REFS, wanted - found.keys()):
            name = order_id_of(identifier)
            found[ref] = name
            self.remember(cached, ref, name)
        return found


def _digest(text: str) -> bytes:
    try:
        return hashlib.blake2b(text.encode(), digest_size=16).digest()
    except UnicodeEncodeError as error:
        raise ValidationError("a text holds half a surrogate pair, which is not Unicode") from error
