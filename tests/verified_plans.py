"""A plan that has a bit of everything, for the tests of `verify`."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import Any

from optimizer.api import plan, prices_for
from optimizer.milp.solve import SolveOptions
from optimizer.report.plan_json import plan_to_dict
from optimizer.schedule.load import parse_schedule
from optimizer.schedule.schedule import Schedule
from providers.offers import OfferBook

Json = dict[str, Any]

EVERYTHING = """
rentopt: 1
name: a bit of everything
currency: CNY
horizon: {start: 2026-12-20, days: 20 days}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{users: 60}, ]
    hours: {"08:00-20:00": 100 %, "20:00-08:00": 40 %}
    min_replicas: 2
    floor: 20 tokens/s
    hardware: {allow: [RTX4090]}
  - name: tune
    kind: training
    model: Qwen2.5-7B
    tokens: 60M tokens
    release: 2026-12-22
    deadline: 2027-01-02
    interruptible: false
    data: 50 GB
    hardware: {forbid: [RTX4090]}
  - name: evaluate
    kind: batch_inference
    model: Qwen2.5-7B
    requests: 300k requests
    after: [tune]
    hardware: {allow: [A100]}
  - name: play
    kind: training
    model: Qwen2.5-7B
    tokens: 2M tokens
    hardware: {allow: [A800]}
hardware:
  owned:
    - {node: 1xRTX4090, count: 1, rack_units: 4}
  buy:
    - {node: 2xRTX4090, price: 9000 CNY, max: 3, lead_time: 2 days, rack_units: 4}
market:
  transfer: 0.5 CNY
  free_quotas:
    - {name: gift, node: 1xA800, hours_per_month: 60 h}
limits: {power: 4 kW, rack_units: 12, cash: 40000 CNY, budget_per_month: 30000 CNY/month}
money:
  discount_rate: 6 %/year
  electricity: 0.8 CNY/kWh
  residual: {1 months: 97 %, 12 months: 60 %}
"""


@cache
def everything() -> tuple[Json, Schedule, OfferBook]:
    schedule = parse_schedule(EVERYTHING, "everything.yaml")
    book = prices_for(schedule, date(2026, 11, 22))
    return (
        plan_to_dict(plan(schedule, book, SolveOptions(gap=0.02, time_limit_s=30))),
        schedule,
        book,
    )


def as_read(body: Json) -> Json:
    """What a file of it would say: a fresh copy through JSON."""
    return dict(json.loads(json.dumps(body)))
