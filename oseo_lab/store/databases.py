"""The databases below the store: their URLs, their set-up, their revisions, their backups.

SQLite (WAL, every commit synced) or PostgreSQL through psycopg. `oseo_lab.store.engine` works on what is
made here.
"""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from oseo_lab.model.errors import ConfigurationError, NotSupported, Unavailable
from oseo_lab.store.migrations import REVISIONS
from oseo_lab.store.session import WRITER_LOCK

__all__ = ["backup", "bring_up_to_date", "make_engine", "revision_of", "unreachable", "upgrade"]

#: Seconds to wait for another process that writes.
_BUSY_TIMEOUT = 60.0
#: Copies of a store that are made before upgrades that come to nothing.
_MOST_COPIES = 5
_SQLITE_AT_LEAST = (3, 35)  # RETURNING
_MIGRATIONS = Path(__file__).parent / "migrations"


def make_engine(url: str) -> sa.Engine:
    """Return an engine for one of the two databases.

    Raises
    ------
    ConfigurationError
        If the URL is not one, or of another database, or its driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
        name = parsed.get_backend_name()
        if name not in ("sqlite", "postgresql"):
            raise ConfigurationError(f"{name} is not a database the store knows; use sqlite or postgresql")
        if name == "sqlite":
            return _sqlite_engine(parsed)
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), poolclass=NullPool, paramstyle="format"
        )
    except (sa.exc.ArgumentError, ImportError) as error:
        text = f"the database URL cannot be used: {type(error).__name__}; PostgreSQL needs oseo-lab[postgres]"
        raise ConfigurationError(text) from error


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("an order store in memory would lose orders; name a file: sqlite:///path")
    path = Path(url.database)
    if not path.parent.is_dir():
        raise ConfigurationError(f"the folder of the order store, {path.parent}, does not exist; make it")
    engine = sa.create_engine(
        url,
        poolclass=NullPool,
        connect_args={
            "timeout": _BUSY_TIMEOUT,
            "check_same_thread": False,
            "isolation_level": None,  # transactions are begun here, not guessed by the driver
            "cached_statements": 256,
        },
    )
    sa.event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA journal_size_limit=67108864")


def _create_private(path: Path) -> None:
    """Make the file before SQLite does, for its owner alone: it holds passwords."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


# ------------------------------------------------------------------------------------------- migrations


def upgrade(url: str) -> Path | None:
    """Bring a database to the tables of this version, making it if it is not there.

    Returns
    -------
    Path or None
        The copy that was made of an SQLite database before it was changed.

    Raises
    ------
    ConfigurationError
        If a newer version of oseo_lab made the database.
    """
    engine = make_engine(url)
    try:
        return bring_up_to_date(engine)
    except sa.exc.DBAPIError as error:
        raise unreachable(engine, error) from error
    finally:
        engine.dispose()


def unreachable(engine: sa.Engine, error: Exception) -> Unavailable:
    """Return the error of a database that cannot be opened; its password is not shown."""
    where = engine.url.render_as_string(hide_password=True)
    return Unavailable(f"the order store at {where} cannot be opened ({type(error).__name__})")


def bring_up_to_date(engine: sa.Engine) -> Path | None:
    """Do what `upgrade` says."""
    is_sqlite = engine.dialect.name == "sqlite"
    if is_sqlite:
        _prepare_sqlite(engine)
    revision = revision_of(engine)
    if revision == REVISIONS[-1]:
        return None
    copy = None
    if is_sqlite and revision is not None:
        copy = _copy_before(engine, revision)
    with engine.connect() as connection:
        lock = f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else lock)
        if _revision_seen_by(connection) != REVISIONS[-1]:  # another process may have been faster
            _run_alembic(connection)
        connection.commit()
    return copy


def _prepare_sqlite(engine: sa.Engine) -> None:
    version = engine.dialect.loaded_dbapi.sqlite_version_info
    if version < _SQLITE_AT_LEAST:
        needed, found = (".".join(map(str, each)) for each in (_SQLITE_AT_LEAST, version))
        raise ConfigurationError(f"the order store needs SQLite {needed} or newer; this Python has {found}")
    _create_private(Path(str(engine.url.database)))
    with engine.connect() as connection:
        if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
            _switch_to_wal(connection)


def _switch_to_wal(connection: sa.Connection) -> None:
    """Switch once per file; SQLite does not wait for others here, so we do."""
    give_up = time.monotonic() + _BUSY_TIMEOUT
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            return
        except sa.exc.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def revision_of(engine: sa.Engine) -> str | None:
    """Return which revision a database is at; None for one without our tables."""
    with engine.connect() as connection:
        return _revision_seen_by(connection)


def _revision_seen_by(connection: sa.Connection) -> str | None:
    """Return which revision a database is at; None for one without our tables."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if revision is not None and revision not in REVISIONS:
        raise ConfigurationError(
            f"the order store is at revision {revision}, made by a newer oseo_lab; this one knows "
            f"{', '.join(REVISIONS)}: install the newer version, or go back to a backup"
        )
    return revision


def _copy_before(engine: sa.Engine, revision: str) -> Path:
    """Copy an SQLite database before it is changed, beside the copies of upgrades that came to nothing.

    Whoever was interrupted begins anew, and so does whoever begins at the same time as another process.

    Raises
    ------
    ConfigurationError
        If there are too many copies: something else is wrong.
    """
    path, url = Path(str(engine.url.database)), engine.url.render_as_string(hide_password=False)
    for number in range(1, _MOST_COPIES + 1):
        name = f"{path.name}.{revision}.backup" + (f"-{number}" if number > 1 else "")
        with suppress(FileExistsError):
            return _backup(url, path.with_name(name))
    raise ConfigurationError(
        f"the order store at {path} was copied {_MOST_COPIES} times before an upgrade that came to no end; "
        f"look into the server's log, then remove the copies ({path.name}.{revision}.backup*) you do not need"
    )


def _run_alembic(connection: sa.Connection) -> None:
    from alembic import command  # loaded only when there is something to do
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


def backup(url: str, path: str | Path) -> Path:
    """Copy an SQLite database, while it is in use, into a new file readable by its owner alone.

    Raises
    ------
    ConfigurationError
        If the file is there already.
    NotSupported
        For PostgreSQL, which has ``pg_dump``.
    """
    target = Path(path)
    try:
        return _backup(url, target)
    except FileExistsError:
        raise ConfigurationError(f"the backup {target} is there already; name another file") from None


def _backup(url: str, target: Path) -> Path:
    """Copy a database into a file, which must be new."""
    engine = make_engine(url)
    if engine.dialect.name != "sqlite":
        raise NotSupported("a PostgreSQL database is backed up with pg_dump")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    to_engine = make_engine(f"sqlite:///{target}")
    with closing(engine.raw_connection()) as source, closing(to_engine.raw_connection()) as copy:
        driver: Any = source.driver_connection
        driver.backup(copy.driver_connection)
    return target
