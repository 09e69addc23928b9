"""Small schedules and markets, made from a seed: a few days, a service, a job or two, to buy."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from optimizer.api import plan
from optimizer.milp.solve import SolveOptions
from optimizer.replan.actuals import News, parse_actuals
from optimizer.replan.run import Followed, followed
from optimizer.report.plan_json import plan_to_dict
from optimizer.schedule.load import parse_schedule
from optimizer.schedule.schedule import Schedule
from providers.fx import bundled_fx
from providers.money import Money
from providers.offers import Offer, OfferBook
from providers.terms import Increment, PurchaseModel, Tenor, Tier

EXACT = SolveOptions(gap=1e-9, time_limit_s=60)
START = date(2026, 12, 26)
CLOSE = Decimal("1e-6")


def offer(name: str, price: float, gpu: str = "RTX4090", **changes: object) -> Offer:
    usual = Offer(
        provider="acme",
        sku=f"acme/{name}",
        instance_type=name,
        region="cn",
        tier=Tier.SPECIALIST,
        gpu=gpu,
        gpu_count=1,
        interconnect="none",
        vcpu=None,
        ram_gb=None,
        purchase_model=PurchaseModel.ON_DEMAND,
        increment=Increment.HOUR,
        tenor=Tenor(),
        price=Money(Decimal(str(price)), "CNY"),
        upfront=Money(Decimal(0), "CNY"),
        tax_included=True,
        min_units=1,
        max_units=None,
        max_gpus_per_host=2,
        observed_at=date(2026, 11, 20),
        valid_until=None,
        confidence="A",
        source="https://acme.example/prices",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def book(seed: int, factor: float = 1.0, as_of: date = date(2026, 11, 22)) -> OfferBook:
    """By the hour, by the day, a prepaid term of days and one of a month paid at its end."""
    rng = random.Random(seed)
    hour = rng.uniform(1, 3)
    reserved = {"purchase_model": PurchaseModel.RESERVED}
    offers = [
        offer("hour", round(hour * factor, 3)),
        offer("day", round(hour * 24 * rng.uniform(0.5, 0.9) * factor, 2), increment=Increment.DAY),
        offer(
            "days",
            round(hour * 24 * rng.uniform(0.4, 0.8) * factor, 2),
            increment=Increment.DAY,
            tenor=Tenor(days=rng.randint(2, 5)),
            **reserved,
        ),
        offer(
            "month",
            round(hour * 730 * rng.uniform(0.1, 0.6) * factor, 2),
            increment=Increment.MONTH,
            tenor=Tenor(months=1),
            max_units=rng.choice([None, 2]),
            **reserved,
        ),
        offer("big", round(hour * 3 * factor, 3), "A800-80GB"),
    ]
    return OfferBook(as_of=as_of, fx=bundled_fx(), offers=tuple(offers), tables=("small",))


def schedule(seed: int) -> Schedule:
    rng = random.Random(seed)
    days = rng.randint(6, 10)
    first, last = START + timedelta(rng.randint(0, 2)), START + timedelta(days - 1)
    kept = rng.choice(["true", "false"])
    text = f"""
rentopt: 1
name: small {seed}
currency: CNY
horizon: {{start: {START}, days: {days} days}}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{{users: {rng.randint(5, 90)}}}]
    hours: {{"08:00-20:00": 100 %, "20:00-08:00": {rng.choice([0, 40])} %}}
    floor: 20 tokens/s
    hardware: {{allow: [RTX4090]}}
  - name: tune
    kind: training
    model: Qwen2.5-7B
    tokens: {rng.randint(5, 60)}M tokens
    release: {first}
    deadline: {last - timedelta(rng.randint(0, 2))}
    interruptible: {kept}
    data: {rng.choice([0, 20])} GB
  - name: evaluate
    kind: batch_inference
    model: Qwen2.5-7B
    requests: {rng.randint(5, 60)}k requests
    after: [{rng.choice(["tune", ""])}]
hardware:
  owned: [{{node: 1xRTX4090, hosting: 40 CNY/month}}]
  buy:
    - node: 1xRTX4090
      price: {rng.choice([120, 400, 9000])} CNY
      max: 3
      lead_time: {rng.choice([0, 2])} days
      hosting: 30 CNY/month
market:
  transfer: 0.2 CNY
  free_quotas: [{{name: gift, node: 1xA800, hours_per_month: {rng.choice([8, 30])} h}}]
money:
  discount_rate: 10 %/year
  electricity: 0.8 CNY/kWh
  residual: {{1 months: 90 %, 12 months: 60 %}}
  terms_past_horizon: {rng.choice(["full", "credit"])}
"""
    return parse_schedule(text.replace("after: []", "spot: false"), f"small-{seed}.yaml")


def planned(asked: Schedule, prices: OfferBook, options: SolveOptions = EXACT) -> Followed:
    """A plan that is followed, as it comes back from its file."""
    found = plan(asked, prices, options, breakeven_s=None)
    return as_followed(found, asked, prices)


def as_followed(found: object, asked: Schedule, prices: OfferBook) -> Followed:
    body = json.loads(json.dumps(plan_to_dict(found)))  # type: ignore[arg-type]
    return followed(body, "0" * 64, asked, prices)


def news(text: str) -> News:
    return parse_actuals(f"actuals: 1\n{text}".encode(), "actuals.yaml")
