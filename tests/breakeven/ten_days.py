"""Small schedules with prices of their own, for break-even tests."""

from __future__ import annotations

from pathlib import Path

from optimizer.api import prices_for
from optimizer.problem import Problem, gather
from optimizer.schedule.load import load_schedule

QUOTE_COLUMNS = (
    "provider,sku,instance_type,region,tier,gpu,gpu_count,interconnect,vcpu,ram_gb,purchase_model,"
    "increment,tenor,price,currency,upfront,tax_included,min_units,max_units,max_gpus_per_host,"
    "observed_at,valid_until,confidence,source,note"
)

# PLAN-01 and PLAN-04: ten days that ask for 2, 2, 4, 4, 4, 8, 8, 1, 1 and 1 cards. A card of one's
# own costs 200 for the ten days and 4 of electricity a day in use (1 kW x 24 h x 1/6), a rented
# one 48 a day.
TEN_DAYS = """
rentopt: 1
name: ten days of cards
currency: CNY
horizon: {start: 2026-12-01, days: 10}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [RTX4090]}
    measured: [{on: 1xRTX4090, tokens: 15 tokens/s, users: 1}]
    phases:
      - {start: 2026-12-01, end: 2026-12-02, users: 2}
      - {start: 2026-12-03, end: 2026-12-05, users: 4}
      - {start: 2026-12-06, end: 2026-12-07, users: 8}
      - {start: 2026-12-08, end: 2026-12-10, users: 1}
hardware:
  buy: [{node: 1xRTX4090, price: PRICE CNY, max: 8, busy_power: 1000 W, idle_power: 0 W}]
market:
  quotes: [quotes.csv]
  providers: {allow: [own]}
money: {electricity: 0.166666666667 CNY/kWh, power_policy: off_when_idle}
"""
_TERMS = {"hour": "on_demand,hour,", "day": "prepaid,day,P1D", "month": "prepaid,month,P1M",
          "spot": "spot,hour,"}  # fmt: skip


def write_quotes(folder: Path, *quotes: str) -> None:
    """A file of quotes such as ``2xRTX4090 day 90``, in CNY."""
    rows = [QUOTE_COLUMNS]
    for i, quote in enumerate(quotes):
        node, span, price = quote.split()
        count, gpu = node.split("x", 1)
        rows.append(
            f"own,own/{node}/{span}/{i},{node},cn,own_quote,{gpu},{count},none,,,{_TERMS[span]},"
            f"{price},CNY,,yes,1,,{count},2026-11-01,,A,a quote,"
        )
    (folder / "quotes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_ten_days(folder: Path, price: str = "200") -> Path:
    """The schedule and its quotes, in a folder."""
    write_quotes(folder, "1xRTX4090 day 48")
    path = folder / "schedule.yaml"
    path.write_text(TEN_DAYS.replace("PRICE", price), encoding="utf-8")
    return path


def problem_of(path: Path) -> Problem:
    schedule = load_schedule(path)
    return gather(schedule, prices_for(schedule))
