"""The daily model finds the true optimum: against enumeration, and against a second solver."""

from __future__ import annotations

import pytest
from brute_force import least_cost
from random_instances import larger, tiny

from optimizer.milp.instance import Instance, Solution
from optimizer.milp.polish import objective
from optimizer.milp.solve import NoSolution, SolveOptions, solve

EXACT = SolveOptions(gap=1e-9)
CLOSE = 0.02
TINY_SEEDS = 240
LARGER_SEEDS = 200
BATCH = 20


def cost(data: Instance, options: SolveOptions = EXACT) -> float:
    found = solve(data, options)
    if isinstance(found, NoSolution):
        assert found.infeasible
        return float("inf")
    assert found.bound <= found.objective
    assert found.objective == pytest.approx(objective(data, found))
    return found.objective


@pytest.mark.parametrize("first", range(0, TINY_SEEDS, BATCH))
def test_the_solver_finds_what_trying_every_plan_finds(first: int) -> None:
    for seed in range(first, first + BATCH):
        data = tiny(seed)
        assert cost(data) == pytest.approx(least_cost(data), rel=1e-6), f"tiny({seed})"


def test_tiny_instances_cover_what_they_are_for() -> None:
    """Each feature is there in some instance that has a plan, and some have none."""
    made = [tiny(seed) for seed in range(TINY_SEEDS // 2)]
    solved = [(data, solve(data, EXACT)) for data in made]
    plans = [(data, found) for data, found in solved if isinstance(found, Solution)]
    assert 5 < len(made) - len(plans) < 40
    assert sum(bool(found.start) for _, found in plans) > 20
    assert sum(bool(found.hourly) for _, found in plans) > 5
    assert sum(bool(found.hold) for _, found in plans) > 5
    assert sum(bool(found.busy) for _, found in plans) > 5
    assert sum(bool(found.api) for _, found in plans) > 5
    assert sum(bool(found.serve) for _, found in plans) > 20
    assert sum(bool(found.run) for _, found in plans) > 20
    assert sum(bool(found.hours) for _, found in plans) > 5
    assert sum(bool(found.moved) for _, found in plans) > 5
    assert sum(any(job.contiguous for job in data.jobs) for data, _ in plans) > 10
    assert sum(any(job.after for job in data.jobs) for data, _ in plans) > 20
    assert sum(bool(data.limits.budget) for data, _ in plans) > 20
    sites = {data.jobs[j].gangs[g].site for data, found in plans for j, g, _ in found.run}
    assert sites >= {"", "own", "site-t0"}


@pytest.mark.parametrize("first", range(0, LARGER_SEEDS, BATCH))
def test_two_solvers_agree(first: int) -> None:
    for seed in range(first, first + BATCH):
        data = larger(seed, days=3, n_jobs=2)
        one = solve(data, SolveOptions(gap=CLOSE))
        other = solve(data, SolveOptions(gap=CLOSE, solver="GSCIP"))
        assert type(one) is type(other), f"larger({seed})"
        if isinstance(one, Solution) and isinstance(other, Solution):
            slack = 1 + 1e-9
            assert one.bound <= other.objective * slack, f"larger({seed})"
            assert other.bound <= one.objective * slack, f"larger({seed})"
            assert max(one.gap, other.gap) <= CLOSE + 1e-3
