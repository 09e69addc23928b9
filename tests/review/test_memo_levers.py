"""What the sliders of a memo may move, and how far."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memos import CASES, CURVE, what_if
from review_cases import BASE, NODE, D

from optimizer.review.memo.levers import levers
from optimizer.review.memo.what_if import Position, WhatIf


@pytest.mark.parametrize("case", CASES)
def test_sliders_stay_within_what_makes_sense(case):
    for lever in levers(what_if(case)):
        ends = lever.value(lever.least), lever.value(lever.most)
        assert lever.least <= 0 <= lever.most
        assert lever.low <= ends[0], lever.name
        assert lever.high is None or ends[1] <= lever.high, lever.name
        for value in ends:
            assert what_if(case).at(lever.at(value)).question.lots


def test_what_is_never_used_has_no_slider_of_use():
    asked = WhatIf(replace(BASE, lots=(replace(NODE, use=D(0)),)), (CURVE,))
    assert "use" not in {lever.name for lever in levers(asked)}
    assert asked.at(Position(rent=D(2))).npv == asked.base.npv


def test_what_brings_nothing_when_sold_has_no_slider_of_resale():
    assert "residual" not in {lever.name for lever in levers(what_if("scrap"))}
    assert "residual" in {lever.name for lever in levers(what_if("base"))}
