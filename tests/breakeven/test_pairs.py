"""Break-even rows of a schedule's purchases, and the rentals they are compared with."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from ten_days import TEN_DAYS, problem_of, write_quotes, write_ten_days

from optimizer.api import Solved, solve_problem
from optimizer.breakeven.pairs import make_pair, pair_rows
from optimizer.breakeven.quotes import quotes
from optimizer.breakeven.rows import number, said
from optimizer.breakeven.use import Use
from optimizer.costs import Flow
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem

FULL = Use(1.0, 1.0, 1.0, "the plan uses")
OWNING = """
hardware:
  buy:
    - node: NODE
      price: 30000 CNY
      lead_time: LEAD
      busy_power: 900 W
      idle_power: 100 W
      maintenance: 4 %/year
      hosting: 120 CNY/month
      residual: {12 months: 60 %, 36 months: 20 %}
market: {quotes: [quotes.csv], providers: {allow: [own]}}
money: {electricity: 0.8 CNY/kWh, pue: 1.3, resale_cost: 10 %, discount_rate: RATE}
"""


def year(
    folder: Path, *quotes: str, node: str = "2xRTX4090", rate: str = "8 %", lead: str = "0 days"
) -> Problem:
    """A year with a service, one purchase option and these quotes."""
    head = TEN_DAYS.split("hardware:\n  buy")[0].replace("days: 10", "days: 365")
    head = head.replace("allow: [RTX4090]", "allow: [RTX4090, A100-80GB]")
    owning = OWNING.replace("NODE", node).replace("RATE", rate).replace("LEAD", lead)
    path = folder / "year.yaml"
    path.write_text(head + owning, encoding="utf-8")
    write_quotes(folder, *quotes)
    return problem_of(path)


def rows_of(problem: Problem) -> list[dict[str, object]]:
    found = solve_problem(problem, SolveOptions(gap=0.05))
    assert isinstance(found, Solved)
    return pair_rows(problem, found.made, found.solution)


def test_each_span_is_compared_with_its_cheapest_firm_offer(tmp_path: Path) -> None:
    problem = year(
        tmp_path, "2xRTX4090 hour 5", "2xRTX4090 hour 4", "2xRTX4090 day 90",
        "2xRTX4090 month 2200", "1xRTX4090 hour 0.1", "2xRTX4090 spot 1",
    )  # fmt: skip
    compared = quotes(problem, problem.purchases[0].kind)
    assert [(q.span, float(q.per_hour), q.how) for q in compared] == [
        ("hour", 4.0, ""),
        ("day", pytest.approx(90 / 24), ""),
        ("month", pytest.approx(2200 / 730), ""),
    ]


def test_without_the_same_node_the_same_gpu_counts_per_gpu(tmp_path: Path) -> None:
    problem = year(tmp_path, "1xRTX4090 hour 2", "8xRTX4090 hour 12", "1xA100-80GB hour 1")
    (quote,) = quotes(problem, problem.purchases[0].kind)
    assert float(quote.per_hour) == 3.0
    assert "per GPU: 0.25 x 8xRTX4090" in quote.how
    assert "as if the rest of it were used too" in quote.how


def test_without_the_same_gpu_the_work_sets_the_ratio(tmp_path: Path) -> None:
    problem = year(tmp_path, "1xA100-80GB hour 6")
    (quote,) = quotes(problem, problem.purchases[0].kind)
    assert "by work" in quote.how
    assert "'chat'" in quote.how
    assert quote.per_hour == 6 * quote.ratio


def test_nothing_for_rent_is_said_and_not_invented(tmp_path: Path) -> None:
    problem = year(tmp_path, "1xA10 hour 6")
    (found,) = rows_of(problem)
    assert found["answer"] == "none"
    assert "nothing on offer for rent" in str(found["meaning"])


@pytest.mark.parametrize("rate", ["0 %", "8 %"])
def test_a_pair_costs_what_the_plan_says(tmp_path: Path, rate: str) -> None:
    """A year at full use, by the pair's formula and by the flows the plan pays."""
    problem = year(tmp_path, "2xRTX4090 hour 4", rate=rate)
    option, costs = problem.purchases[0], problem.costs
    pair = make_pair(problem, option, quotes(problem, option.kind)[0], FULL)
    flows = costs.purchase(option.item, 0, 365)
    for day in range(365):
        for piece in problem.horizon.slices:
            busy = costs.busy_energy(option.item, day, piece)
            flows.append(Flow(day, busy.amount, "electricity"))
    from dataclasses import replace

    interest = Decimal(str(costs.money.discount_rate))
    owned = replace(pair, rate=interest)
    tolerance = 1e-9 if not interest else 2e-3  # paid daily there, at month ends here
    paid = float(costs.present_value(flows))
    assert float(owned.own * owned.annuity) == pytest.approx(paid, rel=tolerance)


def test_every_figure_put_back_leaves_no_difference(tmp_path: Path) -> None:
    rows = rows_of(year(tmp_path, "2xRTX4090 hour 4", "2xRTX4090 day 80", lead="14 days"))
    checked = [r for r in rows if r["self_check"] is not None]
    assert len(checked) > 15
    assert all(float(str(r["self_check"])) <= 1e-6 for r in checked)
    assert {r["basis"] for r in rows} == {"accounting", "economic"}


def test_above_all_hours_is_never_with_the_raw_figure(tmp_path: Path) -> None:
    rows = rows_of(year(tmp_path, "2xRTX4090 hour 1.2"))
    found = next(r for r in rows if r["quantity"] == "utilisation" and r["unit"] == "%")
    assert found["break_even"] is None
    assert found["answer"] == "never"
    assert float(str(found["raw"])) > 100
    assert "never pays" in str(found["meaning"])


def test_the_plan_s_own_use_stands_beside_the_break_even(tmp_path: Path) -> None:
    problem = problem_of(write_ten_days(tmp_path))
    rows = rows_of(problem)
    found = next(r for r in rows if r["quantity"] == "utilisation" and r["unit"] == "%")
    # PLAN-01: a card pays on more than 20 / 44 of the days; four are bought.
    assert float(str(found["raw"])) == pytest.approx(100 * 20 / 44, rel=1e-9)
    assert float(str(found["now"])) > float(str(found["raw"]))


def test_numbers_are_plain_decimals() -> None:
    assert [number(x) for x in (None, 0.0, 1e-7, Decimal("1200.50"), float("inf"))] == [
        None,
        "0",
        "0.0000001",
        "1200.5",
        None,
    ]
    assert said(12_345.6) == "12,346"
