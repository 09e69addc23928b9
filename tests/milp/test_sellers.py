"""Branch and bound over sellers: against enumeration, and against the model that counts them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from brute_force import least_cost
from random_instances import tiny
from test_choices import only, sellers_of, with_sellers
from test_merge import steady

from optimizer.milp.anytime import Known, Watch
from optimizer.milp.choices import is_made
from optimizer.milp.fewer import only_sellers
from optimizer.milp.first import is_plan
from optimizer.milp.instance import INF, Choice, Instance, Solution
from optimizer.milp.polish import objective
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import NoSolution, SolveOptions, solve

EXACT = SolveOptions(gap=1e-9)
SLACK = 1 + 1e-6


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_it_is_the_best_over_all_sets_of_sellers(first: int) -> None:
    for seed in range(first, first + 20):
        data = tiny(seed)
        choices = sellers_of(data, seed)
        for most in (1, 2):
            tried = min(least_cost(only(data, kept)) for kept in combinations(choices, most))
            found = solve_any(with_sellers(data, seed, most), EXACT)
            cost = found.objective if isinstance(found, Solution) else INF
            assert cost == pytest.approx(tried, rel=1e-6), f"tiny({seed}), {most} sellers"
            if isinstance(found, NoSolution):
                assert found.infeasible


def crowded(seed: int) -> Instance:
    """Five sellers or more for one service and a job."""
    data = with_sellers(steady(seed), seed, 1 + seed % 3)
    asked = Choice("asked", terms=(0,), charge=3.0, least=2.0 * (seed % 3 == 0))
    more = Choice("more", assets=tuple(range(len(data.assets))), charge=4.0)
    return replace(data, choices=(*data.choices, asked, more))


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_it_agrees_with_the_model_that_counts_sellers(first: int) -> None:
    met = 0
    for seed in range(first, first + 20):
        data = crowded(seed)
        found, counted = solve_any(data, EXACT), solve(data, EXACT)
        assert isinstance(found, Solution) == isinstance(counted, Solution), f"crowded({seed})"
        if isinstance(found, Solution) and isinstance(counted, Solution):
            met += 1
            assert found.objective == pytest.approx(counted.objective, rel=1e-6)
            assert found.bound <= counted.objective * SLACK
            assert is_plan(data, found), "its numbers are those of the whole instance"
            assert objective(data, found) == pytest.approx(found.objective)
            made = [c for c in data.choices if c.counted and is_made(data, c, found)]
            assert len(made) <= data.limits.sellers
    assert met > 5


@pytest.mark.parametrize("gap", [0.02, 0.2])
def test_a_wide_gap_ends_it_early_with_a_bound_that_holds(gap: float) -> None:
    for seed in range(20):
        data = crowded(seed)
        found, exact = solve_any(data, SolveOptions(gap=gap)), solve(data, EXACT)
        if isinstance(found, Solution) and isinstance(exact, Solution):
            assert found.gap <= gap * SLACK
            assert found.bound <= exact.objective * SLACK
            assert found.objective >= exact.objective / SLACK


def test_what_the_watch_hears_holds_for_all_plans() -> None:
    """A bound of some sellers is no bound of all; a plan of some is a plan."""
    for seed in range(15):
        data = crowded(seed)
        heard: list[Known] = []
        found = solve_any(data, replace(EXACT, watch=Watch(heard.append)))
        if isinstance(found, Solution):
            assert heard
            assert all(known.bound <= found.objective * SLACK for known in heard)
            assert all(known.objective >= found.objective / SLACK for known in heard)


class _Impatient(Watch):
    """Stops whatever it hears of."""

    def saw(self, objective: float = INF, bound: float = -INF) -> None:
        super().saw(objective, bound)
        self.stop()


def test_a_search_that_is_stopped_gives_what_it_has() -> None:
    for seed in range(15):
        data = crowded(seed)
        watch = _Impatient()
        found, exact = solve_any(data, replace(EXACT, watch=watch)), solve(data, EXACT)
        if isinstance(exact, NoSolution):
            continue
        assert found.bound <= exact.objective * SLACK
        if isinstance(found, Solution):
            assert is_plan(data, found)
        else:
            assert not found.infeasible


def test_a_limit_that_does_not_bind_is_not_counted() -> None:
    data = with_sellers(steady(1), 1, INF)
    many = replace(data, limits=replace(data.limits, sellers=len(data.choices)))
    found, free = solve_any(many, EXACT), solve(replace(data, choices=()), EXACT)
    assert isinstance(found, Solution)
    assert isinstance(free, Solution)
    assert found.objective == pytest.approx(free.objective, rel=1e-9)


def test_all_sellers_are_all_of_the_instance() -> None:
    for seed in range(20):
        data = with_sellers(tiny(seed), seed, 1)
        fewer = only_sellers(data, range(len(data.choices)))
        free = replace(data, choices=(), limits=replace(data.limits, sellers=INF))
        assert fewer.instance == free
