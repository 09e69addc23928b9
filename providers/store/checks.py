"""Whether the store is sound: what a half-written or damaged one could not pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from sqlalchemy import Connection, case, func, or_, select, text

from providers.store import runs
from providers.store.asof import table_behind
from providers.store.blobs import unpacked
from providers.store.records import VISIBLE
from providers.store.rows import Reader
from providers.store.schema import FOREVER, blob, fx_rate, run, sku, terms, version


def check(connection: Connection) -> list[str]:
    """What is wrong, one sentence each; empty: sound."""
    parts = (_database, _versions, _moments, _bounds, _counts, _tables, _order, _rates, _bodies)
    return [fault for part in parts for fault in part(connection)]


def _database(connection: Connection) -> Iterator[str]:
    """What SQLite says of itself. PostgreSQL never lets go of a reference."""
    if connection.dialect.name != "sqlite":
        return
    for (said,) in connection.execute(text("PRAGMA integrity_check")):
        if said != "ok":
            yield f"SQLite: {said}"
    for table, row, other, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield f"row {row} of {table} names a row of {other} that is not there"


def _versions(connection: Connection) -> Iterator[str]:
    """Each belongs to a published run of its adapter, and has terms of its own sku."""
    joined = version.join(run, run.c.id == version.c.run_id)
    joined = joined.join(sku, sku.c.id == version.c.sku_id)
    joined = joined.join(terms, terms.c.id == version.c.terms_id)
    wrong = or_(
        run.c.status.not_in(VISIBLE),
        run.c.adapter != sku.c.adapter,
        terms.c.sku_id != version.c.sku_id,
    )
    found = select(sku.c.adapter, sku.c.sku, version.c.run_id).select_from(joined).where(wrong)
    for adapter, name, run_id in connection.execute(found):
        yield f"{adapter}: a version of '{name}' does not belong to run {run_id}"


def _moments(connection: Connection) -> Iterator[str]:
    """A version begins when a table of its adapter does."""
    tables = select(run.c.adapter, run.c.valid_from).where(run.c.status.in_(VISIBLE))
    begin = select(sku.c.adapter, version.c.valid_from).distinct()
    begin = begin.join_from(sku, version, version.c.sku_id == sku.c.id)
    known = {tuple(row) for row in connection.execute(tables)}
    for adapter, moment in connection.execute(begin):
        if (adapter, moment) not in known:
            yield f"{adapter}: versions begin at {moment} µs, and no table does"


def _bounds(connection: Connection) -> Iterator[str]:
    """The bounds in `sku` say what its versions say."""
    own = version.c.sku_id == sku.c.id
    first = select(func.min(version.c.valid_from)).where(own).scalar_subquery()
    end = case((version.c.present == 1, FOREVER), else_=version.c.valid_from)
    newest = (version.c.valid_from.desc(), version.c.run_id.desc())
    last = select(end).where(own).order_by(*newest).limit(1).scalar_subquery()
    wrong = or_(
        sku.c.seen_from != func.coalesce(first, -1), sku.c.seen_to != func.coalesce(last, -1)
    )
    for adapter, name in connection.execute(select(sku.c.adapter, sku.c.sku).where(wrong)):
        yield f"{adapter}: '{name}' is not listed from and to when its versions say"


def _counts(connection: Connection) -> Iterator[str]:
    """A run has as many versions as it says it changed."""
    counted = (
        select(version.c.run_id, version.c.present, func.count())
        .join_from(version, run, run.c.id == version.c.run_id)
        .where(version.c.valid_from == run.c.valid_from)
        .group_by(version.c.run_id, version.c.present)
    )
    found = {(row[0], row[1]): row[2] for row in connection.execute(counted)}
    said = select(run.c.id, run.c.adapter, run.c.added + run.c.changed, run.c.vanished)
    for run_id, adapter, listed, gone in connection.execute(said.order_by(run.c.id)):
        has_listed, has_gone = found.get((run_id, 1), 0), found.get((run_id, 0), 0)
        if (listed, gone) != (has_listed, has_gone):
            yield (
                f"{adapter}: run {run_id} has {has_listed} changes and {has_gone} ends "
                f"of {listed} and {gone}"
            )


def _tables(connection: Connection) -> Iterator[str]:
    """The newest table of each adapter is whole, and all of it can be read."""
    for adapter in runs.adapters(connection):
        newest = runs.newest(connection, adapter)
        if newest is None:
            continue
        try:
            has = len(table_behind(connection, newest, None, Reader()))
        except (ValueError, InvalidOperation) as error:
            yield f"{adapter}: an offer of run {newest.id} cannot be read: {error}"
            continue
        if has != newest.n_offers:
            yield f"{adapter}: run {newest.id} has {has} of {newest.n_offers} offers"


def _order(connection: Connection) -> Iterator[str]:
    """What came later is known later."""
    before: dict[str, int] = {}
    listed = select(run.c.id, run.c.adapter, run.c.known_at).order_by(run.c.id)
    for run_id, adapter, known_at in connection.execute(listed):
        if known_at < before.get(adapter, known_at):
            yield f"{adapter}: run {run_id} is known before the one before it"
        before[adapter] = known_at


def _rates(connection: Connection) -> Iterator[str]:
    for day, currency, value in connection.execute(
        select(fx_rate.c.day, fx_rate.c.currency, fx_rate.c.per_eur)
    ):
        try:
            good = Decimal(value) > 0
        except InvalidOperation:
            good = False
        if not good:
            yield f"the rate of {currency} on {day} is '{value}'"


def _bodies(connection: Connection) -> Iterator[str]:
    """Every body that is kept is what its hash says."""
    kept = select(blob.c.id, blob.c.sha256).where(blob.c.body.is_not(None))
    for number, digest in connection.execute(kept).fetchall():
        body = connection.execute(select(blob.c.body).where(blob.c.id == number)).scalar_one()
        content = unpacked(body)
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            yield f"snapshot {digest[:12]}… is damaged: it is not what was stored"
