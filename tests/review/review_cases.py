"""Questions that the tests of the review ask: of planned schedules, and one with everything on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import verified_plans

from optimizer.api import plan, prices_for
from optimizer.plans import Plan
from optimizer.problem import Problem, gather
from optimizer.review.plan_file import plan_of
from optimizer.review.workbook.question import Lot, Question, RentQuote, make_question
from optimizer.schedule.document import TaxAssumptions
from optimizer.schedule.load import load_schedule

ROOT = Path(__file__).parents[2]
D = Decimal
HOSTILE = "=cmd|'/c calc'!A1 <script>alert(1)</script> [red] \u202egnp.exe\x07 " + "long " * 2000


@cache
def tiny() -> tuple[Plan, Problem]:
    """A week in which nothing is bought."""
    schedule = load_schedule(ROOT / "data/schedules/tiny.yaml")
    book = prices_for(schedule, date(2026, 11, 22), store="")
    return plan(schedule, book, breakeven_s=0.0), gather(schedule, book)


@cache
def persona() -> tuple[Plan, Problem]:
    """A plan that owns all and is paid back in its seventh month of twelve."""
    schedule = load_schedule(ROOT / "data/schedules/personas/small-deployment.yaml")
    book = prices_for(schedule, date(2024, 7, 15), store="")
    return plan(schedule, book, breakeven_s=0.0), gather(schedule, book)


@cache
def everything() -> tuple[Plan, Problem]:
    """A plan that buys, has an own node, a free quota and data to move."""
    body, schedule, book = verified_plans.everything()
    return plan_of(verified_plans.as_read(body)), gather(schedule, book)


def taxed(tax: dict[str, object]) -> tuple[Plan, Problem]:
    """The plan that buys, of a schedule that says so much of taxes."""
    found, problem = everything()
    stated = {"tax": TaxAssumptions.model_validate(tax)}
    costs = replace(problem.costs, money=problem.costs.money.model_copy(update=stated))
    return found, replace(problem, costs=costs)


QUOTE = RentQuote(
    name="sku-1", provider="seller", region="cn", tier="specialist", quoted="0.3 USD/hour",
    amount=D("0.3"), currency="USD", instances=8, exchange=D("7.1"), vat=D("1.06"), hours=D(1),
    ratio=D(1), how="", observed_at=date(2026, 11, 1), age_days=22, confidence="B", source="page",
)  # fmt: skip

NODE = Lot(
    option="buy 8xRTX4090", node="8xRTX4090", nodes=1, gpus=8, price=D(180_000), paid=0, usable=0,
    sold=1095, residual=D("0.3"), maintenance=D("0.03"), hosting=D(1000), busy_kw=D("4.2"),
    idle_kw=D("0.6"), use=D("0.6"), rent=D("2.2"), price_source="table", price_quoted="180000 CNY",
    quote=replace(QUOTE, amount=D("2.2"), currency="CNY", exchange=D(1), vat=D(1)),
)  # fmt: skip
"""The base case of docs/finance.md: own for three years, 60 % used; OWN-01 to OWN-06."""

BASE = Question(
    title="base case", currency="CNY", first_day=date(2026, 12, 1), days=1095, rate=D(0),
    pue=D("1.4"), tariff=D("0.7"), resale_cost=D(0), vat="net of VAT", lots=(NODE,), planned=True,
)  # fmt: skip

LATER = replace(
    NODE, nodes=3, gpus=4, price=D(90_000), paid=100, usable=130, sold=700, residual=D("0.5"),
    busy_kw=D("2.1"), idle_kw=D("0.3"), use=D("0.45"), hosting=D(0), maintenance=D(0),
    rent=D("0.3") * 8 * D("7.1") * D("1.06") / 4, quote=QUOTE,
)  # fmt: skip
FULL = replace(
    BASE, title="everything on", days=1000, rate=D("0.1"), resale_cost=D("0.05"),
    lots=(replace(NODE, sold=1000), LATER), rent_change=D("-0.2"), tax_rate=D("0.25"),
    tax_at_once=D("0.2"), tax_floor=D("0.05"),
)  # fmt: skip
"""Two purchases on different days, taxes, falling rents, a horizon that ends within a month."""


@cache
def questions() -> dict[str, tuple[Question, Plan]]:
    some_plan, problem = tiny()
    bought, bought_problem = everything()
    owned, owned_problem = persona()
    return {
        "tiny": (make_question(some_plan, problem), some_plan),
        "everything": (make_question(bought, bought_problem), bought),
        "persona": (make_question(owned, owned_problem), owned),
        "base": (BASE, some_plan),
        "full": (FULL, some_plan),
    }
