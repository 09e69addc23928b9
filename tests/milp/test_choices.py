"""Sellers counted, changes charged, use asked for: against enumeration."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations

import pytest
from brute_force import least_cost
from random_instances import tiny
from test_merge import steady

from optimizer.milp import solve as solving
from optimizer.milp.assemble import assemble
from optimizer.milp.choices import is_made
from optimizer.milp.instance import INF, Choice, Instance, Solution
from optimizer.milp.merge import merge_days
from optimizer.milp.polish import can_polish, objective
from optimizer.milp.solve import SolveOptions, solve
from optimizer.milp.solver import run_solver

EXACT = SolveOptions(gap=1e-9)
SLACK = 1 + 1e-6


def sellers_of(data: Instance, seed: int) -> tuple[Choice, ...]:
    """Each term offer of its own seller; who rents by the hour also answers by the token."""
    terms = tuple(
        Choice(offer.name, terms=(o,), counted=True) for o, offer in enumerate(data.term_offers)
    )
    apis = tuple((v, a) for v, s in enumerate(data.services) for a in range(len(s.apis)))
    hourly = tuple(range(len(data.hourly_offers)))
    if seed % 2:
        return (*terms, Choice("cloud", hourly=hourly, apis=apis, counted=True))
    by_hour, by_token = Choice("h", hourly=hourly, counted=True), Choice("api", apis=apis)
    return (*terms, by_hour, replace(by_token, counted=True))


def with_sellers(data: Instance, seed: int, most: float) -> Instance:
    choices = sellers_of(data, seed)
    return replace(data, choices=choices, limits=replace(data.limits, sellers=most))


def only(data: Instance, kept: tuple[Choice, ...]) -> Instance:
    """The same without what other sellers offer."""
    terms = {o for choice in kept for o in choice.terms}
    hourly = {h for choice in kept for h in choice.hourly}
    apis = {pair for choice in kept for pair in choice.apis}
    return replace(
        data,
        term_offers=tuple(
            offer if o in terms else replace(offer, stock=0)
            for o, offer in enumerate(data.term_offers)
        ),
        hourly_offers=tuple(
            offer if h in hourly else replace(offer, stock=0)
            for h, offer in enumerate(data.hourly_offers)
        ),
        services=tuple(
            replace(s, apis=tuple(api for a, api in enumerate(s.apis) if (v, a) in apis))
            for v, s in enumerate(data.services)
        ),
        jobs=tuple(
            replace(job, gangs=tuple(g for g in job.gangs if g.hourly < 0 or g.hourly in hourly))
            for job in data.jobs
        ),
    )


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_the_best_plan_with_few_sellers_is_the_best_over_all_sets_of_sellers(first: int) -> None:
    for seed in range(first, first + 20):
        data = tiny(seed)
        choices = sellers_of(data, seed)
        for most in (1, 2):
            tried = min(least_cost(only(data, kept)) for kept in combinations(choices, most))
            found = solve(with_sellers(data, seed, most), EXACT)
            cost = found.objective if isinstance(found, Solution) else INF
            assert cost == pytest.approx(tried, rel=1e-6), f"tiny({seed}), {most} sellers"


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_merged_days_stay_a_bound_with_sellers_charges_and_least_use(first: int) -> None:
    for seed in range(first, first + 20):
        data = with_sellers(steady(seed), seed, 1 + seed % 2)
        asked = Choice("asked", terms=(0,), charge=3.0, least=2.0 * (seed % 3 == 0))
        more = Choice("more", assets=tuple(range(len(data.assets))), charge=4.0)
        data = replace(data, choices=(*data.choices, asked, more))
        raw = run_solver(assemble(merge_days(data, 7).instance)[0], EXACT, time.monotonic() + 20)
        found = solve(data, EXACT)
        if isinstance(found, Solution):
            assert raw.bound <= found.objective * SLACK, f"steady({seed})"


def test_the_merged_route_keeps_the_number_of_sellers(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        data = with_sellers(steady(seed), seed, 1)
        exact = solve(data, EXACT)
        with monkeypatch.context() as patch:
            patch.setattr(solving, "SMALL_COLUMNS", 0)
            found = solve(data, SolveOptions(gap=0.01))
        assert isinstance(exact, Solution) == isinstance(found, Solution), f"steady({seed})"
        if isinstance(exact, Solution) and isinstance(found, Solution):
            assert sum(is_made(data, choice, found) for choice in data.choices) <= 1
            assert found.bound <= exact.objective * SLACK
            assert found.objective >= exact.objective / SLACK


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_a_charge_is_paid_only_where_the_choice_is_worth_more(first: int) -> None:
    """The charged optimum is the better of: never make the choice, or pay for it."""
    for seed in range(first, first + 20):
        data = tiny(seed)
        charged = replace(data, choices=(Choice("t0", terms=(0,), charge=6.0),))
        found = solve(charged, EXACT)
        without = replace(data.term_offers[0], stock=0)
        others = replace(data, term_offers=(without, *data.term_offers[1:]))
        tried = min(least_cost(others), least_cost(data) + 6.0)
        cost = found.objective if isinstance(found, Solution) else INF
        assert cost == pytest.approx(tried, rel=1e-6), f"tiny({seed})"
        if isinstance(found, Solution):
            assert objective(charged, found) == pytest.approx(cost)


def test_buying_more_or_fewer_than_kept_is_a_choice_each() -> None:
    made = {True: 0, False: 0}
    for seed in range(80):
        data = tiny(seed)
        if not data.assets:
            continue
        kept = (
            Choice("more", assets=(0,), beyond=0, charge=1e6),
            Choice("fewer", assets=(0,), fewer=1, charge=1e6),
        )
        found = solve(replace(data, choices=kept), EXACT)
        if isinstance(found, Solution):
            more, fewer = (is_made(data, choice, found) for choice in kept)
            assert more != fewer, "one node is bought, or none is"
            assert more == bool(found.hold)
            made[more] += 1
    assert made[True] + made[False] > 20


def test_least_use_is_met_at_the_least_cost() -> None:
    for seed in range(40):
        data = tiny(seed)
        if not data.hourly_offers:
            continue
        asked = replace(data, choices=(Choice("h", hourly=(0,), least=1.0),))
        free, forced = solve(data, EXACT), solve(asked, EXACT)
        if not isinstance(free, Solution) or not isinstance(forced, Solution):
            continue
        assert forced.objective >= free.objective - 1e-6
        used = sum(data.slices[s].hours * n for (_, s), n in forced.hourly.items())
        by_hour = {(j, g) for j, job in enumerate(data.jobs) for g, x in enumerate(job.gangs)
                   if x.hourly == 0}  # fmt: skip
        used += sum(n for (j, g, _), n in forced.hours.items() if (j, g) in by_hour)
        assert used >= 1 - 1e-9


def test_days_that_share_choices_are_not_polished_one_by_one() -> None:
    data = replace(tiny(3), limits=replace(tiny(3).limits, budget=()))
    assert not can_polish(replace(data, choices=(Choice("x", terms=(0,), charge=1.0),)))
    assert not can_polish(replace(data, limits=replace(data.limits, sellers=2)))
