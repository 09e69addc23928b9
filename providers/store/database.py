"""One SQLite file or PostgreSQL database: connections, transactions, and where the two differ."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.pool import QueuePool

from providers.store.records import StoreBusyError, StoreError

LOCK_WAIT_S = 120
"""How long a writer waits for another; publishing takes seconds."""
_WRITER_LOCK, _REFRESH_LOCK = 7236837, 7236838
"""Any numbers that other programs in the same PostgreSQL database do not use."""


class Database:
    """Where the store lies, and how it is spoken to. Every block is one transaction."""

    def __init__(self, engine: Engine, path: Path | None, *, read_only: bool) -> None:
        self.engine, self.path, self.read_only = engine, path, read_only

    @property
    def is_sqlite(self) -> bool:
        return self.path is not None

    @property
    def where(self) -> str:
        """For messages; without a password."""
        return str(self.path or self.engine.url.render_as_string(hide_password=True))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One moment of the store, however long it takes to read, whoever writes meanwhile."""
        options: dict[str, Any] = {"rentopt_begin": "BEGIN"}
        if not self.is_sqlite:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing. One writer at a time; readers go on as if it had not begun."""
        if self.read_only:
            raise StoreError(f"{self.where} is open for reading only")
        with self._transaction({"rentopt_begin": "BEGIN IMMEDIATE"}) as connection:
            if not self.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:number)")
                connection.execute(lock, {"number": _WRITER_LOCK})
            yield connection

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For one refresh at a time from all machines; PostgreSQL ends the lock with its owner.

        A file has the lock of its machine (`providers.lock`).

        Raises:
            StoreBusyError: another connection holds the lock.
        """
        if self.is_sqlite:
            yield
            return
        with self.apart() as connection:
            lock = text("SELECT pg_try_advisory_lock(:number)")
            if not connection.scalar(lock, {"number": _REFRESH_LOCK}):
                raise StoreBusyError(f"a refresh from another machine is at work on {self.where}")
            try:
                yield
            finally:
                unlock = text("SELECT pg_advisory_unlock(:number)")
                connection.execute(unlock, {"number": _REFRESH_LOCK})

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """For what cannot be in a transaction."""
        with self._faults(), self.engine.connect() as connection:
            options: dict[str, Any] = {"rentopt_begin": ""}
            if not self.is_sqlite:
                options = {"isolation_level": "AUTOCOMMIT"}
            yield connection.execution_options(**options)

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        with self._faults(), self.engine.connect() as connection:
            connection = connection.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise  # a fault of ours keeps its traceback
        except DatabaseError as error:
            raise StoreError(f"{self.where}: {_sentence(error)}") from error

    def close(self) -> None:
        self.engine.dispose()


def _sentence(error: DatabaseError) -> str:
    said = " ".join(str(error.orig).split())
    hints = {
        "database is locked": f"another process has been writing for {LOCK_WAIT_S} s",
        "file is not a database": "this is no price store",
        "unable to open database file": "SQLite needs to write beside the file, also for reading; "
        "check the folder and its permissions",
        "database or disk is full": "nothing was changed",
        "attempt to write a readonly database": "the file or its folder may not be written to",
    }
    hint = next((hint for known, hint in hints.items() if known in said), "")
    return f"{said}; {hint}" if hint else said


def sqlite_database(path: Path, *, read_only: bool) -> Database:
    # Not mode=ro: with it nobody can read a store in WAL mode that no writer has open.
    uri = f"file:{quote(str(path.absolute()))}?mode={'rw' if read_only else 'rwc'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            _write_ahead(connection)
            # Not NORMAL, with which a power cut may take the last runs back.
            connection.execute("PRAGMA synchronous = FULL")
        return connection

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver would begin late, and never for reading; see its own documentation.
        statement = connection.get_execution_options().get("rentopt_begin", "BEGIN")
        if statement:
            connection.exec_driver_sql(statement)

    return Database(engine, path, read_only=read_only)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; SQLite does not wait for another that is just doing so."""
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise
            time.sleep(0.01)


def postgres_database(url: URL, *, read_only: bool) -> Database:
    try:
        engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"PostgreSQL needs {error.name}: pip install 'rentopt[postgres]'"
        ) from error
    return Database(engine, None, read_only=read_only)


def database(where: str | Path, *, read_only: bool) -> Database:
    """From a path, ``sqlite:///path`` or ``postgresql://user@host/name``; nothing is opened yet.

    Raises:
        StoreError: it is the URL of something else.
    """
    if isinstance(where, Path) or "://" not in where:
        return sqlite_database(Path(where), read_only=read_only)
    try:
        url = make_url(where)
        kind = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError("the price store's URL cannot be read") from error
    if kind == "sqlite" and url.database:
        return sqlite_database(Path(url.database), read_only=read_only)
    if kind not in ("postgresql", "postgres"):
        raise StoreError(f"a price store is a path or a postgresql:// URL, not {kind}://")
    return postgres_database(url, read_only=read_only)
