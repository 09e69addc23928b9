"""Runs of the adapters: what is known of each, and which one answers for a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select

from providers.store.blobs import PackedSnapshot, next_id, put_snapshots
from providers.store.records import (
    FAILED,
    IMPORTED,
    QUARANTINED,
    VISIBLE,
    AdapterStatus,
    Run,
    from_micros,
)
from providers.store.rows import storable
from providers.store.schema import AnyRow, blob, run, run_snapshot


def next_run(connection: Connection, adapter: str, now: int) -> tuple[int, int]:
    """Id of the next run, and when it becomes known: never before the adapter's last one, so
    that a clock that was set back changes no order."""
    latest = connection.execute(
        select(func.max(run.c.known_at)).where(run.c.adapter == adapter)
    ).scalar()
    return next_id(connection, run.c.id), now if latest is None else max(now, latest)


def add_run(
    connection: Connection, values: dict[str, Any], snapshots: Sequence[PackedSnapshot]
) -> None:
    nothing = dict.fromkeys(("n_offers", "n_rejected", "added", "changed", "vanished"), 0)
    words = storable(values.get("note", ""))
    connection.execute(insert(run).values({**nothing, **values, "note": words}))
    put_snapshots(connection, values["id"], snapshots)


def adapters(connection: Connection) -> list[str]:
    names = connection.execute(select(run.c.adapter).distinct()).scalars()
    return sorted(names)


def behind(
    connection: Connection, adapter: str, *, as_of: int, known_at: int | None
) -> AnyRow | None:
    """The run whose table was the adapter's at a moment, as far as known at another."""
    wanted = select(run).where(
        run.c.adapter == adapter, run.c.valid_from <= as_of, run.c.status.in_(VISIBLE)
    )
    if known_at is not None:
        wanted = wanted.where(run.c.known_at <= known_at)
    latest = wanted.order_by(run.c.valid_from.desc(), run.c.id.desc()).limit(1)
    return connection.execute(latest).one_or_none()


def newest(connection: Connection, adapter: str) -> AnyRow | None:
    return behind(connection, adapter, as_of=2**63 - 1, known_at=None)


def records(connection: Connection, rows: Iterable[AnyRow]) -> list[Run]:
    """Rows of `run` with the hashes of their snapshots."""
    found = list(rows)
    hashes: dict[int, list[str]] = {row.id: [] for row in found}
    statement = (
        select(run_snapshot.c.run_id, blob.c.sha256)
        .join_from(run_snapshot, blob)
        .where(run_snapshot.c.run_id.in_(hashes))
        .order_by(run_snapshot.c.run_id, run_snapshot.c.position)
    )
    for run_id, sha256 in connection.execute(statement):
        hashes[run_id].append(sha256)
    return [
        Run(
            id=row.id,
            adapter=row.adapter,
            status=row.status,
            started_at=from_micros(row.started_at),
            observed_at=None if row.valid_from is None else from_micros(row.valid_from),
            known_at=from_micros(row.known_at),
            n_offers=row.n_offers,
            n_rejected=row.n_rejected,
            added=row.added,
            changed=row.changed,
            vanished=row.vanished,
            note=row.note,
            snapshot_ids=tuple(hashes[row.id]),
        )
        for row in found
    ]


def pending(connection: Connection, names: Collection[str]) -> list[AnyRow]:
    """The quarantined tables that wait: not released, and newer than what is published."""
    waiting: list[AnyRow] = []
    for name in names:
        last = newest(connection, name)
        released = select(run.c.releases).where(run.c.releases.is_not(None))
        held = select(run).where(
            run.c.adapter == name, run.c.status == QUARANTINED, run.c.id.not_in(released)
        )
        if last is not None:
            held = held.where(run.c.valid_from > last.valid_from)
        waiting += connection.execute(held.order_by(run.c.valid_from.desc(), run.c.id.desc()))
    return waiting


def status(connection: Connection, adapter: str) -> AdapterStatus:
    attempts = (
        select(run)
        .where(run.c.adapter == adapter, run.c.status != IMPORTED)
        .order_by(run.c.id.desc())
    )
    attempt = connection.execute(attempts.limit(1)).one_or_none()
    good = select(func.max(run.c.id)).where(
        run.c.adapter == adapter, run.c.status.not_in((FAILED, IMPORTED))
    )
    failures = select(func.count()).where(
        run.c.adapter == adapter,
        run.c.status == FAILED,
        run.c.id > func.coalesce(good.scalar_subquery(), 0),
    )
    held = pending(connection, [adapter])
    named = {"published": newest(connection, adapter), "attempt": attempt}
    named["held"] = held[0] if held else None
    there = {name: row for name, row in named.items() if row is not None}
    made = dict(zip(there, records(connection, there.values()), strict=True))
    last = made.get("attempt")
    return AdapterStatus(
        adapter=adapter,
        last_published=made.get("published"),
        last_attempt=last,
        consecutive_failures=connection.execute(failures).scalar_one(),
        last_error=last.note if last is not None and last.status == FAILED else "",
        quarantined=made.get("held"),
    )
