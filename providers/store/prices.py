"""The price store's door: each method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, select

from providers.adapter import ProviderTable, Snapshot
from providers.fx import FxTable, Rate
from providers.offers import Offer, Rejected
from providers.store import checks, files, history, quarantine, retention, runs, sidelines
from providers.store.asof import table_behind
from providers.store.blobs import get, get_document, pack_rejected, pack_snapshots
from providers.store.database import Database
from providers.store.publish import Table, check_offers, publish
from providers.store.records import (
    FAILED,
    IMPORTED,
    PUBLISHED,
    AdapterStatus,
    Decision,
    PriceChange,
    Published,
    QuarantinedRun,
    Run,
    StoreError,
    from_micros,
    to_micros,
)
from providers.store.rows import Reader
from providers.store.schema import AnyRow, run, run_snapshot


class PriceStore:
    """Every price the adapters ever found. Open it with `open_store`; use it with ``with``.

    Moments are aware datetimes. A method raises `StoreError` where the database cannot do it.
    """

    def __init__(self, place: Database) -> None:
        self._place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def alone(self) -> AbstractContextManager[None]:
        """Keeps refreshes of other machines out for the time of the block.

        Raises:
            StoreBusyError: one of them is at work.
        """
        return self._place.alone()

    def close(self) -> None:
        self._place.close()

    @property
    def where(self) -> str:
        """The file or URL, for messages; without a password."""
        return self._place.where

    def publish(
        self,
        table: ProviderTable,
        *,
        started_at: datetime,
        now: datetime | None = None,
        held_back: Sequence[Rejected] = (),
        note: str = "",
    ) -> Published:
        """Add a table: valid from its `observed_at`, known from `now`.

        Args:
            held_back: offers of the visit that are not in the table, kept with the rejected rows.

        Raises:
            StoreError: the table has an sku twice.
        """
        ready = self._ready(table, started_at, now, [*table.rejected, *held_back], note)
        with self._place.writing() as connection:
            return publish(connection, ready)

    def import_offers(
        self,
        adapter: str,
        offers: Sequence[Offer],
        *,
        valid_from: datetime,
        now: datetime | None = None,
        note: str,
    ) -> Published:
        """Add an older table of an adapter, whole: valid long ago, known now.

        It holds until the adapter's next table, which it does not change.
        """
        check_offers(adapter, offers)
        known = _micros_now(now)
        table = Table(
            adapter=adapter,
            status=IMPORTED,
            started_at=known,
            valid_from=to_micros(valid_from),
            now=known,
            day=valid_from.date(),
            asked=False,
            offers=offers,
            note=note,
        )
        with self._place.writing() as connection:
            return publish(connection, table)

    def quarantine(
        self,
        table: ProviderTable,
        findings: Sequence[str],
        *,
        started_at: datetime,
        now: datetime | None = None,
    ) -> int:
        """Keep a table without publishing it; returns the id of its run."""
        ready = self._ready(table, started_at, now, table.rejected, "; ".join(findings))
        held = quarantine.pack_held(table.offers, findings)
        with self._place.writing() as connection:
            return quarantine.hold(connection, ready, held)

    def quarantined(self) -> list[QuarantinedRun]:
        """The tables that wait for a release, newest first for each adapter: those that are newer
        than what their adapter has published."""
        with self._place.reading() as connection:
            return quarantine.waiting(connection)

    def held_offers(self, run_id: int) -> list[Offer]:
        """The offers of a quarantined run, as they were kept.

        Raises:
            StoreError: the run was not quarantined.
        """
        with self._place.reading() as connection:
            return quarantine.held_offers(connection, _run(connection, run_id))

    def release(self, adapter: str, *, now: datetime | None = None) -> Published:
        """Publish the newest quarantined table of an adapter exactly as it was kept.

        Raises:
            StoreError: none waits.
        """
        known = _micros_now(now)
        with self._place.writing() as connection:
            return quarantine.release(connection, adapter, known)

    def record_failure(
        self, adapter: str, error: str, *, started_at: datetime, now: datetime | None = None
    ) -> int:
        """Note a visit that brought nothing; the adapter's last table stays. Returns the run."""
        known, started = _micros_now(now), to_micros(started_at)
        with self._place.writing() as connection:
            run_id, known_at = runs.next_run(connection, adapter, known)
            values = {
                "id": run_id,
                "adapter": adapter,
                "status": FAILED,
                "started_at": started,
                "known_at": known_at,
                "note": error,
            }
            runs.add_run(connection, values, ())
            return run_id

    def offers(
        self,
        *,
        as_of: datetime,
        known_at: datetime | None = None,
        adapters: Collection[str] | None = None,
    ) -> dict[str, list[Offer]]:
        """By adapter, what was listed at a moment, in the order of skus.

        An offer's `observed_at` is the day of the last visit that still had it, however long its
        price has not changed; unless its source says an older day by itself.

        Args:
            as_of: when the prices held.
            known_at: as the store knew it then; all it knows when left out.
            adapters: all when left out. One without a table at that moment is not in the answer.
        """
        reader = Reader()
        known = None if known_at is None else to_micros(known_at)
        with self._place.reading() as connection:
            return {
                found.adapter: table_behind(connection, found, known, reader)
                for found in _behind(connection, to_micros(as_of), known, adapters)
            }

    def runs_behind(self, *, as_of: datetime, known_at: datetime | None = None) -> list[Run]:
        """The runs whose tables `offers` gives."""
        known = None if known_at is None else to_micros(known_at)
        with self._place.reading() as connection:
            rows = _behind(connection, to_micros(as_of), known, None)
            return runs.records(connection, rows)

    def runs(self, adapter: str | None = None, limit: int = 50) -> list[Run]:
        """Newest first."""
        wanted = select(run).order_by(run.c.id.desc()).limit(limit)
        if adapter is not None:
            wanted = wanted.where(run.c.adapter == adapter)
        with self._place.reading() as connection:
            return runs.records(connection, connection.execute(wanted))

    def status(self) -> list[AdapterStatus]:
        """How every adapter that was ever asked or imported fares."""
        with self._place.reading() as connection:
            return [runs.status(connection, name) for name in runs.adapters(connection)]

    def history(
        self,
        *,
        gpu: Collection[str] = (),
        adapter: str | None = None,
        sku: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[PriceChange]:
        """Every version of the offers asked for, by adapter, sku and moment.

        Args:
            gpu: ids of accelerators; all when empty.
            since: from the version that held then; an offer that did not change since is there.
            until: those that begin before.
        """
        with self._place.reading() as connection:
            return history.changes(
                connection,
                gpu=gpu,
                adapter=adapter,
                wanted=sku,
                since=None if since is None else to_micros(since),
                until=None if until is None else to_micros(until),
            )

    def rejected(self, run_id: int) -> list[Rejected]:
        """The rows of a run that became no offer, or were held back, in their order."""
        with self._place.reading() as connection:
            found = _run(connection, run_id).rejected_id
            rows = [] if found is None else get_document(connection, found)
            return [Rejected(*row) for row in rows]

    def snapshots(self, run_id: int) -> Iterator[Snapshot]:
        """The answers of a run, byte for byte, one at a time.

        Raises:
            StoreError: there is no such run; or an answer was pruned, or is damaged.
        """
        wanted = select(run_snapshot).where(run_snapshot.c.run_id == run_id)
        with self._place.reading() as connection:
            _run(connection, run_id)
            rows = connection.execute(wanted.order_by(run_snapshot.c.position)).fetchall()
        for row in rows:
            with self._place.reading() as connection:
                body = get(connection, row.blob_id)
            yield Snapshot(row.address, from_micros(row.observed_at), body)

    def prune_snapshots(self, keep_days: int, *, now: datetime | None = None) -> int:
        """Let go of the bodies of answers older than so many days; returns how many.

        Hashes stay, and so do the answers behind each adapter's newest table.
        """
        before = (now or datetime.now(UTC)) - timedelta(keep_days)
        with self._place.writing() as connection:
            return retention.prune_snapshots(connection, to_micros(before))

    def add_rates(self, rates: Sequence[Rate], *, now: datetime | None = None) -> int:
        """Add exchange rates of one EUR, where they are new or changed; returns how many."""
        known = _micros_now(now)
        with self._place.writing() as connection:
            return sidelines.add_rates(connection, rates, known)

    def fx_table(self, *, known_at: datetime | None = None) -> FxTable | None:
        """All rates, as known then or now; None where there is none."""
        known = None if known_at is None else to_micros(known_at)
        with self._place.reading() as connection:
            return sidelines.fx_table(connection, known)

    def record_decision(self, decision: Decision) -> int:
        """Returns its number."""
        with self._place.writing() as connection:
            return sidelines.record_decision(connection, decision)

    def decisions(self, schedule: str) -> list[Decision]:
        """What a schedule came to, oldest first."""
        with self._place.reading() as connection:
            return sidelines.decisions(connection, schedule)

    def check(self) -> list[str]:
        """What is wrong with the store, one sentence each; empty: sound. Reads all of it."""
        with self._place.reading() as connection:
            return checks.check(connection)

    def backup(self, path: Path) -> None:
        """Write a copy that needs nothing beside it, while readers and a writer go on.

        Raises:
            StoreError: the store is on PostgreSQL, or the file cannot be written.
        """
        files.copy_sqlite(self._place, path)

    def vacuum(self) -> None:
        """Give the room of what was pruned back to the disk."""
        files.vacuum(self._place)

    def size_bytes(self) -> int:
        return files.size_bytes(self._place)

    def _ready(
        self,
        table: ProviderTable,
        started_at: datetime,
        now: datetime | None,
        rejected: Sequence[Rejected],
        note: str,
    ) -> Table:
        """Everything that takes time, before the transaction."""
        check_offers(table.adapter, table.offers)
        return Table(
            adapter=table.adapter,
            status=PUBLISHED,
            started_at=to_micros(started_at),
            valid_from=to_micros(table.observed_at),
            now=_micros_now(now),
            day=table.observed_at.date(),
            asked=True,
            offers=table.offers,
            snapshots=pack_snapshots(table.snapshots),
            rejected=pack_rejected(rejected),
            n_rejected=len(rejected),
            note=note,
        )


def _micros_now(now: datetime | None) -> int:
    return to_micros(now or datetime.now(UTC))


def _run(connection: Connection, run_id: int) -> AnyRow:
    found = connection.execute(select(run).where(run.c.id == run_id)).one_or_none()
    if found is None:
        raise StoreError(f"there is no run {run_id}")
    return found


def _behind(
    connection: Connection, as_of: int, known_at: int | None, adapters: Collection[str] | None
) -> list[AnyRow]:
    names = runs.adapters(connection) if adapters is None else sorted(set(adapters))
    found = (runs.behind(connection, name, as_of=as_of, known_at=known_at) for name in names)
    return [row for row in found if row is not None]
