"""The review of a plan of which no purchase can be weighed."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from review_cases import HOSTILE, D
from spending_cases import rent_only, spending_of
from spreadsheet import cell, opened

from optimizer.cautions import STALE_DAYS
from optimizer.cli.review import Material
from optimizer.review.memo.words import Lang
from optimizer.review.spending.document import spending_json
from optimizer.review.spending.markdown import spending_md
from optimizer.review.spending.page import spending_html
from optimizer.review.spending.workbook import spending_workbook


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return rent_only(tmp_path_factory.mktemp("spending"))


@pytest.fixture(scope="module")
def spending(made):
    return spending_of(*made)


def test_a_term_is_weighed_against_the_hours_it_is_used_for(spending):
    """720 of 744 hours at 10 CNY are 7,200 CNY; the month costs 4,000."""
    (term,) = spending.signed
    assert (term.cost, term.paid_hours, term.used_hours) == (4000, 744, 720)
    assert term.cost_by_hour == 7200
    assert term.saves == 3200
    assert term.even_use == D(4000) / 7440


def test_what_is_signed_bought_and_used_is_the_whole_plan(spending):
    assert spending.committed + spending.bought + spending.by_use == spending.plan.total == 6400
    assert spending.committed == 4000
    assert spending.dearer == D("0.2") * 2400
    assert spending.verdict == "sign"
    assert all(check.holds for check in spending.checks)


def test_without_terms_nothing_is_signed(made):
    plan, problem = made
    by_hour = replace(plan, rentals=tuple(r for r in plan.rentals if not r.terms))
    assert spending_of(by_hour, problem).verdict == "use"
    assert spending_of(replace(by_hour, total=D(0)), problem).verdict == "free"


def test_a_check_fails_where_the_bill_is_not_the_plan_s(made):
    plan, problem = made
    failed = [c.name for c in spending_of(replace(plan, total=D(1)), problem).checks if not c.holds]
    assert failed == ["bill", "bill_months"]


def test_it_expires_with_its_oldest_price(made):
    plan, problem = made
    seen = plan.as_of - timedelta(STALE_DAYS + 1)
    old = replace(plan, rentals=tuple(replace(r, observed_at=seen) for r in plan.rentals))
    found = spending_of(old, problem)
    assert (found.until.why, found.expired()) == ("price", True)
    assert "has expired" in spending_md(found)


@pytest.mark.parametrize("lang", Lang)
def test_every_figure_of_the_memo_is_explained_with_the_same_value(made, spending, lang):
    plan, problem = made
    figures = Material(plan, lambda: (problem.schedule, problem.costs.book)).figures(["total"])
    known = {part.name: part for figure in figures for part in figure.walk()}
    shown = BeautifulSoup(spending_html(spending, lang), "html.parser").find_all("data")
    assert len(shown) >= 12
    for element in shown:
        found = known[element["data-figure"]]
        if found.value is None:
            assert found.code
        else:
            assert math.isclose(float(found.value), float(element["value"]), rel_tol=1e-12)
    for part in known.values():
        again = part.recomputed
        if again is not None and part.value is not None:
            assert math.isclose(again, part.value, rel_tol=1e-12, abs_tol=1e-12), part.name


def test_memo_comment_json_and_workbook_say_the_same(spending):
    body = json.loads(json.dumps(spending_json(spending)))
    assert body["not_weighed"]["code"] == "none_allowed"
    assert body["terms"][0]["saves"] == "3200"
    assert sum(D(line["amount"]) for line in body["bill"]) == spending.plan.total
    comment = spending_md(spending)
    assert "Approve spending 6,400 CNY over 30 days" in comment
    assert "saves 3,200 CNY" in comment
    book = opened(spending_workbook(spending), values=True)
    for name in ("total", "present_value", "committed", "bought_net", "by_use"):
        value = float(body["outputs"][name]["value"])
        assert math.isclose(cell(book, f"out_{name}").value, value, rel_tol=1e-12, abs_tol=1e-12)
    assert cell(book, "out_saves_1").value == 3200


def test_text_of_strangers_does_nothing(made):
    plan, problem = made
    bad = replace(
        plan, name=HOSTILE, schedule=HOSTILE, warnings=(HOSTILE,),
        rentals=tuple(replace(r, quoted=HOSTILE, source=HOSTILE) for r in plan.rentals),
    )  # fmt: skip
    found = spending_of(bad, problem)
    page = spending_html(found)
    assert "<script" not in page
    assert "\u202e" not in page
    assert "<script" not in spending_md(found)
    spending_workbook(found)


@pytest.mark.parametrize(
    ("per_hour", "words"),
    [("10", "saves 3,200 CNY against"), ("5", "costs 400 CNY more than"), (None, "not compared")],
)
def test_what_a_term_is_worth_is_said_beside_the_recommendation(spending, per_hour, words):
    """4,000 CNY for a month, of which 720 hours are used."""
    (term,) = spending.signed
    quote = None if per_hour is None else replace(term.by_hour, per_hour=D(per_hour))
    found = replace(spending, signed=(replace(term, by_hour=quote),))
    assert words in spending_md(found)
    assert words in spending_html(found)
    for lang in Lang:
        assert ("commitment.1.saves" in spending_html(found, lang)) == (quote is not None)


def test_what_owning_all_would_cost_more_is_said(made):
    plan, problem = made
    answers = tuple(replace(a, npv=plan.npv + 1000) if a.kind == "own" else a for a in plan.answers)
    told = spending_md(spending_of(replace(plan, answers=answers), problem))
    assert "The best plan that owns all costs 1,000 CNY more at present value." in told
    assert "owns all" not in spending_md(spending_of(plan, problem))
