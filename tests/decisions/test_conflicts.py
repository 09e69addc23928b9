"""No plan: a smallest set of rules that clash, and the least change of each, by hand counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_market import market, offer, schedule

from optimizer.api import plan
from optimizer.conflicts import Conflict, conflict_lines, find_conflict
from optimizer.conflicts.rules import rules_in_force
from optimizer.errors import NoPlanError
from optimizer.formulate import formulate
from optimizer.milp.instance import Solution
from optimizer.milp.solve import NoSolution, SolveOptions, solve
from optimizer.problem import Problem, gather
from optimizer.schedule.schedule import Schedule
from providers.offers import OfferBook

OPTIONS = SolveOptions(gap=0.01)
BOOK = market("acme 1xRTX4090 day 40")
TUNE = """  - {name: tune, kind: training, gpu_hours: 60 GPU-hours, gpu: A800,
      hardware: {allow: [A800]}, release: 2026-12-02, deadline: 2026-12-03}"""


def conflict(what: Schedule, book: OfferBook = BOOK) -> tuple[Conflict, Problem]:
    problem = gather(what, book)
    assert isinstance(solve(formulate(problem).instance), NoSolution)
    found = find_conflict(problem, OPTIONS)
    assert found.minimal
    assert found.settled
    return found, problem


def said(found: Conflict) -> tuple[set[str], set[str]]:
    return {rule.words for rule in found.rules}, {item.words for item in found.relaxations}


def test_a_budget_that_is_too_small_by_a_known_amount() -> None:
    """Three cards on two days cost 240; 180 may be spent; 75 % of the cards is not a whole one."""
    found, _ = conflict(schedule(3, 3, limits="budget: {2026-12: 180 CNY}"))
    rules, changes = said(found)
    assert rules == {"'chat' carries its load", "the budget of 2026-12, 180 CNY"}
    money = next(item for item in found.relaxations if item.words.startswith("the budget"))
    assert 60 <= money.amount <= 60 * 1.03
    assert money.too_little < 60
    assert money.cost == pytest.approx(240)
    assert any(words.startswith("'chat' with 34 % less load") for words in changes)


def test_the_cheapest_change_comes_first() -> None:
    found, _ = conflict(schedule(3, 3, limits="budget: {2026-12: 180 CNY}"))
    costs = [item.cost for item in found.relaxations]
    assert costs == sorted(costs)
    lines = list(conflict_lines(found, "CNY"))
    assert lines[0].startswith("these cannot all be kept")
    assert "each of these changes by itself would do, the cheapest plan first:" in lines


def test_a_workload_that_has_nothing_to_do_with_it_is_not_blamed() -> None:
    """One card does 60 hours in three days; it has two, and cards are sold one at a time."""
    book = market("acme 1xRTX4090 day 40", offer("core 1xA800 hour 2", max_units=1))
    what = schedule(1, 1, 1, 1, 1, more=TUNE, limits="budget: {2026-12: 1000 CNY}")
    found, _ = conflict(what, book)
    rules, changes = said(found)
    assert rules == {"'tune' is done", "'tune' is released on 2026-12-02",
                     "the deadline of 'tune', 2026-12-03"}  # fmt: skip
    assert "the deadline of 'tune' 1 day later (2026-12-04)" in changes
    assert "the release of 'tune' 1 day earlier (2026-12-01)" in changes
    assert "'tune' with 20 % less work" in changes


def test_sellers_purchases_and_stock_are_rules_too() -> None:
    book = market("acme 1xRTX4090 day 40", "core 1xA800 day 10")
    other = """
  - name: other
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {allow: [A800]}
    measured: [{on: 1xA800, tokens: 15 tokens/s, users: 1}]
    phases: [{users: 1}]"""
    what = schedule(1, gpus="RTX4090", more=other, limits="max_providers: 1")
    rules, changes = said(conflict(what, book)[0])
    assert "at most 1 provider(s)" in rules
    assert "1 more provider" in changes
    few = market(offer("acme 1xRTX4090 day 40", max_units=1))
    what = schedule(4, buy="{node: 1xRTX4090, price: 100 CNY, max: 2}")
    rules, changes = said(conflict(what, few)[0])
    assert rules == {"'chat' carries its load", "sellers have only so much in stock",
                     "at most 2 x 1xRTX4090 may be bought"}  # fmt: skip
    assert "buying up to 3 x 1xRTX4090 (max)" in changes
    assert "if the sellers had more in stock" in changes


def test_rules_of_the_market_are_gathered_anew_without_them() -> None:
    near, far = offer("acme 1xRTX4090 day 40", max_units=1), offer("acme 1xRTX4090 hour 9")
    book = market(near, replace(far, region="us"))
    what = schedule(2)
    regions = what.document.market.regions.model_copy(update={"allow": ["cn"]})
    rules_of = what.document.market.model_copy(update={"regions": regions})
    document = what.document.model_copy(update={"market": rules_of})
    rules, changes = said(conflict(replace(what, document=document), book)[0])
    assert "the regions that are allowed: cn" in rules
    assert "with all regions" in changes


def test_power_and_rack_of_the_site() -> None:
    buy = "{node: 1xRTX4090, price: 10 CNY, max: 3, busy_power: 1000 W, rack_units: 4}"
    for limits, rule, change in (
        ("power: 1 kW", "the site has 1 kW", "1 kW more power"),
        ("rack_units: 5", "the site has 5 rack units", "3 more rack units"),
    ):
        problem = gather(schedule(2, buy=buy, limits=limits), market())
        found = find_conflict(problem, OPTIONS)
        rules, changes = said(found)
        assert rules == {"'chat' carries its load", rule}
        assert any(words.startswith(change[:1]) and change[2:] in words for words in changes)


def test_every_rule_of_the_clash_is_needed() -> None:
    """The set is irreducible: lift any one of its rules, keep the others, and there is a plan."""
    book = market("acme 1xRTX4090 day 40", offer("core 1xA800 hour 2", max_units=1))
    for limits in ("budget: {2026-12: 150 CNY}", "cash: 100 CNY", "max_providers: 1"):
        found, problem = conflict(schedule(1, 1, 1, 1, 1, more=TUNE, limits=limits), book)
        names = {rule.words for rule in found.rules}
        others = [rule for rule in rules_in_force(problem) if rule.words not in names]
        for number in range(len(found.rules)):
            eased = problem
            for rule in (*others, found.rules[number]):
                eased = rule.lift(eased)
            assert isinstance(solve(formulate(eased).instance), Solution)


def test_a_plan_that_cannot_be_says_all_this() -> None:
    with pytest.raises(NoPlanError) as caught:
        plan(schedule(3, 3, limits="budget: {2026-12: 180 CNY}"), BOOK, OPTIONS)
    text = str(caught.value)
    assert text.startswith("no plan exists:\n  these cannot all be kept")
    assert "the budget of 2026-12 6" in text
    assert "CNY more: about 240 CNY in present value" in text


def test_two_clashes_at_once_are_told_to_need_more_than_one_change() -> None:
    """The tune lacks a day on one card, and the chat costs 200 of the 150 there are."""
    buy = "{node: 1xA800, price: 10 CNY, max: 1}"
    what = schedule(1, 1, 1, 1, 1, gpus="RTX4090", more=TUNE, buy=buy, limits="cash: 150 CNY")
    found, _ = conflict(what)
    assert not found.relaxations
    first, second = said(found)[0], {rule.words for rule in found.also}
    assert {"'tune' is done", "'chat' carries its load"} == (first | second) & {
        "'tune' is done", "'chat' carries its load",
    }  # fmt: skip
    assert first != second
    assert any("no single change is enough" in line for line in conflict_lines(found, "CNY"))
