"""Some days by themselves: what is there, and that answers of them fit into the whole plan."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from random_instances import larger

from optimizer.milp import solve as solving
from optimizer.milp.first import is_plan
from optimizer.milp.instance import (
    INF,
    Asset,
    GangOption,
    HourlyOffer,
    Instance,
    Job,
    ReplicaOption,
    Service,
    SlicePoint,
    Solution,
)
from optimizer.milp.polish import days_are_tied, objective, spliced
from optimizer.milp.realize import job_groups, rearranged
from optimizer.milp.solve import SolveOptions, solve
from optimizer.milp.stretch import Kept, Stretch, running

EXACT = SolveOptions(gap=1e-7, time_limit_s=20)
SLACK = 1 + 1e-6


def apart(seed: int) -> Instance:
    """`larger` without what ties days together, and with jobs early and late."""
    data = larger(seed, days=10, n_jobs=4)
    jobs = [
        replace(job, first=5 * (j % 2), last=5 * (j % 2) + 4, work=min(job.work, 25.0), after=())
        for j, job in enumerate(data.jobs)
    ]
    if seed % 2:
        jobs[2] = replace(jobs[2], after=(0,))
    return replace(
        data,
        quotas=(),
        term_offers=tuple(replace(o, least=1) for o in data.term_offers),
        jobs=tuple(jobs),
        limits=replace(data.limits, kilowatts=INF),
    )


def planned(data: Instance, gap: float = 1e-7) -> Solution:
    found = solve(data, replace(EXACT, gap=gap))
    assert isinstance(found, Solution)
    return found


def exactly(stretch: Stretch, _: Solution | None = None) -> Solution | None:
    found = solving._solve_exact(stretch.instance, EXACT, time.monotonic() + 20)
    return found if isinstance(found, Solution) else None


def best_of(data: Instance, plan: Solution) -> Solution:
    *_, best = plan, *rearranged(data, plan, exactly)
    return best


def around(data: Instance, plan: Solution, first: int, days: int, jobs: list[int]) -> Stretch:
    gangs = [list(range(len(data.jobs[j].gangs))) for j in jobs]
    others = replace(plan, run={k: n for k, n in plan.run.items() if k[0] not in jobs})
    used = running(data, others)
    return Stretch(Kept.of(data, plan), first, days, used, jobs=jobs, gangs=gangs)


@pytest.mark.parametrize("seed", range(12))
def test_what_a_plan_does_on_some_days_is_an_answer_of_them(seed: int) -> None:
    data = apart(seed)
    plan = planned(data, gap=0.1)
    jobs = next(group for group in job_groups(data) if data.jobs[group[0]].first == 0)
    stretch = around(data, plan, 0, 5, jobs)
    part = stretch.narrowed(plan)
    assert is_plan(stretch.instance, part)
    assert spliced(data, plan, [(stretch, part)]) == replace(
        plan, objective=pytest.approx(plan.objective)
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_best_answer_of_some_days_makes_a_plan_that_is_never_dearer(seed: int) -> None:
    data = apart(seed)
    plan = planned(data, gap=0.2)
    better = best_of(data, plan)
    assert is_plan(data, better)
    assert better.objective == pytest.approx(objective(data, better))
    assert planned(data).bound / SLACK <= better.objective <= plan.objective * SLACK


def test_a_service_makes_room_for_a_job_that_pays_more() -> None:
    """It serves on the owned node while the job rents for 5 an hour; elsewhere it costs 1.2."""
    slices = tuple(SlicePoint(t, 24.0) for t in range(3))
    dear = HourlyOffer("dear", 0, "x", (5.0,) * 3, 5.0)
    other = HourlyOffer("other", 1, "x", (1.2,) * 3, 1.2)
    replicas = (ReplicaOption(0, 1.0, 1.0), ReplicaOption(1, 1.0, 1.0))
    gangs = (GangOption(0, 1, 1.0), GangOption(0, 1, 1.0, "x", 0, dear.cost, dear.price))
    data = Instance(
        period_days=(1,) * 3,
        slices=slices,
        pools=("a", "b"),
        month_of_period=(0,) * 3,
        hourly_offers=(dear, other),
        assets=(Asset("own", 0, (1.0,) * 3, (), 0.0, (0.0,) * 3, (0.0,) * 3),),
        services=(Service("s", (1.0,) * 3, 0.0, replicas, ()),),
        jobs=(Job("j", 24.0, 1, 1, gangs),),
    )
    serving = {(0, 0, s): 1 for s in range(3)}
    busy = {(0, s): 1.0 for s in range(3)}
    plan = replace(
        planned(data), start={}, hourly={}, busy=busy, serve=serving, run={}, hours={(0, 1, 1): 24}
    )
    plan = replace(plan, objective=objective(data, plan))
    assert is_plan(data, plan)
    assert plan.objective == 120.0
    better = best_of(data, plan)
    assert is_plan(data, better)
    assert better.run == {(0, 0, 1): 1}
    assert better.serve == {(0, 0, 0): 1, (0, 1, 1): 1, (0, 0, 2): 1}
    assert better.objective == pytest.approx(28.8)


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_the_jobs_whose_days_touch(seed: int) -> None:
    data = apart(seed)
    found = job_groups(data)
    assert sorted(j for group in found for j in group) == list(range(len(data.jobs)))
    days = [{t for j in g for t in range(data.jobs[j].first, data.jobs[j].last + 1)} for g in found]
    for n, here in enumerate(days):
        assert all(not here & there for there in days[:n])
    for group in found:
        assert all(set(data.jobs[j].after) <= set(group) for j in group)


def test_what_ties_days_together_leaves_all_jobs_in_one_group() -> None:
    data = larger(1)
    assert days_are_tied(data)
    assert job_groups(data) == [[0, 1, 2]]


def test_a_gang_at_a_site_runs_on_what_is_rented_there_for_long() -> None:
    """Nodes given in place of their terms still stand where the seller has them."""
    data = apart(0)
    offer = next(o for o in data.term_offers if o.starts[0].until == 7 and o.pool == 0)
    gang = GangOption(0, 2, 3.0, offer.site)
    data = replace(
        data,
        assets=(),
        services=(),
        hourly_offers=(),
        term_offers=(replace(offer, stock=INF),),
        jobs=(Job("j", 30.0, 0, 4, (gang,)),),
    )
    plan = planned(data)
    assert plan.run
    stretch = around(data, plan, 0, 5, [0])
    assert [(asset.site, asset.owned[0]) for asset in stretch.instance.assets] == [(offer.site, 2)]
    answer = exactly(stretch)
    assert answer is not None
    assert answer.objective == pytest.approx(0.0)
    elsewhere = tuple(replace(asset, site="elsewhere") for asset in stretch.instance.assets)
    nowhere = solving._solve_exact(
        replace(stretch.instance, assets=elsewhere), EXACT, time.monotonic() + 20
    )
    assert isinstance(nowhere, solving.NoSolution)
    assert nowhere.infeasible
