"""A schedule so small that every figure of its review is worked out by hand."""

from __future__ import annotations

from pathlib import Path

from optimizer.api import prices_for
from optimizer.problem import Problem, gather
from optimizer.schedule.load import load_schedule

DAYS = 60

# One card, always in use, for sixty days: rented at 2 CNY/h (48 a day), or bought for 1,000 CNY
# with 24 CNY a day of electricity (1 kW x 24 h x 1 CNY), half of its price left after two months.
ONE_CARD = """
rentopt: 1
name: one card
currency: CNY
horizon: {start: 2026-12-01, days: 60}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [RTX4090]}
    measured: [{on: 1xRTX4090, tokens: 15 tokens/s, users: 1}]
    phases: [{users: 1}]
hardware:
  buy:
    - {node: 1xRTX4090, price: PRICE CNY, max: 2, busy_power: 1000 W, idle_power: 0 W,
       source: a dealer}
market:
  quotes: [quotes.csv]
  providers: {allow: [own]}
money:
  discount_rate: 10 %/year
  electricity: 1 CNY/kWh
  power_policy: off_when_idle
  residual: {2 months: 50 %}
"""
QUOTES = (
    "provider,sku,instance_type,region,tier,gpu,gpu_count,interconnect,vcpu,ram_gb,purchase_model,"
    "increment,tenor,price,currency,upfront,tax_included,min_units,max_units,max_gpus_per_host,"
    "observed_at,valid_until,confidence,source,note\n"
    "own,own/card/hour,card,cn,own_quote,RTX4090,1,none,,,on_demand,hour,,2,CNY,,yes,1,,1,"
    "2026-11-01,,A,a quote,\n"
)


def one_card(folder: Path, price: str = "1000", *, buy: bool = True) -> Problem:
    (folder / "quotes.csv").write_text(QUOTES, encoding="utf-8")
    text = ONE_CARD.replace("PRICE", price)
    if not buy:
        text = text.split("hardware:\n  buy:")[0] + "market:" + text.split("market:")[1]
    (folder / "one-card.yaml").write_text(text, encoding="utf-8")
    schedule = load_schedule(folder / "one-card.yaml")
    return gather(schedule, prices_for(schedule, schedule.first_day, store=""))
