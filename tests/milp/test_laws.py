"""Laws every optimum obeys, on random instances; Hypothesis looks for the counter-example."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_instances import term_offer, tiny

from optimizer.milp.instance import INF, HourlyOffer, Instance, Solution, Start
from optimizer.milp.solve import SolveOptions, solve

EXACT = SolveOptions(gap=1e-9)
CLOSE = 1e-6
seeds = st.integers(0, 10**6)
law = settings(deadline=None, max_examples=40, derandomize=True)


def cost(data: Instance) -> float:
    """INF when there is no plan."""
    found = solve(data, EXACT)
    return found.objective if isinstance(found, Solution) else INF


@law
@given(seeds, st.integers(1, 40), st.integers(1, 3))
def test_one_more_offer_never_raises_the_cost(seed: int, price: int, length: int) -> None:
    data = tiny(seed)
    days = len(data.period_days)
    offer = term_offer("more", 0, days, length, float(price), monthly=True)
    more = replace(data, term_offers=(*data.term_offers, offer))
    assert cost(more) <= cost(data) + CLOSE


@law
@given(seeds, st.integers(1, 9))
def test_one_more_hourly_offer_never_raises_the_cost(seed: int, price: int) -> None:
    data = tiny(seed)
    offer = HourlyOffer("more", 0, "x", (float(price),) * len(data.slices), float(price))
    more = replace(data, hourly_offers=(*data.hourly_offers, offer))
    assert cost(more) <= cost(data) + CLOSE


def dearer(begin: Start, factor: float) -> Start:
    cash = tuple((month, amount * factor) for month, amount in begin.cash)
    return replace(begin, cost=begin.cost * factor, cash=cash)


@law
@given(seeds, st.floats(1.0, 3.0))
def test_a_dearer_price_never_lowers_the_cost(seed: int, factor: float) -> None:
    data = tiny(seed)
    first, *others = data.term_offers
    starts = tuple(dearer(begin, factor) for begin in first.starts)
    raised = replace(data, term_offers=(replace(first, starts=starts), *others))
    assert cost(raised) >= cost(data) - CLOSE


@law
@given(seeds, st.sampled_from([0.01, 0.5, 3.0, 250.0]))
def test_all_prices_in_another_currency_scale_the_cost(seed: int, factor: float) -> None:
    data = tiny(seed)
    assert cost(scaled(data, factor)) == pytest.approx(cost(data) * factor, rel=1e-5)


def scaled(data: Instance, factor: float) -> Instance:
    def times(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(value * factor for value in values)

    return replace(
        data,
        term_offers=tuple(
            replace(o, starts=tuple(dearer(s, factor) for s in o.starts)) for o in data.term_offers
        ),
        hourly_offers=tuple(
            replace(o, cost=times(o.cost), price=o.price * factor) for o in data.hourly_offers
        ),
        assets=tuple(
            replace(
                a,
                holds=tuple(dearer(h, factor) for h in a.holds),
                busy=times(a.busy),
                busy_cash=times(a.busy_cash),
            )
            for a in data.assets
        ),
        services=tuple(
            replace(
                s, apis=tuple(replace(a, cost=times(a.cost), cash=times(a.cash)) for a in s.apis)
            )
            for s in data.services
        ),
        jobs=tuple(
            replace(
                j,
                gangs=tuple(
                    replace(g, hour_cost=times(g.hour_cost), hour_cash=g.hour_cash * factor)
                    for g in j.gangs
                ),
                move_cost=j.move_cost * factor,
                move_cash=j.move_cash * factor,
            )
            for j in data.jobs
        ),
        limits=replace(data.limits, budget=times(data.limits.budget)),
        constant=data.constant * factor,
    )


@law
@given(seeds)
def test_the_order_of_offers_and_workloads_does_not_matter(seed: int) -> None:
    data, rng = tiny(seed), random.Random(seed)
    extra = term_offer("also", 0, len(data.period_days), 1, 11.0, monthly=True)
    data = replace(data, term_offers=(*data.term_offers, extra))
    services = [*data.services, *(replace(s, name="other") for s in data.services)]
    data = replace(data, services=tuple(services))
    terms = list(data.term_offers)
    rng.shuffle(terms)
    order = list(range(len(data.jobs)))
    rng.shuffle(order)
    jobs = [
        replace(data.jobs[j], after=tuple(order.index(i) for i in data.jobs[j].after))
        for j in order
    ]
    mixed = replace(data, term_offers=tuple(terms), services=data.services[::-1], jobs=tuple(jobs))
    assert cost(mixed) == pytest.approx(cost(data), rel=1e-6)


@law
@given(seeds, st.floats(1.0, 3.0), st.floats(1.0, 2.0))
def test_more_demand_never_costs_less(seed: int, load: float, work: float) -> None:
    data = tiny(seed)
    more = replace(
        data,
        services=tuple(replace(s, load=tuple(x * load for x in s.load)) for s in data.services),
        jobs=tuple(replace(j, work=j.work * work) for j in data.jobs),
    )
    assert cost(more) >= cost(data) - CLOSE


@law
@given(seeds)
def test_the_same_instance_gets_the_same_plan(seed: int) -> None:
    data = tiny(seed)
    assert solve(data, EXACT) == solve(data, EXACT)
