"""Merged days bound the daily model, cuts keep its optimum, and polishing never costs more."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from random_instances import larger, term_offer, tiny

from optimizer.milp import solve as solving
from optimizer.milp.assemble import assemble
from optimizer.milp.constraints import FAMILIES
from optimizer.milp.cuts import least_cover_cost
from optimizer.milp.instance import INF, Instance, ReplicaOption, Service, Solution
from optimizer.milp.merge import merge_days
from optimizer.milp.polish import can_polish, objective, polish
from optimizer.milp.solve import NoSolution, SolveOptions, solve
from optimizer.milp.solver import run_solver

EXACT = SolveOptions(gap=1e-7, time_limit_s=20)
SLACK = 1 + 1e-6
MERGED_SEEDS, BATCH = 500, 25


def steady(seed: int, days: int = 4) -> Instance:
    """`tiny` on more days, equal enough to be merged."""
    data = tiny(seed)
    per_day, n = len(data.slices) // len(data.period_days), days

    def long(values: tuple[float, ...]) -> tuple[float, ...]:
        return values[:per_day] * n

    offers = []
    for offer in data.term_offers:
        length, price = offer.starts[0].until, offer.starts[0].cost
        made = term_offer(offer.name, offer.pool, n, length, price, offer.stock, offer.least)
        offers.append(made)
    return replace(
        data,
        period_days=(1,) * n,
        slices=tuple(replace(point, period=t) for t in range(n) for point in data.slices[:per_day]),
        month_of_period=(0,) * n,
        term_offers=tuple(offers),
        hourly_offers=tuple(replace(h, cost=long(h.cost)) for h in data.hourly_offers),
        assets=tuple(
            replace(
                a,
                owned=(a.owned[0],) * n,
                holds=tuple(
                    replace(h, cover=tuple((t, 1.0) for t in range(n)), until=n) for h in a.holds
                ),
                busy=long(a.busy),
                busy_cash=long(a.busy_cash),
            )
            for a in data.assets
        ),
        services=tuple(
            replace(
                s,
                load=long(s.load),
                apis=tuple(replace(x, cost=long(x.cost), cash=long(x.cash)) for x in s.apis),
            )
            for s in data.services
        ),
        jobs=tuple(
            replace(
                j,
                last=n - 1,
                gangs=tuple(replace(g, hour_cost=long(g.hour_cost)) for g in j.gangs),
            )
            for j in data.jobs
        ),
        limits=replace(data.limits, budget=()),
    )


@pytest.mark.parametrize("first", range(0, MERGED_SEEDS, BATCH))
def test_merging_days_bounds_the_optimum_and_leads_to_it(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The merged bound is never above the cost of the days, and the merged road ends at it."""
    for seed in range(first, first + BATCH):
        data = steady(seed)
        merged = merge_days(data, 2 if seed % 2 else 7).instance
        assert len(merged.period_days) < len(data.period_days)
        raw = run_solver(assemble(merged)[0], EXACT, time.monotonic() + 20)
        exact = solve(data, EXACT)
        with monkeypatch.context() as patch:
            patch.setattr(solving, "SMALL_COLUMNS", 0)
            found = solve(data, EXACT)
        assert isinstance(exact, NoSolution) == isinstance(found, NoSolution), f"steady({seed})"
        if isinstance(exact, Solution) and isinstance(found, Solution):
            assert raw.bound <= exact.objective * SLACK, f"steady({seed})"
            assert found.bound <= exact.objective * SLACK, f"steady({seed})"
            assert found.objective == pytest.approx(exact.objective, rel=1e-5), f"steady({seed})"


def test_starts_of_limited_stock_are_not_counted_twice_in_merged_days() -> None:
    """Three terms of three days follow each other on one unit; a week knows them all."""
    data = replace(
        tiny(0),
        period_days=(1,) * 9,
        slices=tuple(replace(tiny(0).slices[0], period=t, hours=24.0) for t in range(9)),
        pools=("a",),
        month_of_period=(0,) * 9,
        term_offers=(term_offer("t0", 0, 9, 3, 30.0, 1.0),),
        hourly_offers=(),
        assets=(),
        services=(Service("s", (1.0,) * 9, 0.0, (ReplicaOption(0, 1.0, 1.0),), ()),),
        jobs=(),
        limits=replace(tiny(0).limits, budget=()),
        constant=0.0,
    )
    merged = merge_days(data, 7).instance
    raw = run_solver(assemble(merged)[0], EXACT, time.monotonic() + 5)
    assert not raw.infeasible
    assert raw.bound <= 90 * SLACK


