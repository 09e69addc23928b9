"""A schedule that says something of taxes gets a block after tax; no other does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from review_cases import D, persona, taxed
from spreadsheet import cell, opened

from optimizer.finance.refusal import FinanceError
from optimizer.review.derivation.answers import answer_figures
from optimizer.review.figure import find
from optimizer.review.memo.markdown import memo_md
from optimizer.review.memo.memo import make_memo
from optimizer.review.memo.page import memo_html
from optimizer.review.memo.words import Lang
from optimizer.review.workbook.book import workbook
from optimizer.review.workbook.outcomes import outcomes
from optimizer.review.workbook.question import make_question

YEARS = {"rate": "25 %", "years": 3}
RULE = {"rate": "25 %", "depreciation": "cn-sl3"}


def made(tax):
    plan, problem = taxed(tax)
    return make_memo(plan, problem, make_question(plan, problem))


@pytest.mark.parametrize(
    ("tax", "life", "at_once", "floor"),
    [(YEARS, 3, 0, 0), (RULE, 3, 0, D("0.05")),
     ({"rate": 0.25, "depreciation": "cn-one-off"}, 3, 1, 0)],
)  # fmt: skip
def test_a_rule_becomes_what_the_workbook_deducts(tax, life, at_once, floor):
    question = make_question(*taxed(tax))
    found = (question.tax_rate, question.tax_life, question.tax_at_once, question.tax_floor)
    assert found == (D("0.25"), life, at_once, floor)


def test_a_rule_that_does_not_hold_for_the_purchase_is_refused():
    with pytest.raises(FinanceError, match=r"money\.tax: uk-aia has a limit in GBP"):
        make_question(*taxed({"rate": 0.25, "depreciation": "uk-aia"}))


@pytest.mark.parametrize("lang", Lang)
def test_the_block_leads_from_npv_before_tax_to_npv_after_it(lang):
    memo = made(YEARS)
    soup = BeautifulSoup(memo_html(memo, lang), "html.parser")
    shown = {e["data-figure"]: e for e in soup.find("section", id="taxes").find_all("data")}
    npv, tax, after = (D(shown[key]["value"]) for key in ("npv", "pv_tax", "npv_after_tax"))
    assert npv - tax == after == memo.base.known("npv_after_tax")
    printed = [
        int(shown[key].get_text().replace(",", "").replace("−", "-"))
        for key in ("npv", "pv_tax", "npv_after_tax")
    ]
    assert printed[0] - printed[1] == printed[2]
    assert "npv_after_tax" in {e["data-figure"] for e in soup.find(class_="kpis").find_all("data")}


def test_every_figure_of_the_block_is_explained():
    plan, problem = taxed(RULE)
    figures = answer_figures(make_question(plan, problem), plan, problem)
    assert find(figures, "pv_tax").value == find(figures, "npv").value - (
        find(figures, "npv_after_tax").value
    )
    assert find(figures, "tax_rate").set_by == "the schedule"
    assert find(figures, "tax_rate").source == "money.tax.rate"


def test_a_schedule_that_says_nothing_of_taxes_has_no_block():
    plan, problem = persona()
    memo = make_memo(plan, problem, make_question(plan, problem))
    assert 'id="taxes"' not in memo_html(memo)
    assert "After tax" not in memo_md(memo)


@pytest.mark.parametrize(("over", "turns"), [("1.001", True), ("3", False)])
def test_an_answer_that_taxes_turn_is_said_to_turn(over, turns):
    """Rented at just over the break-even price, a purchase that is deducted late loses by tax."""
    plan, problem = taxed(YEARS)
    question = replace(make_question(plan, problem), rate=D("0.3"), tax_floor=D(1))
    even = next(o.value for o in outcomes(question) if o.name == "break_even_rent")
    lots = tuple(replace(lot, rent=even * D(over)) for lot in question.lots)
    memo = make_memo(plan, problem, replace(question, lots=lots))
    assert memo.npv > 0
    assert ("After tax the answer is the other one" in memo_md(memo)) == turns


def test_the_workbook_has_the_taxes_of_the_schedule():
    plan, problem = taxed(RULE)
    question = make_question(plan, problem)
    book = opened(workbook(question, plan), values=True)
    assert cell(book, "tax_rate").value == 0.25
    after = next(o.value for o in outcomes(question) if o.name == "npv_after_tax")
    assert cell(book, "out_npv_after_tax").value == pytest.approx(float(after))
    assert cell(book, "master_check").value == "OK"
