"""What a study of sensitivity gives to the memo."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from memos import CASES, memo, what_if

from optimizer.review.memo.page import memo_html
from optimizer.review.memo.studied import FORMS, around, change, left, studied
from optimizer.review.memo.words import Lang, Words
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.one_at_a_time import tornado
from optimizer.review.sensitivity.ranges import spans

D = Decimal


def page(made):
    return BeautifulSoup(memo_html(made), "html.parser")


def figure(soup, key):
    return soup.find(attrs={"data-figure": key})


@pytest.mark.parametrize("case", CASES)
def test_every_flip_value_put_back_leaves_no_npv(case):
    question = what_if(case).question
    for bar in tornado(question, spans(question)).bars:
        assert abs(left(question, bar)) <= D("1e-6") * what_if(case).base.known("capex")


def test_every_driver_has_a_name_and_a_form_in_both_languages():
    assert set(FORMS) == set(ALL)
    for lang in Lang:
        words = Words(lang, "CNY")
        for driver, form in FORMS.items():
            assert words(f"swing_{driver}")
            assert words.of(form, D("0.5"))


def test_what_flips_it_is_the_decisive_assumption_of_the_study():
    made = memo("everything")
    bar = made.study.tornado.decisive
    assert bar is not None
    assert made.decision.flip == bar
    shown = figure(page(made), f"flip.{bar.span.driver}")
    assert D(shown["value"]) == bar.flip
    nearest = min(abs(change(b)) for b in made.study.tornado.bars if b.flip and b.span.base)
    assert abs(change(bar)) == nearest


@pytest.mark.parametrize("case", CASES)
def test_the_planned_cell_of_two_at_a_time_is_the_npv(case):
    asked = what_if(case)
    table = around(asked.question)
    assert table is not None
    planned, today = (ALL[name].get(asked.question) for name in ("use", "rent"))
    cell = table.npv[table.uses.index(planned)][table.rents.index(today)]
    assert abs(cell - asked.base.npv) < D("1e-15")
    for line in table.npv:
        assert list(line) == sorted(line), "a dearer rent never speaks for renting"


def test_what_is_never_used_has_no_table_of_use():
    question = what_if("base").question
    lots = tuple(replace(lot, use=D(0)) for lot in question.lots)
    assert around(replace(question, lots=lots)) is None


def test_the_memo_shows_the_bars_and_the_draws_of_the_study_as_they_are():
    made = memo("everything")
    soup = page(made)
    for bar in made.study.tornado.bars:
        for end, npv in (("low", bar.npv_low), ("high", bar.npv_high)):
            shown = figure(soup, f"tornado.{bar.span.driver}.{end}")
            assert D(shown["value"]) == npv
    drawn = made.study.monte_carlo
    for share, npv in drawn.quantiles:
        assert float(figure(soup, f"mc.p{share * 100:.0f}")["value"]) == npv
    assert float(figure(soup, "mc.buying_wins")["value"]) == drawn.buying_wins
    first = soup.find("section", class_="first").get_text(" ")
    assert f"{abs(drawn.quantile(0.1)):,.0f} CNY" in first
    assert f"{abs(drawn.quantile(0.9)):,.0f} CNY" in first


def test_the_probabilities_of_the_scenarios_add_up_and_so_does_what_is_expected():
    made = memo("everything")
    table = made.study.scenarios
    assert sum(case.probability for case in table.scenarios) == 1
    expected = sum(case.probability * case.npv for case in table.scenarios)
    shown = figure(page(made), "scenarios.expected")
    assert abs(D(shown["value"]) - expected) < D("1e-12")


def test_the_same_question_is_studied_the_same():
    made = memo("everything")
    from review_cases import everything

    _, problem = everything()
    assert studied(made.question, problem) == made.study
