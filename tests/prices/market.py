"""A market of eighty days in a store: a rise, an outage, a spot offer that begins late."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "providers"))

from test_checks import offer

from providers.adapter import ProviderTable, Snapshot
from providers.store import open_store
from providers.terms import PurchaseModel

FIRST = datetime(2026, 9, 1, 3, 17, tzinfo=UTC)
DAYS = 80
RISE_AFTER, SPOT_AFTER, OUTAGE = 30, 40, 60
ONE, EIGHT, SPOT = (f"acme/{name}" for name in ("h100/any/on_demand", "h100-8/any/on_demand",
                                                "h100/any/spot"))  # fmt: skip


def table(day: int) -> ProviderTable:
    """What the source answered on a day counted from `FIRST`."""
    moment = FIRST + timedelta(days=day)
    rise = Decimal(max(0, day - RISE_AFTER)) / 100
    today = {"observed_at": moment.date()}
    offers = [
        offer("h100", str(Decimal("2.99") + rise), **today),
        offer("h100-8", str(20 + day // 20), gpu_count=8, max_gpus_per_host=8, **today),
    ]
    if day > SPOT_AFTER:
        spot = offer("h100", "1.9", purchase_model=PurchaseModel.SPOT, **today)
        offers.append(replace(spot, sku=SPOT))
    if day == OUTAGE:
        offers = offers[:1]
    body = f'{{"day": {day}}}'.encode()
    snapshot = Snapshot("https://acme.example/prices", moment, body)
    return ProviderTable("acme", moment, (snapshot,), tuple(offers), ())


def fill(path: Path, days: int = DAYS) -> None:
    with open_store(path) as store:
        for day in range(days):
            made = table(day)
            store.publish(made, started_at=made.observed_at, now=made.observed_at)