@pytest.mark.parametrize("seed", range(40))
def test_rows_that_round_up_cut_no_optimum_off(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from optimizer.milp import assemble as assembling

    data = tiny(seed)
    with_rows = solve(data, EXACT)
    extra = ("add_demand_rounding", "add_replica_price")
    families = tuple(f for f in FAMILIES if f.__name__ not in extra)
    assert len(families) == len(FAMILIES) - 2
    monkeypatch.setattr(assembling, "FAMILIES", families)
    without = solve(data, EXACT)
    if isinstance(without, NoSolution):
        assert isinstance(with_rows, NoSolution)
    else:
        assert isinstance(with_rows, Solution)
        assert with_rows.objective == pytest.approx(without.objective, rel=1e-6)


def test_the_price_of_a_cover_is_the_least_of_whole_replicas() -> None:
    """7 users with 5 and 3 a replica: 5 + 3 for 10 + 7; one of 5 twice would cost 20."""
    options = (ReplicaOption(0, 1.0, 5.0), ReplicaOption(1, 1.0, 3.0))
    service = Service("s", (7.0,), 0.0, options, ())
    assert least_cover_cost(service, 7.0, [10.0, 7.0]) == 17.0
    assert least_cover_cost(service, 0.0, [10.0, 7.0]) == 0.0
    assert least_cover_cost(replace(service, headroom=0.2), 7.0, [10.0, 7.0]) == 20.0


@pytest.mark.parametrize("seed", range(40))
def test_polishing_keeps_the_plan_possible_and_never_dearer(seed: int) -> None:
    data = replace(steady(seed), jobs=())
    data = replace(data, term_offers=tuple(replace(o, least=1) for o in data.term_offers))
    rough = solving._solve_exact(data, replace(EXACT, gap=0.3), time.monotonic() + 9, -INF)
    if isinstance(rough, NoSolution):
        return
    assert can_polish(data)

    def solve_day(day: Instance) -> Solution | None:
        found = solving._solve_exact(day, EXACT, time.monotonic() + 5, -INF)
        return found if isinstance(found, Solution) else None

    better = polish(data, rough, solve_day)
    assert better.objective <= rough.objective * SLACK
    assert better.objective == pytest.approx(objective(data, better))
    assert better.objective >= rough.bound / SLACK
    assert fits(data, better)


def fits(data: Instance, x: Solution) -> bool:
    """Loads are carried, and nodes in use are there, in every slice."""
    for s, point in enumerate(data.slices):
        t = point.period
        for i, service in enumerate(data.services):
            carried = sum(
                service.replicas[c].capacity / (1 + service.headroom) * n
                for (v, c, u), n in x.serve.items()
                if (v, u) == (i, s)
            )
            carried += sum(n for (v, _, u), n in x.api.items() if (v, u) == (i, s))
            if carried < service.load[s] - 1e-6:
                return False
        for p in range(len(data.pools)):
            used = sum(
                data.services[v].replicas[c].share * n
                for (v, c, u), n in x.serve.items()
                if u == s and data.services[v].replicas[c].pool == p
            )
            there: float = sum(
                n
                for (o, i), n in x.start.items()
                if data.term_offers[o].pool == p
                and any(t == d for d, _ in data.term_offers[o].starts[i].cover)
            )
            there += sum(
                n for (o, u), n in x.hourly.items() if u == s and data.hourly_offers[o].pool == p
            )
            there += sum(n for (a, u), n in x.busy.items() if u == s and data.assets[a].pool == p)
            if used > there + 1e-6:
                return False
    return True


def test_merged_days_bound_an_instance_with_every_feature() -> None:
    data = larger(3, days=6, n_jobs=1)
    merged = merge_days(data, 7).instance
    raw = run_solver(assemble(merged)[0], replace(EXACT, gap=0.01), time.monotonic() + 10)
    found = solve(data, SolveOptions(gap=0.02, time_limit_s=10))
    assert isinstance(found, Solution)
    assert raw.bound <= found.objective * SLACK


@pytest.mark.parametrize("seed", range(12))
def test_the_merged_road_leads_on_where_no_two_days_are_alike(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = steady(seed)
    rising = tuple(
        replace(s, load=tuple(x + 0.01 * n for n, x in enumerate(s.load))) for s in data.services
    )
    data = replace(data, services=rising)
    exact = solve(data, EXACT)
    monkeypatch.setattr(solving, "SMALL_COLUMNS", 0)
    found = solve(data, EXACT)
    assert isinstance(exact, NoSolution) == isinstance(found, NoSolution)
    if isinstance(exact, Solution) and isinstance(found, Solution):
        assert found.bound <= exact.objective * SLACK
        assert found.objective == pytest.approx(exact.objective, rel=1e-5)


def test_the_merged_road_knows_long_holds_where_no_two_days_are_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = replace(larger(3, days=10, n_jobs=1), quotas=())
    near = SolveOptions(gap=0.02, time_limit_s=20)
    exact = solve(data, near)
    monkeypatch.setattr(solving, "SMALL_COLUMNS", 0)
    monkeypatch.setattr(solving, "PERIOD_DAYS", 1)
    found = solve(data, near)
    assert isinstance(exact, Solution)
    assert isinstance(found, Solution)
    assert found.bound <= exact.objective * SLACK
    assert exact.bound <= found.objective * SLACK
    assert found.objective == pytest.approx(objective(data, found), rel=1e-6)
