"""Offers and tables for the tests of the price store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from providers.adapter import ProviderTable, Snapshot
from providers.money import Money
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier

START = datetime(2026, 3, 1, 3, 17, tzinfo=UTC)

SAMPLE = Offer(
    provider="northgpu",
    sku="a",
    instance_type="n1.8xlarge",
    region="eu-1",
    tier=Tier.SPECIALIST,
    gpu="H100-SXM-80GB",
    gpu_count=8,
    interconnect="nvlink",
    vcpu=Decimal(192),
    ram_gb=Decimal("1536.5"),
    purchase_model=PurchaseModel.ON_DEMAND,
    increment=Increment.HOUR,
    tenor=Tenor(),
    price=Money(Decimal("19.90"), "USD"),
    upfront=Money(Decimal(0), "USD"),
    tax_included=False,
    min_units=1,
    max_units=None,
    max_gpus_per_host=8,
    observed_at=START.date(),
    valid_until=None,
    confidence="A",
    source="https://north.example/prices",
)


def day(number: float) -> datetime:
    """The moment of the visit so many days after the first."""
    return START + timedelta(days=number)


def offer(sku: str = "a", price: str = "19.90", *, seen: date | None = None, **other: Any) -> Offer:
    money = Money(Decimal(price), other.pop("currency", "USD"))
    other.setdefault("upfront", Money(Decimal(0), money.currency))
    return replace(SAMPLE, sku=sku, price=money, observed_at=seen or START.date(), **other)


def table(
    at: datetime,
    offers: Mapping[str, str] | Iterable[Offer],
    *,
    adapter: str = "north",
    body: bytes = b"",
    rejected: tuple[Rejected, ...] = (),
) -> ProviderTable:
    """What a visit found; from prices by sku it makes offers seen on that day."""
    if isinstance(offers, Mapping):
        offers = [offer(sku, price, seen=at.date()) for sku, price in offers.items()]
    snapshot = Snapshot("https://north.example/prices", at, body or f"answer of {at}".encode())
    return ProviderTable(adapter, at, (snapshot,), tuple(offers), rejected)


def prices(offers: Iterable[Offer]) -> dict[str, str]:
    return {offer.sku: str(offer.price.amount) for offer in offers}
