"""Services with several sizes of requests: exact, lawful, and plain where there is one size."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from brute_force import least_cost, splits
from hypothesis import given, settings
from hypothesis import strategies as st
from random_instances import larger, tiny, with_sizes
from test_merge import steady

from optimizer.milp import solve as solving
from optimizer.milp.assemble import assemble
from optimizer.milp.constraints.limits import most_nodes
from optimizer.milp.cuts import as_one_size, least_cover_cost, least_supply_cost
from optimizer.milp.instance import (
    INF,
    HourlyOffer,
    Instance,
    ReplicaOption,
    Service,
    SlicePoint,
    Solution,
)
from optimizer.milp.merge import merge_days
from optimizer.milp.polish import can_polish, polish
from optimizer.milp.routing import routes
from optimizer.milp.solve import NoSolution, SolveOptions, solve
from optimizer.milp.solver import run_solver
from optimizer.milp.worth import missing, wanted, with_worths
from optimizer.schedule.mix_rules import LEAST_RATE

EXACT = SolveOptions(gap=1e-9)
SLACK = 1 + 1e-6
CLOSE = 1e-6
seeds = st.integers(0, 10**6)
law = settings(deadline=None, max_examples=40, derandomize=True)


def cost(data: Instance) -> float:
    """INF when there is no plan."""
    found = solve(data, EXACT)
    return found.objective if isinstance(found, Solution) else INF


def one_slice(service: Service, prices: list[float]) -> Instance:
    """An hour in which any number of nodes of every kind can be had."""
    offers = (HourlyOffer(f"h{p}", p, "x", (price,), price) for p, price in enumerate(prices))
    pools = tuple(f"k{p}" for p in range(len(prices)))
    slices = (SlicePoint(0, 1.0),)
    return Instance((1,), slices, pools, (0,), hourly_offers=tuple(offers), services=(service,))


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_the_solver_finds_what_trying_every_plan_finds(first: int) -> None:
    for seed in range(first, first + 20):
        data = with_sizes(tiny(seed), seed)
        assert cost(data) == pytest.approx(least_cost(data), rel=1e-6), f"tiny({seed})"


def test_the_tiny_mixes_have_plans_and_split_sizes() -> None:
    made = [with_sizes(tiny(seed), seed) for seed in range(60)]
    solved = [(data, solve(data, EXACT)) for data in made if data.services]
    plans = [(data, found) for data, found in solved if isinstance(found, Solution)]
    assert 5 < len(solved) - len(plans) < 40
    split = [share for data, found in plans for share in routes(data, found).values()]
    assert sum(0.01 < share < 0.99 for share in split) > 10


@law
@given(seeds, st.floats(1.0, 3.0))
def test_more_demand_never_costs_less(seed: int, growth: float) -> None:
    data = with_sizes(tiny(seed), seed, apis=True)
    services = (replace(s, load=tuple(x * growth for x in s.load)) for s in data.services)
    assert cost(replace(data, services=tuple(services))) >= cost(data) - CLOSE


@law
@given(seeds, st.integers(0, 2))
def test_a_size_told_as_two_equal_ones_changes_nothing(seed: int, number: int) -> None:
    data = with_sizes(tiny(seed), seed, apis=True)
    services = tuple(_split(service, number % len(service.buckets)) for service in data.services)
    assert cost(replace(data, services=services)) == pytest.approx(cost(data), rel=1e-6)


def _split(service: Service, b: int) -> Service:
    half = service.buckets[b] / 2
    twice = tuple(half if n == b else share for n, share in enumerate(service.buckets))
    again = tuple(replace(a, bucket=len(twice)) for a in service.apis if a.bucket == b)
    return replace(
        service,
        buckets=(*twice, half),
        replicas=tuple(replace(r, rates=(*r.rates, r.rates[b])) for r in service.replicas),
        apis=(*service.apis, *again),
    )


# Hypothesis found that HiGHS fails at rates such as 1e-89, so a schedule's have this floor too.
rates = st.just(0.0) | st.floats(LEAST_RATE, 9.0)


@law
@given(seeds, st.lists(rates, min_size=3, max_size=3), st.floats(0.5, 40.0))
def test_one_more_kind_of_hardware_never_raises_the_cost(
    seed: int, rates: list[float], price: float
) -> None:
    data = with_sizes(tiny(seed), seed, apis=True)
    offer = HourlyOffer("more", len(data.pools), "x", (price,) * len(data.slices), price)
    services = (
        replace(
            service,
            replicas=(
                *service.replicas,
                ReplicaOption(len(data.pools), 1.0, 0.0, tuple(rates[: len(service.buckets)])),
            ),
        )
        for service in data.services
    )
    more = replace(
        data,
        pools=(*data.pools, "more"),
        hourly_offers=(*data.hourly_offers, offer),
        services=tuple(services),
    )
    assert cost(more) <= cost(data) + CLOSE


@law
@given(seeds, st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_equal_sizes_cost_what_one_size_costs(seed: int, weights: list[int]) -> None:
    """One bucket, or several that every replica serves equally fast, are today's plain service."""
    data = tiny(seed)
    shares = tuple(weight / sum(weights) for weight in weights)
    services = (
        replace(
            service,
            buckets=shares,
            replicas=tuple(replace(r, rates=(r.capacity,) * len(shares)) for r in service.replicas),
            apis=tuple(replace(a, bucket=b) for a in service.apis for b in range(len(shares))),
        )
        for service in data.services
    )
    assert cost(replace(data, services=tuple(services))) == pytest.approx(cost(data), rel=1e-6)


