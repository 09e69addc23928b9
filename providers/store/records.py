"""What the store hands out: runs, changes of price, decisions, and its errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from providers.errors import RentoptError
from providers.money import Money
from providers.offers import Offer

PUBLISHED, RELEASED, IMPORTED = "published", "released", "imported"
QUARANTINED, FAILED = "quarantined", "failed"
VISIBLE = (PUBLISHED, RELEASED, IMPORTED)
"""Runs whose table `offers()` may answer with."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class StoreError(RentoptError):
    """The price store cannot do what is asked of it; the sentence says why."""

    exit_code = 4


class StoreMissingError(StoreError):
    """There is no price store yet where one was looked for."""


class StoreBusyError(StoreError):
    """A refresh from another machine is at work on the same store."""

    exit_code = 6


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing a table changed, in offers."""

    run_id: int
    added: int
    changed: int
    vanished: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Run:
    """One visit of an adapter, or one import, and what became of it."""

    id: int
    adapter: str
    status: str
    """published, quarantined, released (a quarantined table, published later), imported, failed."""
    started_at: datetime
    observed_at: datetime | None
    """From when on its prices hold; None where the source gave none."""
    known_at: datetime
    """When the store learnt of it."""
    n_offers: int
    n_rejected: int
    added: int
    changed: int
    vanished: int
    note: str
    """The publisher's words; the findings of a quarantine; the error of a failure."""
    snapshot_ids: tuple[str, ...]
    """SHA-256 of each answer, in hexadecimal, in the order they came."""


@dataclass(frozen=True, slots=True)
class QuarantinedRun:
    """A table that was kept back, and why."""

    run: Run
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdapterStatus:
    """How an adapter fares."""

    adapter: str
    last_published: Run | None
    """The run with the newest prices among those published, released or imported."""
    last_attempt: Run | None
    """The latest visit, whatever came of it; imports are none."""
    consecutive_failures: int
    """Visits that failed since one brought a table, published or not."""
    last_error: str
    """Of the latest visit if it failed, else empty."""
    quarantined: Run | None
    """The table that waits for a release, if one does."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """An offer from one moment on: as it was first listed, changed, or when it vanished."""

    adapter: str
    offer: Offer
    """With the terms and price from `valid_from` on; of one that vanished, the last ones."""
    valid_from: datetime
    known_at: datetime
    run_id: int
    vanished: bool

    @property
    def sku(self) -> str:
        return self.offer.sku

    @property
    def price(self) -> Money:
        return self.offer.price

    @property
    def upfront(self) -> Money:
        return self.offer.upfront

    @property
    def currency(self) -> str:
        return self.offer.price.currency


@dataclass(frozen=True, slots=True)
class Decision:
    """What one schedule's plan came to on the prices of one moment."""

    schedule: str
    schedule_sha256: str
    made_at: datetime
    as_of: datetime
    run_ids: tuple[int, ...]
    currency: str
    total: Decimal
    summary: str
    """JSON: what the next decision is compared with."""


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC: exact, and ordered like the moments.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} needs a time zone")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
