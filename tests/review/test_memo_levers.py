"""What flips the answer, how far each assumption swings it, and two at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memos import CASES, CURVE, what_if
from review_cases import BASE, NODE, D

from optimizer.review.memo.levers import flips, levers, tornado, two_way
from optimizer.review.memo.what_if import Position, WhatIf


@pytest.mark.parametrize("case", CASES)
def test_every_flip_value_put_back_leaves_no_npv(case):
    asked = what_if(case)
    found = flips(asked)
    assert found
    for flip in found:
        npv = asked.at(flip.lever.at(flip.value)).npv
        assert abs(npv) <= D("1e-6") * asked.base.known("capex"), flip.lever.name
        assert flip.left <= D("1e-6")


@pytest.mark.parametrize("case", ["everything", "base", "full"])
def test_flips_are_the_break_evens_of_the_workbook(case):
    asked = what_if(case)
    values = {flip.lever.name: flip.value for flip in flips(asked)}
    base = asked.base
    assert abs(values["price"] / base.known("capex") - base.known("break_even_price")) < D("1e-20")
    if "use" in values:
        assert abs(values["use"] - base.known("break_even_use")) < D("1e-20")
    if len(asked.question.lots) == 1:
        assert abs(values["rent"] - base.known("break_even_rent")) < D("1e-20")


def test_the_first_flip_is_the_smallest_relative_change():
    changes = [abs(flip.change) for flip in flips(what_if("base"))]
    assert changes == sorted(changes)


def test_values_that_cannot_be_flip_nothing():
    """Renting at 1 would need more than all hours, and a resale above the price."""
    asked = WhatIf(replace(BASE, lots=(replace(NODE, rent=D("0.4")),)), (CURVE,))
    assert {flip.lever.name for flip in flips(asked)}.isdisjoint({"use", "residual", "tariff"})


def test_sliders_stay_within_what_makes_sense():
    for case in CASES:
        for lever in levers(what_if(case)):
            ends = lever.value(lever.least), lever.value(lever.most)
            assert lever.least <= 0 <= lever.most
            assert lever.low <= ends[0], (case, lever.name)
            assert lever.high is None or ends[1] <= lever.high, (case, lever.name)
            assert what_if(case).at(lever.at(ends[0])).question.lots
            assert what_if(case).at(lever.at(ends[1])).question.lots


@pytest.mark.parametrize("case", CASES)
def test_the_tornado_is_widest_first_and_says_that_it_has_no_data(case):
    asked = what_if(case)
    rows = tornado(asked)
    assert [row.span for row in rows] == sorted((row.span for row in rows), reverse=True)
    for row in rows:
        lever = next(lever for lever in levers(asked) if lever.name == row.name)
        assert asked.at(lever.at(row.low)).npv == pytest.approx(row.npv_at_low)
        assert asked.at(lever.at(row.high)).npv == pytest.approx(row.npv_at_high)
        assert row.low < row.now < row.high or row.now in (row.low, row.high)
        assert row.source == "no_data"


def test_a_discount_rate_of_nought_has_no_fifth():
    assert "rate" not in {row.name for row in tornado(WhatIf(BASE, (CURVE,)))}


@pytest.mark.parametrize("case", CASES)
def test_the_planned_cell_of_two_at_a_time_is_the_npv(case):
    asked = what_if(case)
    table = two_way(asked)
    assert table is not None
    cell = table.npv[table.planned][table.quoted]
    assert abs(cell - asked.base.npv) < D("1e-15")
    assert list(table.uses) == sorted(table.uses)
    for line in table.npv:
        assert list(line) == sorted(line), "a dearer rent never speaks for renting"


def test_what_is_never_used_has_no_table_of_use():
    asked = WhatIf(replace(BASE, lots=(replace(NODE, use=D(0)),)), (CURVE,))
    assert two_way(asked) is None
    assert "use" not in {lever.name for lever in levers(asked)}
    assert asked.at(Position(rent=D(2))).npv == asked.base.npv
