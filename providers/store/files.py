"""The store as files: copies of it, its size, its order."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import text

from providers.store.database import Database
from providers.store.records import StoreError
from providers.store.schema import metadata


def copy_sqlite(place: Database, target: Path) -> None:
    """One moment of the store as a file that needs nothing beside it; `target` is replaced at
    once or not at all. Readers and a writer go on.

    Raises:
        StoreError: it is on PostgreSQL, or the file cannot be written.
    """
    if place.path is None:
        raise StoreError(f"{place.where}: back it up with pg_dump, which does so while it is used")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        _copy(place.path, partial)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{target} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    _sync(target.parent)


def _copy(source: Path, partial: Path) -> None:
    partial.unlink(missing_ok=True)
    # A connection of its own, so that it sees one committed moment, whoever asks.
    reading, writing = sqlite3.connect(source), sqlite3.connect(partial)
    try:
        # All pages in one step: page by page it would begin anew after each commit.
        reading.backup(writing)
    finally:
        reading.close()
        writing.close()
    with partial.open("rb+") as file:
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def size_bytes(place: Database) -> int:
    """What the store takes on the disk, with its journal."""
    if place.path is not None:
        parts = (place.path, place.path.with_name(f"{place.path.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())
    with place.reading() as connection:
        size = text("SELECT pg_total_relation_size(to_regclass(:name))")
        names = metadata.tables
        return sum(connection.execute(size, {"name": name}).scalar() or 0 for name in names)


def vacuum(place: Database) -> None:
    """Give back the room of what was pruned."""
    with place.apart() as connection:
        connection.execute(text("VACUUM" if place.is_sqlite else "VACUUM (ANALYZE)"))
        if place.is_sqlite:  # which wrote the whole store into the journal
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
