"""What the store keeps besides prices: exchange rates, and what watched schedules came to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, insert, select

from providers.fx import FxTable, Rate
from providers.store.blobs import next_id
from providers.store.records import Decision, from_micros, to_micros
from providers.store.schema import decision, fx_rate

PIVOT = "EUR"


def add_rates(connection: Connection, rates: Sequence[Rate], now: int) -> int:
    """Add the rates that are new or differ from what is known of their day; returns how many."""
    wanted: dict[tuple[str, str], Rate] = {}
    for rate in rates:
        if rate.base != PIVOT or rate.value <= 0:
            raise ValueError(f"{rate} is not a price of one {PIVOT}")
        wanted[str(rate.day), rate.quote] = rate
    known = {
        (row.day, row.currency): row
        for row in connection.execute(select(fx_rate).order_by(fx_rate.c.known_at))
    }
    rows = []
    for (day, currency), rate in wanted.items():
        before = known.get((day, currency))
        if before is not None and Decimal(before.per_eur) == rate.value:
            continue
        rows.append(
            {
                "day": day,
                "currency": currency,
                # Later than what it corrects, whatever the clock says.
                "known_at": now if before is None else max(now, before.known_at + 1),
                "per_eur": str(rate.value),
                "source": rate.source,
            }
        )
    if rows:
        connection.execute(insert(fx_rate), rows)
    return len(rows)


def fx_table(connection: Connection, known_at: int | None) -> FxTable | None:
    wanted = select(fx_rate).order_by(fx_rate.c.day, fx_rate.c.currency, fx_rate.c.known_at)
    if known_at is not None:
        wanted = wanted.where(fx_rate.c.known_at <= known_at)
    table: dict[date, dict[str, Decimal]] = {}
    sources: dict[tuple[str, str], str] = {}
    for row in connection.execute(wanted):
        table.setdefault(date.fromisoformat(row.day), {})[row.currency] = Decimal(row.per_eur)
        sources[row.day, row.currency] = row.source
    if not table:
        return None
    return FxTable(PIVOT, table, "; ".join(dict.fromkeys(sources.values())))


def record_decision(connection: Connection, made: Decision) -> int:
    number = next_id(connection, decision.c.id)
    connection.execute(
        insert(decision).values(
            id=number,
            schedule=made.schedule,
            schedule_sha256=made.schedule_sha256,
            made_at=to_micros(made.made_at),
            as_of=to_micros(made.as_of),
            run_ids=json.dumps(made.run_ids),
            currency=made.currency,
            total=str(made.total),
            summary=made.summary,
        )
    )
    return number


def decisions(connection: Connection, schedule: str) -> list[Decision]:
    """Oldest first."""
    wanted = select(decision).where(decision.c.schedule == schedule).order_by(decision.c.id)
    return [
        Decision(
            schedule=row.schedule,
            schedule_sha256=row.schedule_sha256,
            made_at=from_micros(row.made_at),
            as_of=from_micros(row.as_of),
            run_ids=tuple(json.loads(row.run_ids)),
            currency=row.currency,
            total=Decimal(row.total),
            summary=row.summary,
        )
        for row in connection.execute(wanted)
    ]
