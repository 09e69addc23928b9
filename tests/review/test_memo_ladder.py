"""Node by node, and how many are worth owning."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from memos import CURVE, memo
from review_cases import BASE, NODE, D, tiny

from optimizer.plans import Usage
from optimizer.review.memo.ladder import Ladder
from optimizer.review.memo.what_if import WhatIf

DAYS = 30
TWO = replace(BASE, days=DAYS, lots=(replace(NODE, nodes=2, sold=DAYS, residual=D("0.98")),))


def ladder(*usages, question=TWO):
    plan, _ = tiny()
    plan = replace(plan, first_day=date(2026, 12, 1), n_days=DAYS, usages=usages)
    return Ladder(WhatIf(question, (CURVE,)), plan)


def usage(nodes, hours, start=1, end=31, per_day=None):
    first, last = (int(part) for part in hours.split("-"))
    return Usage(
        NODE.option, D(nodes), date(2026, 12, start), date(2026, 12, end), hours,
        per_day or last - first, "",
    )  # fmt: skip


def test_the_first_node_works_when_any_is_needed_and_the_second_when_two_are():
    first, second = ladder(usage(2, "00-06"), usage(1, "06-18")).rungs()
    assert first.use == D(18) / 24
    assert second.use == D(6) / 24
    assert (first.days_used, second.days_used) == (30, 30)
    assert first.saving > second.saving
    assert second.so_far == first.saving + second.saving


def test_half_a_node_is_half_an_hour_of_work():
    first, second = ladder(usage("1.5", "00-12", start=1, end=16)).rungs()
    assert first.use == D(12) / 24 / 2
    assert second.use == D(6) / 24 / 2
    assert second.days_used == 15


def test_fewer_hours_than_the_window_are_spread_over_it():
    first, _ = ladder(usage(1, "00-12", per_day=6)).rungs()
    assert first.use == D(6) / 24


def test_a_node_that_never_works_saves_nothing_at_any_rent():
    _, second = ladder(usage(1, "00-24")).rungs()
    assert (second.use, second.days_used, second.even_rent) == (0, 0, None)
    assert second.saving < 0


def test_the_savings_of_the_nodes_add_up_to_the_npv():
    made = memo("everything")
    assert len(made.rungs) == sum(lot.nodes for lot in made.question.lots)
    apart = made.rungs[-1].so_far - made.npv
    assert abs(apart) <= D("1e-6") * made.base.known("capex")


def test_a_node_is_used_no_more_than_the_one_before_it():
    uses = [rung.use for rung in memo("everything").rungs]
    assert uses == sorted(uses, reverse=True)


def test_at_its_own_break_even_rent_a_node_saves_nothing():
    made = ladder(usage(2, "00-06"), usage(1, "06-18"))
    for index, rung in enumerate(made.rungs()):
        assert rung.even_rent is not None
        lots = (replace(TWO.lots[0], nodes=1, use=rung.use, rent=rung.even_rent),)
        npv = WhatIf(replace(TWO, lots=lots), (CURVE,)).base.npv
        assert abs(npv) <= D("1e-6") * NODE.price, index


@pytest.mark.parametrize("case", ["tiny", "everything"])
def test_more_rent_or_more_load_never_makes_fewer_nodes_worth_owning(case):
    regime = memo(case).regime
    for line in regime.nodes:
        assert list(line) == sorted(line)
    for column in zip(*regime.nodes, strict=True):
        assert list(column) == sorted(column)
    here = regime.nodes[regime.loads.index(Decimal(1))][regime.rents.index(Decimal(1))]
    assert here == sum(rung.saving > 0 for rung in memo(case).rungs)
