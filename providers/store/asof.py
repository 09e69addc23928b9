"""The table an adapter had at one moment, by one seek into the history of each offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, tuple_
from sqlalchemy.sql.expression import FromClause

from providers.offers import Offer
from providers.store.rows import PRICED, TERMS, Reader
from providers.store.schema import AnyRow, note, run, sku, terms, version

_PRICED_AT = 5
_TERMS_AT = _PRICED_AT + len(PRICED)


def last_known_run(connection: Connection, adapter: str, known_at: int | None) -> int:
    """Runs of an adapter become known in the order of their ids."""
    if known_at is None:
        return 2**31 - 1
    known = select(func.max(run.c.id)).where(run.c.adapter == adapter, run.c.known_at <= known_at)
    return connection.execute(known).scalar() or 0


def standing_rows(
    connection: Connection, adapter: str, *, at: int, last_run: int
) -> Sequence[AnyRow]:
    """What was listed at the moment `at` of a published run: sku, id of the sku, id of the terms,
    day of observation, note, then the columns `PRICED` and `TERMS`."""
    there, joined = _newest_versions(connection, at, last_run)
    joined = joined.join(terms, terms.c.id == there.c.terms_id)
    joined = joined.outerjoin(note, note.c.id == there.c.note_id)
    columns = [sku.c.sku, sku.c.id, there.c.terms_id, there.c.observed_on, note.c.text]
    columns += [there.c[name] for name in PRICED] + [terms.c[name] for name in TERMS]
    statement = (
        select(*columns)
        .select_from(joined)
        .where(
            sku.c.adapter == adapter,
            # `at` itself counts: another run of the same moment may have listed it.
            sku.c.seen_to >= at,
            sku.c.seen_from <= at,
            there.c.present == 1,
        )
    )
    return connection.execute(statement).fetchall()


def _newest_versions(
    connection: Connection, at: int, last_run: int
) -> tuple[FromClause, FromClause]:
    """Each offer's version at a moment, and `sku` joined with it."""
    if connection.dialect.name == "postgresql":
        newest = _newest(version, at, last_run, version).lateral("there")
        return newest, sku.join(newest, newest.c.sku_id == sku.c.id)
    # SQLite knows no LATERAL. Naming the key of the row makes it seek that row all the same.
    there, inner = version.alias("there"), version.alias("inner")
    key = _newest(inner, at, last_run, inner.c.valid_from, inner.c.run_id).correlate(sku)
    here = tuple_(there.c.valid_from, there.c.run_id) == key.scalar_subquery()
    return there, sku.join(there, and_(there.c.sku_id == sku.c.id, here))


def _newest(source: FromClause, at: int, last_run: int, *columns: Any) -> Select[Any]:
    c = source.c
    return (
        select(*columns)
        .where(c.sku_id == sku.c.id, c.valid_from <= at, c.run_id <= last_run)
        .order_by(c.valid_from.desc(), c.run_id.desc())
        .limit(1)
    )


def offer_of_row(row: AnyRow, day: str, reader: Reader) -> Offer:
    """The offer of a row of `standing_rows`, last confirmed on `day`."""
    priced, terms_of = row[_PRICED_AT:_TERMS_AT], row[_TERMS_AT:]
    return reader.offer(row[0], terms_of, priced, row[3] or day, row[4] or "")


def table_behind(
    connection: Connection, found: AnyRow, known_at: int | None, reader: Reader
) -> list[Offer]:
    """The offers of the run that answers for a moment (`runs.behind`), in the order of skus."""
    last_run = last_known_run(connection, found.adapter, known_at)
    rows = standing_rows(connection, found.adapter, at=found.valid_from, last_run=last_run)
    offers = [offer_of_row(row, found.day, reader) for row in rows]
    offers.sort(key=lambda offer: offer.sku)
    return offers