@law
@given(seeds)
def test_a_router_can_split_what_was_found(seed: int) -> None:
    """Every size is served whole, and no replica works longer than there is time with headroom."""
    data = with_sizes(tiny(seed), seed, apis=True)
    found = solve(data, EXACT)
    if not isinstance(found, Solution):
        return
    split = routes(data, found)
    for v, service in enumerate(data.services):
        for s, load in enumerate(service.load):
            for b in range(len(service.buckets) if load else 0):
                bought = sum(
                    found.api.get((v, a, s), 0.0)
                    for a, x in enumerate(service.apis)
                    if x.bucket == b
                )
                served = sum(split.get((v, b, c, s), 0.0) for c in range(len(service.replicas)))
                asked = service.bucket_load(b, s)
                assert served + bought / asked == pytest.approx(1, abs=1e-6)
            for c, replica in enumerate(service.replicas):
                busy = sum(
                    split[v, b, c, s] * service.busy_replicas(b, c, s)
                    for b in range(len(service.buckets))
                    if (v, b, c, s) in split
                )
                assert busy <= found.serve.get((v, c, s), 0) * SLACK + 1e-9
                assert all(replica.rates[b] for i, b, k, _ in split if (i, k) == (v, c))


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_merged_days_bound_the_days_themselves(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(first, first + 10):
        data = with_sizes(steady(seed), seed, apis=True)
        merged = merge_days(data, 7).instance
        raw = run_solver(assemble(merged)[0], EXACT, time.monotonic() + 20)
        exact = solve(data, EXACT)
        with monkeypatch.context() as patch:
            patch.setattr(solving, "SMALL_COLUMNS", 0)
            found = solve(data, SolveOptions(gap=0.01, time_limit_s=10))
        assert isinstance(exact, NoSolution) == isinstance(found, NoSolution), f"steady({seed})"
        if isinstance(exact, Solution) and isinstance(found, Solution):
            assert raw.bound <= exact.objective * SLACK, f"steady({seed})"
            assert found.bound <= exact.objective * SLACK, f"steady({seed})"
            assert found.objective >= exact.objective / SLACK, f"steady({seed})"


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_what_requests_are_worth_tells_the_same_as_routes(first: int) -> None:
    """With rows for what requests are worth, found in advance and on the way, the optimum stays."""
    for seed in range(first, first + 10):
        data = with_sizes(tiny(seed), seed, apis=True)
        told = with_worths(data, time.monotonic() + 20)
        assert all(service.worths for service in told.services)
        found = solving._solve_exact(told, EXACT, time.monotonic() + 20, -INF)
        exact = cost(data)
        if isinstance(found, NoSolution):
            assert (found.infeasible, exact) == (True, INF), f"tiny({seed})"
        else:
            assert found.objective == pytest.approx(exact, rel=1e-6), f"tiny({seed})"
            assert missing(told, found) == {}


@law
@given(seeds, st.lists(st.integers(0, 6), min_size=2, max_size=2))
def test_a_worth_is_found_just_when_replicas_cannot_serve_the_load(
    seed: int, counts: list[int]
) -> None:
    """Checked against a split of the load by exact fractions; a worth found is no false alarm."""
    rng = random.Random(seed)
    shares = (0.5, 0.3, 0.2)
    rates = [tuple(rng.choice([0.0, 0.5, 1.0, 4.0]) for _ in shares) for _ in range(2)]
    replicas = tuple(ReplicaOption(p, 1.0, 0.0, each) for p, each in enumerate(rates))
    service = Service("s", (4.0,), 0.2, replicas, (), buckets=shares)
    there = (counts[0], counts[1])
    worth = wanted(service, 4.0, dict(enumerate(map(float, there))))
    assert (worth is None) == splits(service, 4.0, there)
    if worth is not None:
        assert sum(w * share for w, share in zip(worth, shares, strict=True)) == pytest.approx(1)
        earned = sum(n * service.earnings(worth, c) for c, n in enumerate(there))
        assert earned < 4.0 * 1.2


@pytest.mark.parametrize("seed", range(12))
def test_two_solvers_agree(seed: int) -> None:
    data = with_sizes(larger(seed, days=3, n_jobs=1), seed)
    close = 0.02
    one = solve(data, SolveOptions(gap=close))
    other = solve(data, SolveOptions(gap=close, solver="GSCIP"))
    assert type(one) is type(other)
    if isinstance(one, Solution) and isinstance(other, Solution):
        assert one.bound <= other.objective * (1 + 1e-9)
        assert other.bound <= one.objective * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_no_cut_is_dearer_than_the_mix_itself(seed: int) -> None:
    """As one size, and as a small model: at most the cost of the cheapest whole replicas."""
    rng = random.Random(seed)
    prices = [rng.uniform(0.5, 9.0) for _ in range(3)]
    shares = (0.5, 0.3, 0.2)
    replicas = tuple(
        ReplicaOption(p, 1.0, 0.0, tuple(rng.choice([0.0, 0.5, 2.0, 7.0]) for _ in shares))
        for p in range(3)
    )
    service = Service("s", (rng.uniform(1, 20),), 0.2, replicas, (), buckets=shares)
    exact = cost(one_slice(service, prices))
    load = service.load[0]
    plain = as_one_size(service, prices)
    assert least_cover_cost(plain, load, prices) <= exact + CLOSE
    assert least_supply_cost([service], [load], prices) <= exact + CLOSE


def test_one_size_stands_for_the_mix_at_what_each_size_costs_where_it_is_cheapest() -> None:
    """Half short, half long; a short one costs 1/4 on the small node, a long one 4/2 on the large.

    So a request is worth 9/8 on average: the small node earns 4/4 = 1 of its price, which is 8/9 of
    a request/s, the large one max(6/4, 2 x 2) = 4, which is 32/9.
    """
    replicas = (ReplicaOption(0, 1.0, 0.0, (4.0, 0.0)), ReplicaOption(1, 1.0, 0.0, (6.0, 2.0)))
    service = Service("s", (1.0,), 0.0, replicas, (), buckets=(0.5, 0.5))
    plain = as_one_size(service, [1.0, 4.0])
    assert [r.capacity for r in plain.replicas] == pytest.approx([8 / 9, 32 / 9])
    assert plain.buckets == ()


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_uses_more_nodes_than_can_be_of_use(seed: int) -> None:
    """A seller's smallest order, and limits on sellers, rest on that number."""
    data = replace(with_sizes(tiny(seed), seed), jobs=())
    found = solve(data, EXACT)
    if not isinstance(found, Solution) or not data.services:
        return
    for s in range(len(data.slices)):
        for p in range(len(data.pools)):
            replicas = data.services[0].replicas
            used = sum(
                n for (_, c, u), n in found.serve.items() if u == s and replicas[c].pool == p
            )
            idle = sum(replica.pool == p for replica in replicas)
            assert used <= most_nodes(data, p) + idle


@pytest.mark.parametrize("seed", range(20))
def test_polishing_keeps_every_size_served_and_is_never_dearer(seed: int) -> None:
    data = with_sizes(replace(steady(seed), jobs=()), seed, apis=True)
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
    assert better.objective >= rough.bound / SLACK
    for (v, b, _, s), share in routes(data, better).items():
        assert 0 < share <= 1 + 1e-9
        assert data.services[v].bucket_load(b, s) > 0
