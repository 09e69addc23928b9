"""Mixes on the anytime road: a first plan, worths in place of routes, a search that is ended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from random_instances import larger, tiny, with_sizes
from test_merge import steady

from optimizer.milp import solve as solving
from optimizer.milp.anytime import Watch
from optimizer.milp.assemble import assemble
from optimizer.milp.encode import encode, keeps_rows
from optimizer.milp.first import first_plan, is_plan
from optimizer.milp.instance import Instance, Solution
from optimizer.milp.polish import objective
from optimizer.milp.routing import routes
from optimizer.milp.solve import NoSolution, SolveOptions, solve

EXACT = SolveOptions(gap=1e-7, time_limit_s=20)
SLACK = 1 + 1e-6


def mixes(first: int, last: int) -> list[Instance]:
    made = [with_sizes(tiny(seed), seed, apis=seed % 2 == 1) for seed in range(first, last)]
    return [data for data in made if any(any(s.load) for s in data.services)]


def can_be_routed(data: Instance, found: Solution) -> bool:
    """Counted from the routes themselves: every size served whole, no replica without time."""
    split = routes(data, found)
    for v, service in enumerate(data.services):
        for s, load in enumerate(service.load):
            for b in range(len(service.buckets) if load else 0):
                served = sum(x for (i, k, _, t), x in split.items() if (i, k, t) == (v, b, s))
                bought = sum(
                    found.api.get((v, a, s), 0.0)
                    for a, api in enumerate(service.apis)
                    if api.bucket == b
                )
                if served + bought / service.bucket_load(b, s) < 1 / SLACK:
                    return False
            for c in range(len(service.replicas)):
                busy = sum(
                    x * service.busy_replicas(b, c, s)
                    for (i, b, k, t), x in split.items()
                    if (i, k, t) == (v, c, s)
                )
                if busy > found.serve.get((v, c, s), 0) * SLACK + 1e-6:
                    return False
    return True


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_a_first_plan_of_mixes_keeps_every_row_and_can_be_routed(first: int) -> None:
    for data in mixes(first, first + 20):
        found = first_plan(data)
        if found is None:
            continue
        model, v = assemble(data)
        values = encode(data, model, v, found)
        assert values is not None
        assert v.route
        assert keeps_rows(model, values)
        assert can_be_routed(data, found)
        assert found.objective == pytest.approx(objective(data, found))
        best = solve(data, EXACT)
        assert isinstance(best, Solution)
        assert found.objective >= best.objective / SLACK


def test_a_first_plan_of_mixes_is_there_for_most_that_have_one() -> None:
    possible = [data for data in mixes(0, 160) if isinstance(solve(data, EXACT), Solution)]
    found = [data for data in possible if first_plan(data) is not None]
    assert len(possible) > 60
    assert len(found) > 0.8 * len(possible)


def test_a_plan_of_mixes_with_a_replica_too_few_is_none() -> None:
    changed = 0
    for data in mixes(0, 60):
        best = solve(data, EXACT)
        if isinstance(best, NoSolution) or not best.serve:
            continue
        assert is_plan(data, best)
        key, n = max(best.serve.items(), key=lambda item: item[0])
        fewer = replace(best, serve={**best.serve, key: n - 1})
        if not can_be_routed(data, fewer):
            changed += 1
            assert not is_plan(data, fewer)
    assert changed > 20


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_a_first_plan_changes_no_optimum_of_mixes(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in mixes(first, first + 20):
        without = solve(data, EXACT)
        with monkeypatch.context() as patch:
            patch.setattr(solving, "TINY_COLUMNS", 0)
            given = solve(data, EXACT)
        assert type(without) is type(given)
        if isinstance(without, Solution) and isinstance(given, Solution):
            assert given.objective == pytest.approx(without.objective, rel=1e-6)


@pytest.mark.parametrize("small", [20_000, 0])
def test_mixes_told_by_worths_get_plans_within_their_bounds(
    small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are, and with merged days; against the optimum of the model with routes."""
    plans = 0
    for seed in range(12):
        data = with_sizes(steady(seed), seed, apis=True)
        exact = solve(data, EXACT)
        with monkeypatch.context() as patch:
            patch.setattr(solving, "TINY_COLUMNS", 0)
            patch.setattr(solving, "ROUTED_COLUMNS", 0)
            patch.setattr(solving, "SMALL_COLUMNS", small)
            found = solve(data, SolveOptions(gap=0.01, time_limit_s=5))
        assert type(exact) is type(found), f"steady({seed})"
        if isinstance(exact, Solution) and isinstance(found, Solution):
            plans += 1
            assert can_be_routed(data, found), f"steady({seed})"
            assert found.bound <= exact.objective * SLACK, f"steady({seed})"
            assert found.objective >= exact.objective / SLACK, f"steady({seed})"
    assert plans > 6


def test_a_mix_that_is_large_takes_the_road_of_worths(monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_sizes(larger(2, days=60, n_jobs=2), 2)
    told: list[bool] = []
    real = solving.run_solver

    def run_solver(model: object, *args: object, **rest: object) -> object:
        names = model.names  # type: ignore[attr-defined]
        told.append(not any(name.startswith("route[") for name in names))
        return real(model, *args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(solving, "run_solver", run_solver)
    assert solving.about_columns(data) > solving.ROUTED_COLUMNS
    found = solve(data, SolveOptions(gap=0.02, time_limit_s=4))
    assert isinstance(found, Solution)
    assert told
    assert all(told)
    assert can_be_routed(data, found)
    assert is_plan(data, found)
    assert found.bound <= found.objective


class Patience(Watch):
    """Stops the search when it was looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    @property
    def stopped(self) -> bool:
        self.looks -= 1
        return self.looks < 0


@pytest.mark.parametrize("looks", [0, 1, 3, 8, 21, 55])
def test_a_search_of_mixes_that_is_stopped_never_returns_what_cannot_be_routed(
    looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by one worth only at first, so that what is found on the way lacks replicas."""

    def with_few(data: Instance, *_: object) -> Instance:
        return replace(
            data,
            services=tuple(
                replace(s, worths=((1.0,) * len(s.buckets),)) if s.buckets else s
                for s in data.services
            ),
        )

    monkeypatch.setattr(solving, "ROUTED_COLUMNS", 0)
    monkeypatch.setattr(solving, "with_worths", with_few)
    plans = 0
    for seed in range(2):
        data = with_sizes(larger(seed, days=3, n_jobs=1), seed, apis=True)
        late = solve(data, SolveOptions(gap=0.02, time_limit_s=4))
        early = solve(data, SolveOptions(gap=0.02, time_limit_s=4, watch=Patience(looks)))
        if isinstance(early, Solution):
            plans += 1
            assert can_be_routed(data, early)
            assert is_plan(data, early)
            assert isinstance(late, Solution)
            assert early.bound <= late.objective * SLACK
    assert plans > 0
