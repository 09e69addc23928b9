"""Every figure that a memo shows can be asked where it comes from."""

from __future__ import annotations

import math

import pytest
from bs4 import BeautifulSoup
from memos import PLANS, memo
from review_cases import everything

from optimizer.cli.review import Material
from optimizer.review.figure import explain
from optimizer.review.memo.figures import memo_figures
from optimizer.review.memo.page import memo_html


@pytest.mark.parametrize("case", sorted(PLANS))
def test_every_figure_of_the_memo_is_explained_with_the_same_value(case):
    plan, problem = PLANS[case]()
    made = memo(case)
    known = {}
    figures = Material(plan, lambda: (problem.schedule, problem.costs.book)).figures(["mc.mean"])
    for figure in figures:
        for part in figure.walk():
            known.setdefault(part.name, part)
    shown = BeautifulSoup(memo_html(made), "html.parser").find_all("data")
    assert len(shown) > 80
    for element in shown:
        key, value = element["data-figure"], element["value"]
        found = known[key]
        if found.value is None:
            assert found.code, key
        else:
            assert math.isclose(float(found.value), float(value), rel_tol=1e-9, abs_tol=1e-9), key


@pytest.mark.parametrize("case", sorted(PLANS))
def test_what_follows_from_its_inputs_can_be_done_again(case):
    _, problem = PLANS[case]()
    for figure in memo_figures(memo(case), problem):
        for part in figure.walk():
            again = part.recomputed
            if again is not None and part.value is not None:
                assert math.isclose(again, part.value, rel_tol=1e-12, abs_tol=1e-12), part.name
        assert all(part.source or part.formula or part.note or part.code for part in figure.walk())


def test_a_derivation_is_told_down_to_what_is_given():
    _, problem = everything()
    figures = {figure.name: figure for figure in memo_figures(memo("everything"), problem)}
    text = "\n".join(explain(figures["ladder.1.saving"]))
    assert "usages of the plan" in text
    assert "pv_rent - pv_buy" in text
    assert "seed 1" in "\n".join(explain(figures["mc.p10"]))
