"""A small market on which hedging pays, and scenarios for it."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "replan"))

from small import offer

from optimizer.schedule.load import parse_schedule
from optimizer.schedule.schedule import Schedule
from optimizer.uncertainty.load import ScenarioSet, load_scenarios
from providers.fx import bundled_fx
from providers.offers import OfferBook
from providers.terms import Increment, PurchaseModel, Tenor

AS_OF = date(2026, 11, 22)
RESERVED = {"purchase_model": PurchaseModel.RESERVED}


def book() -> OfferBook:
    """By the hour from two sellers, by the month and for two months from one."""
    return OfferBook(
        as_of=AS_OF,
        fx=bundled_fx(),
        offers=(
            offer("hour", 2.0),
            offer("dear", 2.2),
            offer("other", 2.1, provider="other", sku="other/hour"),
            offer("spot", 0.8, purchase_model=PurchaseModel.SPOT),
            offer("month", 900, increment=Increment.MONTH, tenor=Tenor(months=1), **RESERVED),
            offer("two", 1500, increment=Increment.MONTH, tenor=Tenor(months=2), **RESERVED),
        ),
        tables=("small",),
    )


TEXT = """
rentopt: 1
name: small
currency: CNY
horizon: {start: 2026-12-01, days: 60 days}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{users: 30}]
    floor: 20 tokens/s
    hardware: {allow: [RTX4090]}
  - name: tune
    kind: training
    model: Qwen2.5-7B
    tokens: 20M tokens
    release: 2027-01-10
    deadline: 2027-01-20
    spot: true
    hardware: {allow: [RTX4090]}
hardware:
  buy:
    - {node: 1xRTX4090, price: 7000 CNY, max: 3, lead_time: 5 days}
market: {table: current, confidence: A}
money:
  discount_rate: 8 %/year
  electricity: 0.6 CNY/kWh
  residual: {1 months: 85 %, 12 months: 60 %}
"""

SCENARIOS = """\
rentopt_scenarios: 1
name: three ways
known_from: 2026-12-20
scenarios:
  - {name: as planned, probability: 40 %}
  - name: boom
    probability: 30 %
    load: {chat: 250 %, tune: 1.5}
    rent: {all: 1.6, spot: 2}
    delay: {all: 20 days}
  - name: bust
    probability: 30 %
    load: {chat: 20 %}
    rent: {RTX4090: 0.5}
    purchase: {all: 0.8}
    residual: 60 %
    interruptions: 4
"""


def schedule(text: str = TEXT) -> Schedule:
    return parse_schedule(text, "small.yaml")


def listed(folder: Path, text: str = SCENARIOS) -> ScenarioSet:
    path = folder / "scenarios.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenarios(path)
