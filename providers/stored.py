"""Prices from the price store, as of a day: what the last refreshes found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

from providers.errors import needing
from providers.fx import FxTable
from providers.offers import Offer, PriceSource
from providers.terms import PurchaseModel


@dataclass(frozen=True, slots=True)
class StoredPrices:
    """The tables of every refreshed source, each as it was last published."""

    tables: Mapping[str, Sequence[Offer]] = field(default_factory=dict)
    """Source → offers."""
    sources: tuple[PriceSource, ...] = ()
    fx: FxTable | None = None
    known_at: datetime | None = None
    """When the store learnt the newest of it: asked for with this moment, it gives the same."""


def stored_prices(
    store_url: str, as_of: date, known_at: datetime | None = None
) -> StoredPrices | None:
    """What the store holds for a day; None where there is no store.

    Args:
        as_of: prices in force at the end of this day (UTC).
        known_at: with what the store knew at this moment; all it knows now when left out.

    Raises:
        StoreError: the store is damaged, or of a newer version.
        RentoptError: what reads the store is not installed.
    """
    if "://" not in store_url and not Path(store_url).is_file():
        return None
    with needing("live"):
        from providers.store import open_store

    moment = datetime.combine(as_of, time.max, UTC)
    # One moment of knowledge for all that follows: a refresh may publish in between.
    known_at = known_at or datetime.now(UTC)
    with open_store(store_url, create=False, read_only=True) as store:
        runs = store.runs_behind(as_of=moment, known_at=known_at)
        fx = store.fx_table(known_at=known_at)
        if not runs and fx is None:
            return None
        return StoredPrices(
            store.offers(as_of=moment, known_at=known_at),
            tuple(
                PriceSource(
                    run.adapter,
                    run_id=run.id,
                    observed_at=run.observed_at,
                    snapshots=tuple(run.snapshot_ids),
                )
                for run in sorted(runs, key=lambda run: run.adapter)
            ),
            fx,
            max((run.known_at for run in runs), default=None),
        )


def price_changes(store_url: str, sku: str, until: date) -> list[tuple[date, Offer]]:
    """Every price of an offer that the store has seen by the end of a day, oldest first; none
    where there is no store.

    Raises:
        StoreError: the store is damaged, or of a newer version.
    """
    if "://" not in store_url and not Path(store_url).is_file():
        return []
    with needing("live"):
        from providers.store import open_store

    moment = datetime.combine(until, time.max, UTC)
    with open_store(store_url, create=False, read_only=True) as store:
        changes = store.history(sku=sku, until=moment)
    changes.sort(key=lambda change: change.valid_from)
    return [(change.valid_from.date(), change.offer) for change in changes if not change.vanished]


def rent_changes(
    store_url: str, until: date, known_at: datetime
) -> list[tuple[date, str, Offer | None]]:
    """Every change of the prices on demand that the store knew of, oldest first.

    Args:
        until: changes by the end of this day (UTC).
        known_at: with what the store knew at this moment.

    Returns:
        (day, source and offer, the offer at its new price; None where it vanished).

    Raises:
        StoreError: the store is damaged, or of a newer version.
    """
    with needing("live"):
        from providers.store import open_store

    moment = datetime.combine(until, time.max, UTC)
    with open_store(store_url, create=False, read_only=True) as store:
        changes = store.history(until=moment)
    changes.sort(key=lambda change: change.valid_from)
    return [
        (
            change.valid_from.date(),
            f"{change.adapter}/{change.sku}",
            None if change.vanished else change.offer,
        )
        for change in changes
        if change.offer.purchase_model is PurchaseModel.ON_DEMAND and change.known_at <= known_at
    ]
