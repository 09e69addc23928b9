"""Questions asked again with other assumptions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memos import CASES, CURVE, what_if
from review_cases import BASE, NODE, D

from optimizer.review.memo.levers import levers
from optimizer.review.memo.what_if import Position, WhatIf
from optimizer.review.workbook.outcomes import outcomes

TINY = D("1e-20")


@pytest.mark.parametrize("case", CASES)
def test_the_first_position_is_the_question_itself(case):
    asked = what_if(case)
    assert asked.moved(Position()) == asked.question
    for lever in levers(asked):
        assert abs(asked.at(lever.at(lever.now)).npv - asked.base.npv) < TINY * D(10) ** 6


@pytest.mark.parametrize("case", CASES)
def test_every_answer_is_that_of_the_workbook(case):
    asked = what_if(case)
    for outcome in outcomes(asked.question):
        assert asked.base.value(outcome.name) == outcome.value


@settings(max_examples=40, deadline=None)
@given(st.decimals("0.1", "3", places=2), st.decimals("0.1", "3", places=2))
def test_npv_is_a_straight_line_in_rental_and_purchase_prices(one, other):
    asked, middle = what_if("base"), (one + other) / 2
    for name in ("rent", "price"):
        ends = [asked.at(Position(**{name: f})).npv for f in (one, other)]
        between = asked.at(Position(**{name: middle})).npv
        assert abs(sum(ends) / 2 - between) < D("1e-15")


def test_what_is_kept_to_the_end_is_sold_at_a_new_end_at_the_share_of_that_age():
    asked = WhatIf(BASE, (CURVE,))
    (lot,) = asked.moved(Position(days=730)).lots
    assert (lot.sold, lot.residual) == (730, Decimal("0.5"))
    (longer,) = asked.moved(Position(days=2000)).lots
    assert (longer.sold, longer.residual) == (2000, Decimal("0.3"))


def test_what_is_sold_before_the_end_is_sold_on_the_same_day():
    early = replace(BASE, lots=(replace(NODE, sold=400),))
    asked = WhatIf(early, (CURVE,))
    assert asked.moved(Position(days=2000)).lots[0].sold == 400
    assert asked.moved(Position(days=300)).lots[0].sold == 300


def test_a_resale_never_brings_more_than_the_price():
    asked = WhatIf(BASE, (CURVE,))
    assert asked.moved(Position(residual=D(9))).lots[0].residual == 1


@pytest.mark.parametrize("case", CASES)
def test_the_crossover_ends_with_the_totals(case):
    base = what_if(case).base
    last = base.crossover()[-1]
    assert abs(last.rent - sum(base.flows.rent)) < TINY * 10**6
    assert abs(last.buy - sum(base.flows.buying)) < TINY * 10**6
    assert last.if_sold == last.buy
    assert abs(last.rent - last.buy - base.known("saving")) < TINY * 10**6


@pytest.mark.parametrize("case", CASES)
def test_selling_earlier_brings_something_and_never_more_than_was_paid(case):
    base = what_if(case).base
    paid = D(0)
    for number, at in enumerate(base.crossover()):
        paid += base.flows.purchase[number]
        assert 0 <= at.buy - at.if_sold <= paid


@pytest.mark.parametrize("case", ["everything", "base", "full"])
def test_points_of_the_break_even_curve_put_back_leave_no_npv(case):
    asked = what_if(case)
    use, capex = asked.base.known("utilisation"), asked.base.known("capex")
    factors = [D("0.9"), D(1), D("1.7")]
    for factor, point in zip(factors, asked.base.even_use(factors), strict=True):
        if point.use is None:
            continue
        put_back = asked.at(Position(rent=factor, use=point.use / use))
        assert abs(put_back.npv) <= D("1e-6") * capex
        assert abs(point.rent - asked.base.mean_rent * factor) < TINY
