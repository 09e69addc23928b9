"""Gangs counted by the node, and windows that are no borders: bounds still hold."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from random_instances import larger

from optimizer.milp import relax as relaxing
from optimizer.milp.gangs import by_the_node
from optimizer.milp.instance import INF, GangOption, Instance, Job, Solution
from optimizer.milp.merge import alike_days, merge_days
from optimizer.milp.relax import Relaxation
from optimizer.milp.solve import SolveOptions, solve
from optimizer.milp.solver import run_solver
from optimizer.milp.variables import gang_columns

EXACT = SolveOptions(gap=1e-7, time_limit_s=20)
SLACK = 1 + 1e-6


def ganged(seed: int) -> Instance:
    """`larger` with gangs of one to three nodes, at sites of two sellers and by the hour."""
    rng = random.Random(seed)
    data = larger(seed, days=6, n_jobs=3)
    jobs = []
    for job in data.jobs:
        each = rng.uniform(0.5, 1.5)
        gangs = [GangOption(1, 1, each)]
        for n in (2, 3):
            rate = each * n * rng.uniform(0.9, 1.0)
            gangs += [GangOption(1, n, rate, site) for site in ("site-t1-1", "site-t1-3", "own")]
        hourly = data.hourly_offers[0]
        for n in (1, 2):
            cost = tuple(x * n for x in hourly.cost)
            rate = each * n * rng.uniform(0.9, 1.0)
            gangs.append(
                GangOption(0, n, rate, hourly.site, 0, cost, hourly.price * n, rented=True)
            )
        jobs.append(replace(job, gangs=tuple(gangs), work=min(job.work, 20.0)))
    limits = replace(data.limits, kilowatts=INF)
    return replace(data, jobs=tuple(jobs), limits=limits)


def soon() -> float:
    return time.monotonic() + 30


@pytest.mark.parametrize("seed", range(10))
def test_gangs_by_the_node_bound_the_optimum(seed: int) -> None:
    data = ganged(seed)
    exact = solve(data, EXACT)
    if not isinstance(exact, Solution):
        return
    days = alike_days((data,), 4, windows=False)
    for groups in (None, days):
        merged = merge_days(data, 4, groups).instance
        coarse, sources = by_the_node(merged)
        assert gang_columns(coarse) < gang_columns(merged)
        for job, found in zip(merged.jobs, sources, strict=True):
            assert sorted(g for ids in found for g in ids) == list(range(len(job.gangs)))
        fine = run_solver(relaxing.assemble_levels(merged)[0], EXACT, soon())
        rough = run_solver(relaxing.assemble_levels(coarse)[0], EXACT, soon())
        assert rough.bound <= fine.objective * SLACK
        assert fine.bound <= exact.objective * SLACK


@pytest.mark.parametrize("seed", range(6))
def test_the_road_with_gangs_by_the_node_leads_to_as_good_a_plan(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ganged(seed)
    exact = solve(data, EXACT)
    monkeypatch.setattr("optimizer.milp.solve.SMALL_COLUMNS", 0)
    monkeypatch.setattr(relaxing, "MANY_GANGS", 0)
    again = solve(data, EXACT)
    assert isinstance(again, Solution) == isinstance(exact, Solution)
    if isinstance(again, Solution) and isinstance(exact, Solution):
        assert again.bound <= exact.objective * SLACK
        assert again.objective >= exact.bound / SLACK


def test_a_node_of_a_gang_is_the_best_of_those_it_stands_for() -> None:
    gangs = (
        GangOption(0, 1, 10.0),
        GangOption(0, 2, 19.0, "x"),
        GangOption(0, 2, 19.0, "y"),
        GangOption(0, 2, 18.0, "own"),
        GangOption(0, 1, 9.0, "x", 0, (5.0,), 5.0),
        GangOption(0, 4, 40.0, "x", 0, (16.0,), 16.0),
    )
    data = replace(larger(0, days=1), jobs=(Job("j", 5.0, 0, 0, gangs),))
    coarse, sources = by_the_node(data)
    assert sources == [[[0, 1, 2], [3], [4, 5]]]
    pooled, owned, hourly = coarse.jobs[0].gangs
    assert (pooled.nodes, pooled.rate, pooled.site, pooled.most) == (1, 10.0, "", 2)
    assert (owned.rate, owned.site, owned.most) == (9.0, "own", 2)
    assert (hourly.rate, hourly.hour_cost, hourly.hour_cash, hourly.most) == (10.0, (4.0,), 4.0, 4)


def test_gangs_found_by_the_node_are_looked_for_among_all_they_stand_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relaxing, "MANY_GANGS", 0)
    data = ganged(3)
    relaxed = Relaxation.of(data, 4)
    values = [0.0] * len(relaxed.model.names)
    (j, g, _), column = next(iter(relaxed.v.run.items()))
    values[column] = 0.5
    assert relaxed.gangs is not None
    assert relaxed.used_gangs(values) == {(j, i) for i in relaxed.gangs[j][g]}
