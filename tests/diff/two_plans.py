"""Plans of one small schedule, each with something changed, and their difference."""

from __future__ import annotations

import json
from pathlib import Path

from optimizer.api import plan, prices_for
from optimizer.diff.results import Difference
from optimizer.diff.split import Side, split
from optimizer.milp.solve import SolveOptions
from optimizer.report.plan_json import plan_to_json
from optimizer.schedule.load import load_schedule
from optimizer.wishes import NO_WISHES, Wishes

EXACT = SolveOptions(gap=1e-9)

# A card by the hour in yuan, or in dollars, or bought; electricity only for the last.
SCHEDULE = """
rentopt: 1
name: one card
currency: CNY
horizon: {start: 2026-12-01, days: DAYS}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [RTX4090]}
    measured: [{on: 1xRTX4090, tokens: 15 tokens/s, users: 1}]
    phases: [{users: USERS}]
hardware:
  buy:
    - {node: 1xRTX4090, price: PRICE CNY, max: 3, busy_power: 1000 W, idle_power: 0 W}
market:
  quotes: [QUOTES]
  providers: {allow: [own, other]}
money:
  discount_rate: RATE %/year
  electricity: KWH CNY/kWh
  power_policy: off_when_idle
  residual: {2 months: 50 %}
  fx: {USD/CNY: FX}
"""
HEAD = (
    "provider,sku,instance_type,region,tier,gpu,gpu_count,interconnect,vcpu,ram_gb,purchase_model,"
    "increment,tenor,price,currency,upfront,tax_included,min_units,max_units,max_gpus_per_host,"
    "observed_at,valid_until,confidence,source,note\n"
)
QUOTE = (
    "{seller},{seller}/card/hour,card,cn,own_quote,RTX4090,1,none,,,on_demand,hour,,{price},"
    "{currency},,yes,1,,1,2026-11-01,,A,a quote,\n"
)
PLAIN = {
    "DAYS": "60", "USERS": "1", "PRICE": "9000", "RATE": "10", "KWH": "1", "FX": "7",
    "own": "2 CNY", "other": "0.4 USD",
}  # fmt: skip


def made(folder: Path, name: str, wishes: Wishes = NO_WISHES, **changes: str) -> Side:
    """A plan with its schedule and quotes, all in files of this name."""
    values = PLAIN | changes
    rows = [
        QUOTE.format(seller=seller, price=values[seller].split()[0],
                     currency=values[seller].split()[1])
        for seller in ("own", "other")
        if values[seller]
    ]  # fmt: skip
    (folder / f"{name}.csv").write_text(HEAD + "".join(rows), encoding="utf-8")
    text = SCHEDULE.replace("QUOTES", f"{name}.csv")
    for key in ("DAYS", "USERS", "PRICE", "RATE", "KWH", "FX"):
        text = text.replace(key, values[key])
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    schedule = load_schedule(folder / f"{name}.yaml")
    book = prices_for(schedule, schedule.first_day, store="")
    found = plan(schedule, book, EXACT, breakeven_s=None, wishes=wishes)
    body = plan_to_json(found)
    (folder / f"{name}.json").write_text(body, encoding="utf-8")
    return Side(f"{name}.json", json.loads(body), schedule, book)


def difference(old: Side, new: Side) -> Difference:
    return split(old, new, EXACT)
