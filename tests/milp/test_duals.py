"""Prices by dual values: what they claim of every plan, and that they are slopes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_instances import larger, tiny, with_sizes

from optimizer.milp.anytime import Watch
from optimizer.milp.duals import WEEK, DualPrices, dual_prices, relaxation
from optimizer.milp.instance import (
    Instance,
    Job,
    Limits,
    ReplicaOption,
    Service,
    Solution,
)
from optimizer.milp.merge import merge_days
from optimizer.milp.solve import SolveOptions, solve
from optimizer.milp.solver import run_solver

EXACT = SolveOptions(gap=1e-9)
SLACK = 1e-6


def priced(data: Instance) -> DualPrices | None:
    return dual_prices(data, EXACT, time.monotonic() + 60)


def relaxed(data: Instance) -> float:
    """The relaxation's least cost; none at all costs infinitely much."""
    found = priced(data)
    return inf if found is None else found.optimum


def with_loads(data: Instance, v: int, factor: float) -> Instance:
    def times(service: Service) -> Service:
        return replace(service, load=tuple(x * factor for x in service.load))

    services = (times(s) if n == v else s for n, s in enumerate(data.services))
    return replace(data, services=tuple(services))


def with_work(data: Instance, j: int, factor: float) -> Instance:
    def times(job: Job) -> Job:
        return replace(job, work=job.work * factor)

    return replace(data, jobs=tuple(times(x) if n == j else x for n, x in enumerate(data.jobs)))


def with_nodes(data: Instance, pool: int, day: int, nodes: float) -> Instance:
    """So many nodes more are in use through a day."""
    load = tuple(nodes * (point.period == day) for point in data.slices)
    more = Service("more", load, 0.0, (ReplicaOption(pool, 1.0, 1.0),), ())
    return replace(data, services=(*data.services, more))


def with_budget(data: Instance, month: int, more: float) -> Instance:
    budget = [x + more * (n == month) for n, x in enumerate(data.limits.budget)]
    return replace(data, limits=replace(data.limits, budget=tuple(budget)))


def with_purchases(data: Instance, more: float) -> Instance:
    return replace(data, assets=tuple(replace(a, most=a.most + more) for a in data.assets))


Changed = tuple[str, Instance, float]


def more_of_everything(data: Instance, prices: DualPrices, much: float) -> Iterator[Changed]:
    """(what, the instance with more of it, by how much the relaxation must at least change)"""
    for v, price in enumerate(prices.load):
        yield f"load {v}", with_loads(data, v, 1 + much), price * much
    for j, price in enumerate(prices.work):
        yield f"work {j}", with_work(data, j, 1 + much), price * much
    for (p, day), price in prices.nodes.items():
        yield f"node {p} on {day}", with_nodes(data, p, day, much), price * much
    for month, _ in enumerate(data.limits.budget):
        yield f"budget {month}", with_budget(data, month, much), prices.budget[month] * much
    if data.assets:
        yield "buying", with_purchases(data, much), sum(prices.bought) * much


def site(data: Instance, kilowatts: float, cash: float) -> Instance:
    """With limits on power and on cash that bind now and then."""
    assets = tuple(replace(a, kilowatts=1.0, rack_units=2.0) for a in data.assets)
    limits = Limits(data.limits.budget, cash, (), kilowatts, 2 * kilowatts)
    return replace(data, assets=assets, limits=limits)


seeds = st.integers(0, 10**6)


@settings(deadline=None, max_examples=100)
@given(seeds, st.sampled_from([1.0, 2.0]))
def test_no_plan_with_more_costs_less_than_the_price_says(seed: int, much: float) -> None:
    """Of whole plans, solved to the end: the claim that is printed."""
    data = tiny(seed)
    prices = priced(data)
    if prices is None:
        return
    for what, changed, price in more_of_everything(data, prices, much):
        found = solve(changed, EXACT)
        if isinstance(found, Solution):
            least = prices.optimum + price
            assert found.objective >= least - SLACK * max(1, abs(least)), what


@settings(deadline=None, max_examples=25)
@given(seeds, st.booleans())
def test_a_price_lies_between_the_slopes_of_the_relaxation(seed: int, sizes: bool) -> None:
    """Less on one side, more on the other: so it is the slope, where there is one."""
    data = larger(seed, days=4, n_jobs=1)
    if sizes and data.services:
        data = with_sizes(data, seed, apis=True)
    prices = priced(data)
    if prices is None:
        return
    for much in (1e-2, -1e-2):
        for what, changed, price in more_of_everything(data, prices, much):
            if much < 0 and what.startswith("node"):
                continue  # no schedule can ask for less than none
            least = prices.optimum + price
            assert relaxed(changed) >= least - SLACK * max(1, abs(least)), (what, much)


@settings(deadline=None, max_examples=60)
@given(seeds, st.floats(0, 3), st.floats(1, 60))
def test_limits_of_money_and_of_the_site_have_slopes(
    seed: int, kilowatts: float, cash: float
) -> None:
    data = site(tiny(seed), kilowatts, cash)
    prices = priced(data)
    if prices is None:
        return
    for much in (0.5, -0.5):
        powered = replace(data, limits=replace(data.limits, kilowatts=kilowatts + much))
        racked = replace(data, limits=replace(data.limits, rack_units=2 * kilowatts + much))
        funded = replace(data, limits=replace(data.limits, cash=cash + much))
        for changed, price in (
            (powered, prices.kilowatts),
            (racked, prices.rack_units),
            (funded, prices.cash),
        ):
            assert price <= SLACK
            least = prices.optimum + price * much
            assert relaxed(changed) >= least - SLACK * max(1, abs(least))


def long(seed: int) -> Instance:
    """More days than get a price of their own, in months of ten days."""
    return replace(
        larger(seed, days=70, n_jobs=1), month_of_period=tuple(t // 10 for t in range(70))
    )


@pytest.mark.parametrize("seed", range(6))
def test_prices_of_merged_days_hold_for_single_days(seed: int) -> None:
    data = long(seed)
    assert not merge_days(data, WEEK).instance.exact
    prices = priced(data)
    assert prices is not None
    assert prices.nodes
    for pool, day in sorted(prices.nodes)[:: max(1, len(prices.nodes) // 5)]:
        more = relaxation(with_nodes(data, pool, day, 2.0))
        daily = run_solver(more, EXACT, time.monotonic() + 60)
        assert daily.values is not None
        least = prices.optimum + 2 * prices.nodes[pool, day]
        assert daily.objective >= least - SLACK * abs(least)


def test_no_plan_has_no_prices() -> None:
    data = next(x for x in map(tiny, range(100)) if x.jobs)
    assert priced(with_work(data, 0, 1e6)) is None


def test_without_time_there_are_no_prices() -> None:
    watch = Watch()
    watch.stop()
    assert dual_prices(tiny(1), replace(EXACT, watch=watch), time.monotonic()) is None
