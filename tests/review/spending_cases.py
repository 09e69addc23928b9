"""A schedule that may buy nothing: one service, of which a term covers the base load."""

from __future__ import annotations

from pathlib import Path

from optimizer.api import plan, prices_for
from optimizer.plans import Plan
from optimizer.problem import Problem, gather
from optimizer.report.plan_json import plan_to_dict
from optimizer.review.plan_figures import plan_side
from optimizer.review.spending.spending import Spending, make_spending
from optimizer.review.workbook.question import NothingToWeighError, make_question
from optimizer.schedule.load import load_schedule
from optimizer.verify.examine import whole_problem
from optimizer.verify.plan_document import read_plan

# One card day and night, a second one on working days. A card is 10 CNY an hour, or 4,000 CNY
# a month of 31 days, which pays from a use of 4,000 / (31 x 24 x 10) = 53.8 %.
RENT_ONLY = """
rentopt: 1
name: rent only
currency: CNY
horizon: {start: 2026-12-01, days: 30}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [RTX4090]}
    measured: [{on: 1xRTX4090, tokens: 15 tokens/s, users: 1}]
    phases: [{users: 1}]
  - name: office
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [RTX4090]}
    measured: [{on: 1xRTX4090, tokens: 15 tokens/s, users: 1}]
    hours: {"09:00-17:00": 100 %}
    phases: [{users: 1}]
market:
  quotes: [quotes.csv]
  providers: {allow: [own]}
money:
  discount_rate: 10 %/year
"""
QUOTES = (
    "provider,sku,instance_type,region,tier,gpu,gpu_count,interconnect,vcpu,ram_gb,purchase_model,"
    "increment,tenor,price,currency,upfront,tax_included,min_units,max_units,max_gpus_per_host,"
    "observed_at,valid_until,confidence,source,note\n"
    "own,own/card/hour,card,cn,own_quote,RTX4090,1,none,,,on_demand,hour,,10,CNY,,yes,1,,1,"
    "2026-11-01,,A,a quote,\n"
    "own,own/card/term,card,cn,own_quote,RTX4090,1,none,,,reserved,month,P1M,4000,CNY,,yes,1,,1,"
    "2026-11-01,,A,a quote by the month,\n"
)


def written(folder: Path, text: str = RENT_ONLY) -> Path:
    (folder / "quotes.csv").write_text(QUOTES, encoding="utf-8")
    place = folder / "rent-only.yaml"
    place.write_text(text, encoding="utf-8")
    return place


def rent_only(folder: Path) -> tuple[Plan, Problem]:
    schedule = load_schedule(written(folder))
    book = prices_for(schedule, schedule.first_day, store="")
    return plan(schedule, book, breakeven_s=0.0), gather(schedule, book)


def spending_of(found: Plan, problem: Problem) -> Spending:
    document = read_plan(plan_to_dict(found))
    whole = whole_problem(document, problem.schedule, problem.costs.book)
    try:
        make_question(found, problem)
    except NothingToWeighError as why:
        return make_spending(found, problem, plan_side(found, document, whole), why)
    raise AssertionError("a purchase can be weighed")
