"""What planning again may never do, on small random schedules and markets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import CLOSE, EXACT, as_followed, book, news, planned, schedule

from optimizer.errors import NoPlanError
from optimizer.milp.anytime import Watch
from optimizer.replan.run import replan
from optimizer.report.plan_json import plan_to_dict
from optimizer.verify import examine

seeds = st.integers(0, 10**6)
law = settings(deadline=None, max_examples=12, derandomize=True)


def followed_plan(seed: int):
    asked, prices = schedule(seed), book(seed)
    try:
        return asked, prices, planned(asked, prices)
    except NoPlanError:
        return None


@law
@given(seeds)
def test_planned_again_on_the_first_day_the_cost_is_the_same(seed: int) -> None:
    made = followed_plan(seed)
    if made is None:
        return
    asked, prices, old = made
    again = replan(asked, old, asked.first_day, prices, options=EXACT)
    assert again.npv == pytest.approx(old.document.npv, rel=CLOSE)
    assert again.replanned.sunk_total == 0
    assert not again.replanned_from.running


@law
@given(seeds, st.integers(1, 9))
def test_the_rest_never_costs_more_than_carrying_on(seed: int, day: int) -> None:
    made = followed_plan(seed)
    if made is None:
        return
    asked, prices, old = made
    today = asked.first_day + timedelta(min(day, asked.n_days - 1))
    again = replan(asked, old, today, prices, options=EXACT)
    room = Decimal(str(old.document.gap)) * abs(old.document.npv) + CLOSE * abs(old.document.npv)
    assert again.npv <= old.document.npv + room
    # The old plan was the best there is, and its first days are part of it.
    assert again.npv >= old.document.bound - room


@law
@given(seeds, st.integers(1, 9), st.sampled_from([0.5, 0.9, 1.3, 3.0]))
def test_a_plan_made_again_holds_and_its_changes_add_up(seed: int, day: int, factor: float) -> None:
    made = followed_plan(seed)
    if made is None:
        return
    asked, _, old = made
    today = asked.first_day + timedelta(min(day, asked.n_days - 1))
    prices = book(seed, factor, as_of=today)
    more = news("services: [{name: chat, factor: 1.1}]\nlost: [{node: 1xRTX4090}]")
    again = replan(asked, old, today, prices, more, EXACT)
    body = json.loads(json.dumps(plan_to_dict(again)))
    assert examine(body, asked, prices).faults == ()
    record = again.replanned
    whole = record.old_present_value + sum(c.present_value for c in record.changes)
    assert again.npv == pytest.approx(whole, rel=Decimal("1e-15"))
    assert again.total == pytest.approx(
        record.old_total + sum(c.total for c in record.changes), rel=Decimal("1e-15")
    )
    assert record.sunk_total + record.rest_total == again.total
    assert again.bound <= again.npv * (1 + CLOSE)


@law
@given(seeds, st.integers(1, 4), st.integers(1, 4))
def test_planning_again_twice_is_planning_again_once(seed: int, first: int, then: int) -> None:
    made = followed_plan(seed)
    if made is None:
        return
    asked, prices, old = made
    one = asked.first_day + timedelta(first)
    two = min(asked.last_day, one + timedelta(then))
    once = replan(asked, old, one, prices, options=EXACT)
    twice = replan(asked, as_followed(once, asked, prices), two, prices, options=EXACT)
    assert twice.npv == pytest.approx(once.npv, rel=CLOSE)


@law
@given(seeds, st.integers(1, 8), st.floats(1.0, 3.0))
def test_dearer_prices_never_make_the_rest_cheaper(seed: int, day: int, factor: float) -> None:
    made = followed_plan(seed)
    if made is None:
        return
    asked, prices, old = made
    today = asked.first_day + timedelta(min(day, asked.n_days - 1))
    now = replan(asked, old, today, prices, options=EXACT)
    later = replan(asked, old, today, book(seed, factor), options=EXACT)
    assert later.npv >= now.npv - CLOSE * abs(now.npv)


@pytest.mark.parametrize("seed", range(6))
def test_stopped_after_the_answer_is_there_only_the_causes_are_told_together(seed: int) -> None:
    made = followed_plan(seed)
    if made is None:
        return
    asked, _, old = made
    today = asked.first_day + timedelta(2)
    prices = book(seed, 1.5, as_of=today)
    more = news("services: [{name: chat, factor: 1.2}]\npaid: 5 CNY")
    whole = replan(asked, old, today, prices, more, EXACT)
    watch = Watch()

    def progress(step: str) -> None:
        if step.startswith("why the cost changed"):
            watch.stop()

    early = replan(asked, old, today, prices, more, replace(EXACT, watch=watch), progress=progress)
    assert (early.total, early.rentals, early.bought) == (whole.total, whole.rentals, whole.bought)
    assert early.warnings[0].startswith("stopped early: ")
    causes = [change.cause for change in early.replanned.changes]
    assert causes == ["optimiser, load and nodes, prices", "bills"]
    change = sum(x.total for x in early.replanned.changes)
    exactly = Decimal("1e-15")
    assert early.total == pytest.approx(early.replanned.old_total + change, rel=exactly)
    assert change == pytest.approx(sum(x.total for x in whole.replanned.changes), rel=exactly)


def test_stopped_before_anything_was_found_the_first_rest_is_told() -> None:
    asked, prices, old = followed_plan(3)
    watch = Watch()
    watch.stop()
    early = replan(asked, old, asked.first_day, prices, options=replace(EXACT, watch=watch))
    body = json.loads(json.dumps(plan_to_dict(early)))
    assert examine(body, asked, prices).faults == ()
    assert early.npv >= old.document.npv
