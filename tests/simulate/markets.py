"""Prices of the past, made up from a seed: walks that rise and fall, offers that come late."""

from __future__ import annotations

import math
import random
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "replan"))

from small import offer

from optimizer.schedule.load import parse_schedule
from optimizer.schedule.schedule import Schedule
from optimizer.simulate.history import History
from providers.fx import bundled_fx
from providers.money import Money
from providers.offers import Offer, OfferBook
from providers.price_table import write_offers
from providers.terms import Increment, PurchaseModel, Tenor

FIRST = date(2026, 9, 1)
RESERVED = {"purchase_model": PurchaseModel.RESERVED}


def priced(base: Offer, price: float, day: date) -> Offer:
    amount = Decimal(str(round(price, 4)))
    return replace(base, price=Money(amount, base.price.currency), observed_at=day)


def offers_on(seed: int, number: int) -> list[Offer]:
    """Two that rent by the hour, one for five days, one for a month, one on spot that is late."""
    rng = random.Random(seed)
    base, swing, phase = rng.uniform(1, 3), rng.uniform(0, 0.5), rng.uniform(0, 6)
    level = 1 + swing * math.sin(number / 5 + phase)
    day = FIRST + timedelta(number)
    found = [
        priced(offer("hour", 1), base * level, day),
        priced(offer("other", 1, region="eu"), base * (2 - level) * 1.05, day),
        priced(
            offer("days", 1, increment=Increment.DAY, tenor=Tenor(days=5), **RESERVED),
            base * level * 24 * 0.7,
            day,
        ),
        priced(
            offer("month", 1, increment=Increment.MONTH, tenor=Tenor(months=1), **RESERVED),
            base * 730 * 0.35,
            day,
        ),
        priced(offer("big", 1, "A800-80GB"), base * 3 * level, day),
    ]
    if number >= 3:
        spot = offer("spot", 1, purchase_model=PurchaseModel.SPOT)
        found.append(priced(spot, base * level * 0.4, day))
    return found


def history(seed: int, days: int) -> History:
    books = tuple(
        OfferBook(
            as_of=FIRST + timedelta(n),
            fx=bundled_fx(),
            offers=tuple(offers_on(seed, n)),
            tables=("made up",),
        )
        for n in range(days)
    )
    return History(FIRST, books, "CNY")


def write_history(path: Path, seed: int, days: int) -> None:
    """The same as a file: a row for each offer and day."""
    lines: list[bytes] = []
    for n in range(days):
        head, *rows = write_offers(offers_on(seed, n)).splitlines(keepends=True)
        lines += [head, *rows] if not lines else rows
    path.write_bytes(b"".join(lines))


def schedule(days: int, *, users: int = 40, first: date = FIRST, buy: int = 900) -> Schedule:
    text = f"""
rentopt: 1
name: some days
currency: CNY
horizon: {{start: {first}, days: {days} days}}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{{users: {users}}}]
    floor: 20 tokens/s
    hardware: {{allow: [RTX4090]}}
  - name: tune
    kind: training
    model: Qwen2.5-7B
    tokens: 20M tokens
    spot: true
    hardware: {{allow: [RTX4090]}}
hardware:
  buy: [{{node: 1xRTX4090, price: {buy} CNY, max: 3}}]
money:
  discount_rate: 10 %/year
  residual: {{1 months: 90 %, 12 months: 60 %}}
"""
    return parse_schedule(text, "some.yaml")
