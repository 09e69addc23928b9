"""A plan's cost, months and break-even points, each down to quotes; every step done again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import verified_plans
from review_cases import everything, tiny

from optimizer.api import plan, prices_for
from optimizer.milp.solve import SolveOptions
from optimizer.report.plan_json import plan_to_dict
from optimizer.review.figure import How, explain, find
from optimizer.review.plan_figures import plan_figures, plan_side
from optimizer.schedule.load import load_schedule, parse_schedule
from optimizer.verify.examine import whole_problem
from optimizer.verify.plan_document import read_plan

SCHEDULES = Path(__file__).parents[2] / "data" / "schedules"
D = Decimal
ROUNDING = D("1e-18")

VARIED = """
rentopt: 1
name: tokens, dollars, VAT and terms
currency: EUR
horizon: {start: 2026-12-01, days: 40}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-72B
    precision: gptq-int4
    phases: [{requests: 0.001 requests/s}]
    api: only
  - name: steady
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [RTX4090]}
    measured: [{on: 1xRTX4090, tokens: 15 tokens/s, users: 1}]
    phases: [{users: 2}]
    hours: {"08:00-20:00": 100 %, "20:00-08:00": 50 %}
hardware:
  buy:
    - {node: 1xRTX4090, price: 20 USD, max: 2, lead_time: 5 days, maintenance: 4 %/year,
       hosting: 3 USD/month, tax_included: false}
market: {confidence: C}
money:
  discount_rate: 9 %/year
  vat: cost
  electricity:
    - {hours: ["08:00-20:00"], price: 0.3 EUR/kWh}
    - {hours: ["20:00-08:00"], price: 0.1 EUR/kWh}
  terms_past_horizon: credit
  residual: {12 months: 60 %}
"""


@cache
def case(name):
    """(plan, its figures)"""
    if name == "everything":
        made, _ = everything()
        _, schedule, book = verified_plans.everything()
    elif name == "tiny":
        made, problem = tiny()
        schedule, book = problem.schedule, problem.costs.book
    else:
        schedule = (
            parse_schedule(VARIED, "varied.yaml")
            if name == "varied"
            else load_schedule(SCHEDULES / f"{name}.yaml")
        )
        book = prices_for(schedule, date(2026, 11, 22), store="")
        made = plan(schedule, book, SolveOptions(gap=0.02), breakeven_s=0.0)
    document = read_plan(plan_to_dict(made))
    side = plan_side(made, document, whole_problem(document, schedule, book))
    return made, plan_figures(made, side)


CASES = ("tiny", "everything", "varied", "team-eur")


def distinct(figures):
    seen, waiting = {}, list(figures)
    while waiting:
        figure = waiting.pop()
        if id(figure) not in seen:
            seen[id(figure)] = figure
            waiting += figure.inputs
    return seen.values()


@pytest.mark.parametrize("name", CASES)
def test_each_step_can_be_done_again_and_each_end_has_a_source(name):
    made, figures = case(name)
    for figure in distinct(figures):
        if figure.how is How.GIVEN:
            assert figure.source, figure.name
        elif figure.value is not None:
            again = figure.recomputed
            assert again is not None, figure.name
            room = ROUNDING * max(D(1), abs(again))
            assert abs(again - figure.value) <= room, figure.name
        else:
            assert figure.code, figure.name
    assert made


@pytest.mark.parametrize("name", CASES)
def test_the_figures_are_those_of_the_plan(name):
    made, figures = case(name)
    assert find(figures, "plan.total").value == pytest.approx(made.total, abs=D("1e-15"))
    assert find(figures, "plan.pv").value == pytest.approx(made.npv, abs=D("1e-15"))
    for month, amount in made.cash_flow:
        assert find(figures, f"plan.month.{month}").value == amount
    for line in made.ledger:
        found = find(figures, f"plan.{line.component}.{line.cause}")
        assert found.value == pytest.approx(line.amount, abs=D("1e-15"))
        assert not any(part.name.endswith(".sunk") for part in found.walk())


@pytest.mark.parametrize("name", CASES)
def test_break_even_points_are_those_of_the_plan(name):
    made, figures = case(name)
    units = {"utilisation": D(100), "residual value": D(100)}
    checked = 0
    for figure in figures:
        if not figure.name.startswith("even."):
            continue
        basis = figure.name.rsplit(".", 1)[1]
        for row in made.breakeven:
            quantity = row["quantity"].replace(" ", "_")
            wanted = f"even.{quantity}.{row['subject']}.{row['basis']}"
            plain = row["unit"].split("/")[-1] in ("%", "GPU-hour", "node", "kWh")
            named = figure.title.endswith(f"against {row['against']}")
            if wanted == figure.name and basis == row["basis"] and plain and named and row["raw"]:
                raw = D(row["raw"]) / units.get(row["quantity"], 1)
                assert figure.value == pytest.approx(raw, rel=D("1e-8")), figure.name
                checked += 1
    assert checked or not any(row["kind"] == "pair" and row["raw"] for row in made.breakeven)


def test_all_kinds_of_cost_are_told():
    words = "\n".join(line for name in CASES for line in explain(find(case(name)[1], "plan.pv")))
    for component in (
        "rent", "purchase", "resale", "electricity", "hosting", "maintenance", "data", "api"
    ):  # fmt: skip
        assert f"present value of {component}, " in words, component
    assert "1 USD = " in words
    assert "VAT on goods" in words
