"""Tables kept back: whole, unseen by plans, until somebody lets them through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, insert, literal, select, update

from providers.offers import Offer
from providers.store import runs
from providers.store.blobs import Packed, get_document, pack_document, put
from providers.store.publish import Table, publish
from providers.store.records import QUARANTINED, RELEASED, Published, QuarantinedRun, StoreError
from providers.store.rows import Reader, offer_document, offer_of
from providers.store.schema import AnyRow, run, run_snapshot


def pack_held(offers: Sequence[Offer], findings: Sequence[str]) -> Packed:
    rows = [offer_document(offer) for offer in offers]
    return pack_document({"findings": list(findings), "offers": rows})


def hold(connection: Connection, table: Table, held: Packed) -> int:
    """Add the run of a table that is not published; returns its id."""
    run_id, known_at = runs.next_run(connection, table.adapter, table.now)
    values = {
        "id": run_id,
        "adapter": table.adapter,
        "status": QUARANTINED,
        "started_at": table.started_at,
        "valid_from": table.valid_from,
        "day": str(table.day),
        "known_at": known_at,
        "n_offers": len(table.offers),
        "n_rejected": table.n_rejected,
        "note": table.note,
        "rejected_id": put(connection, table.rejected) if table.rejected else None,
        "held_id": put(connection, held),
    }
    runs.add_run(connection, values, table.snapshots)
    return run_id


def waiting(connection: Connection) -> list[QuarantinedRun]:
    rows = runs.pending(connection, runs.adapters(connection))
    return [
        QuarantinedRun(made, tuple(get_document(connection, row.held_id)["findings"]))
        for row, made in zip(rows, runs.records(connection, rows), strict=True)
    ]


def held_offers(connection: Connection, held: AnyRow) -> list[Offer]:
    """Raises:
    StoreError: the run was not quarantined.
    """
    if held.held_id is None:
        raise StoreError(f"run {held.id} of {held.adapter} was not quarantined")
    reader = Reader()
    rows = get_document(connection, held.held_id)["offers"]
    return [offer_of(row, reader) for row in rows]


def release(connection: Connection, adapter: str, now: int) -> Published:
    """Publish the newest table that waits, with the answers and rejected rows it came with.

    Raises:
        StoreError: none waits.
    """
    candidates = runs.pending(connection, [adapter])
    if not candidates:
        raise StoreError(f"no quarantined table of {adapter} waits for a release")
    held = candidates[0]
    table = Table(
        adapter=adapter,
        status=RELEASED,
        started_at=held.started_at,
        valid_from=held.valid_from,
        now=now,
        day=date.fromisoformat(held.day),
        asked=True,
        offers=held_offers(connection, held),
        n_rejected=held.n_rejected,
        note=f"run {held.id}, held back because: {held.note}",
        releases=held.id,
    )
    done = publish(connection, table)
    same = update(run).where(run.c.id == done.run_id)
    connection.execute(same.values(rejected_id=held.rejected_id))
    c = run_snapshot.c
    columns = [c.run_id, c.position, c.address, c.observed_at, c.blob_id]
    answers = select(literal(done.run_id), *columns[1:]).where(c.run_id == held.id)
    connection.execute(insert(run_snapshot).from_select(columns, answers))
    return done
