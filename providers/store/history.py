"""Every version of every offer: how prices moved, and when that was learnt."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, func, select

from providers.store.records import PriceChange, from_micros
from providers.store.rows import PRICED, TERMS, Reader
from providers.store.schema import note, run, sku, terms, version

_PRICED_AT = 8
_TERMS_AT = _PRICED_AT + len(PRICED)


def changes(
    connection: Connection,
    *,
    gpu: Collection[str],
    adapter: str | None,
    wanted: str | None,
    since: int | None,
    until: int | None,
) -> list[PriceChange]:
    """By adapter, sku, moment; of each offer from the version that held at `since`."""
    columns = (
        sku.c.adapter, sku.c.sku, version.c.valid_from, run.c.known_at, version.c.run_id,
        version.c.present, version.c.observed_on, note.c.text,
        *(version.c[name] for name in PRICED), *(terms.c[name] for name in TERMS),
    )  # fmt: skip
    joined = sku.join(version, version.c.sku_id == sku.c.id)
    joined = joined.join(terms, terms.c.id == version.c.terms_id)
    joined = joined.join(run, run.c.id == version.c.run_id)
    joined = joined.outerjoin(note, note.c.id == version.c.note_id)
    order = (sku.c.adapter, sku.c.sku, version.c.valid_from, version.c.run_id)
    statement = select(*columns).select_from(joined).order_by(*order)
    if gpu:
        names = sorted(gpu)
        of_gpu = select(terms.c.sku_id).where(terms.c.gpu.in_(names))
        statement = statement.where(sku.c.id.in_(of_gpu), terms.c.gpu.in_(names))
    if adapter is not None:
        statement = statement.where(sku.c.adapter == adapter)
    if wanted is not None:
        statement = statement.where(sku.c.sku == wanted)
    if since is not None:
        earlier = version.alias("earlier")
        held: Any = (
            select(func.max(earlier.c.valid_from))
            .where(earlier.c.sku_id == sku.c.id, earlier.c.valid_from <= since)
            .scalar_subquery()
        )
        statement = statement.where(version.c.valid_from >= func.coalesce(held, since))
    if until is not None:
        statement = statement.where(version.c.valid_from < until)
    reader, found = Reader(), []
    for row in connection.execute(statement):
        name, sku_name, valid_from, known_at, run_id, present, observed_on, text = row[:_PRICED_AT]
        moment = from_micros(valid_from)
        priced, terms_of = row[_PRICED_AT:_TERMS_AT], row[_TERMS_AT:]
        day = observed_on or str(moment.date())
        offer = reader.offer(sku_name, terms_of, priced, day, text or "")
        known = from_micros(known_at)
        found.append(PriceChange(name, offer, moment, known, run_id, not present))
    return found
