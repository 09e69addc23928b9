"""Results of a sweep in one SQLite file: a case is there whole or not at all, found by its key."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from optimizer.sweep.rows import FAILED, Row
from providers.errors import RentoptError

APPLICATION_ID = 0x52535750
VERSION = 1
WAIT_S = 60.0
"""How long to wait for another sweep that writes to the same file."""
_AT_ONCE = 500

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE result (key TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class Results:
    """Finished cases, by key. Every `put` is on the disk when it returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def done(self, keys: Iterable[str]) -> dict[str, Row]:
        """The rows of those that are finished; what failed for want of a process is not."""
        found: dict[str, Row] = {}
        wanted = list(keys)
        for begin in range(0, len(wanted), _AT_ONCE):
            some = wanted[begin : begin + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, row FROM result WHERE key IN ({marks})"
            for key, text in self._connection.execute(query, some):
                row = json.loads(text)
                if row["status"] != FAILED:
                    found[key] = row
        return found

    def put(self, key: str, row: Row) -> None:
        text = json.dumps(row, ensure_ascii=False)
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO result VALUES (?, ?)", (key, text))

    def noted(self, name: str, value: str) -> str:
        """What was noted under a name first: `value`, if nothing was yet."""
        with self._connection:
            self._connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
        query = "SELECT value FROM meta WHERE name = ?"
        return str(self._connection.execute(query, (name,)).fetchone()[0])


@contextmanager
def open_results(path: Path) -> Iterator[Results]:
    """The results in a file, which is made if it is not there.

    Raises:
        RentoptError: it cannot be opened, or is some other file.
    """
    if not path.parent.is_dir():
        raise RentoptError(f"{path} cannot be written: there is no folder {path.parent}")
    try:
        connection = sqlite3.connect(path, timeout=WAIT_S)
        try:
            _prepare(connection, path)
            yield Results(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise RentoptError(f"{path} cannot be used for the results of a sweep: {error}") from None


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (kind,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and kind != APPLICATION_ID:
        raise RentoptError(f"{path} is no file of sweep results; name another one with --results")
    if version > VERSION:
        raise RentoptError(f"{path} was written by a newer rentopt; name another one")
    if not tables:
        for statement in _TABLES.strip().split(";\n"):
            connection.execute(statement.rstrip(";"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.commit()
