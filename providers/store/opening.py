"""Opening a store: making a new one, bringing an older one up to date, refusing a newer one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from providers.store.database import Database, database
from providers.store.files import copy_sqlite
from providers.store.prices import PriceStore
from providers.store.records import StoreError, StoreMissingError
from providers.store.schema import metadata

REVISIONS = ("0001", "0002")
"""Every schema there ever was, oldest first: one file each in `migrations/versions`."""
HEAD = REVISIONS[-1]
REVISION_TABLE = "rentopt_schema"


def open_store(
    url: str | Path, *, create: bool = True, read_only: bool = False, migrate: bool = False
) -> PriceStore:
    """The store at a path or a ``postgresql://`` URL.

    Args:
        url: a path (SQLite), or a URL of either kind.
        create: make it, and the folder it lies in, when there is none.
        read_only: nothing is made, migrated or written.
        migrate: bring an older PostgreSQL store up to date. A SQLite store always is, after a
            copy of it was put beside it.

    Raises:
        StoreMissingError: there is none, and it may not be made.
        StoreError: it is newer than this program, older and may not be migrated, or no store.
    """
    place = database(url, read_only=read_only)
    try:
        _prepare(place, create=create and not read_only, migrate=migrate)
    except BaseException:
        place.close()
        raise
    return PriceStore(place)


def _prepare(place: Database, *, create: bool, migrate: bool) -> None:
    if place.path is not None and not place.path.exists():
        if not create:
            raise StoreMissingError(f"there is no price store at {place.path}")
        try:
            place.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{place.path.parent} cannot be made: {error.strerror}") from error
    with place.reading() as connection:
        found = _revision(connection, place)
    if found == HEAD:
        return
    if found is None and not create:
        raise StoreMissingError(f"there is no price store in {place.where} yet")
    if found is not None:
        _check_older(found, place, migrate=migrate)
    _upgrade(place)


def _revision(connection: Connection, place: Database) -> str | None:
    """The schema's revision; None where nothing was made yet.

    Raises:
        StoreError: there are tables, and they are not a store's.
    """
    tables = set(inspect(connection).get_table_names())
    if REVISION_TABLE in tables:
        statement = text(f"SELECT version_num FROM {REVISION_TABLE}")
        found: str | None = connection.execute(statement).scalar()
        return found
    others = tables if place.is_sqlite else tables & set(metadata.tables)
    if others:
        names = ", ".join(sorted(others)[:3])
        raise StoreError(f"{place.where} is no price store: it has tables of its own ({names})")
    return None


def _check_older(found: str, place: Database, *, migrate: bool) -> None:
    if found not in REVISIONS:
        raise StoreError(
            f"{place.where} has schema {found}, made by a newer rentopt; this one knows up to "
            f"{HEAD}: upgrade rentopt, or use another store"
        )
    older = f"{place.where} has schema {found}, and this rentopt needs {HEAD}"
    if place.read_only:
        raise StoreError(f"{older}: open it for writing once, such as by a refresh of the prices")
    if not place.is_sqlite and not migrate:
        raise StoreError(
            f"{older}: make a backup with pg_dump, stop the other users of the store, then "
            "run: rentopt prices migrate"
        )


def _upgrade(place: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    with place.writing() as connection:
        found = _revision(connection, place)  # another process may have been faster
        if found == HEAD:
            return
        if found is not None and place.path is not None:
            copy_sqlite(place, place.path.with_name(f"{place.path.name}.schema-{found}"))
        config.attributes.update(connection=connection, version_table=REVISION_TABLE)
        command.upgrade(config, "head")
