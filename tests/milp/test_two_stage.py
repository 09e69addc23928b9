"""Decisions that several instances share: the joined model, what is agreed taken, and risk."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from dataclasses import replace

import pytest
from random_instances import larger, tiny

from optimizer.milp import two_stage
from optimizer.milp.agreed import take
from optimizer.milp.assemble import assemble
from optimizer.milp.instance import INF, Instance, Solution, Start
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.polish import objective
from optimizer.milp.solve import NoSolution, SolveOptions, solve
from optimizer.milp.solver import run_solver
from optimizer.milp.two_stage import (
    Agreed,
    Risk,
    TwoStage,
    cvar,
    joined_bound,
    on_own_days,
    representatives,
    solve_joined,
)

EXACT = SolveOptions(gap=1e-9, time_limit_s=20)
CLOSE = 1e-5
RISKS = (Risk(), Risk(1.0, 0.5), Risk(0.4, 0.8))


def moved(data: Instance, rng: random.Random, until: int) -> Instance:
    """As `data` up to `until`, with other prices and loads from then on."""
    rent, load = rng.choice([0.4, 1.0, 2.5]), rng.choice([0.0, 1.0, 2.0])
    days = [point.period for point in data.slices]

    def dated(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(x * rent if days[s] >= until else x for s, x in enumerate(values))

    def start(begin: Start) -> Start:
        if begin.day < until:
            return begin
        cash = tuple((month, amount * rent) for month, amount in begin.cash)
        return replace(begin, cost=begin.cost * rent, cash=cash)

    return replace(
        data,
        prices_by_day=True,
        term_offers=tuple(replace(o, starts=tuple(map(start, o.starts))) for o in data.term_offers),
        hourly_offers=tuple(replace(o, cost=dated(o.cost)) for o in data.hourly_offers),
        services=tuple(
            replace(
                s, load=tuple(x * load if days[t] >= until else x for t, x in enumerate(s.load))
            )
            for s in data.services
        ),
        jobs=tuple(
            replace(j, gangs=tuple(replace(g, hour_cost=dated(g.hour_cost)) for g in j.gangs))
            for j in data.jobs
        ),
        limits=replace(data.limits, budget=()),
    )


def branched(seed: int, count: int = 2) -> TwoStage:
    """A tiny instance that may come out in several ways from its second day on."""
    rng = random.Random(seed)
    data = tiny(seed)
    branches = tuple(moved(data, rng, 1) for _ in range(count))
    parts = [rng.randint(1, 4) for _ in branches]
    chances = tuple(part / sum(parts) for part in parts)
    return TwoStage(branches, chances, frozenset(range(len(data.term_offers))), 1)


def decisions(two: TwoStage) -> list[Agreed]:
    """Every decision of the first day."""
    data = two.branches[0]
    orders = []
    for o, offer in enumerate(data.term_offers):
        sizes = [0, *range(offer.least, int(offer.stock) + 1)]
        orders.append([((o, 0), n) for n in sizes])
    bought = [((0, 0), n) for n in range(int(data.assets[0].most) + 1)] if data.assets else [None]
    found = []
    for row in itertools.product(*orders, bought):
        starts = tuple(item for item in row[:-1] if item and item[1])
        holds = tuple(item for item in row[-1:] if item and item[1])
        found.append(Agreed(starts, holds))
    return found


def plainly(data: Instance, two: TwoStage, agreed: Agreed) -> float:
    """Least cost with the decision fixed by the bounds of its columns, all else as it is."""
    model, v = assemble(data)
    starts, bought = dict(agreed.starts), dict(agreed.bought)
    for (o, i), column in v.start.items():
        day = data.term_offers[o].starts[i].day
        if o in two.terms and day < two.until:
            wanted = float(starts.pop((o, day), 0))
            model.lower[column] = model.upper[column] = wanted
    for (a, i), column in v.hold.items():
        if data.assets[a].holds[i].day < two.until:
            wanted = float(bought.pop((a, data.assets[a].holds[i].day), 0))
            model.lower[column] = model.upper[column] = wanted
    if starts or bought:  # of no use to any workload, but paid all the same
        rest = sum(_start(data, key).cost * n for key, n in starts.items())
        model.offset += rest + sum(
            n * next(h.cost for h in data.assets[a].holds if h.day == day)
            for (a, day), n in bought.items()
        )
    for column in v.hours.values():
        model.whole[column] = True
    raw = run_solver(model, EXACT, time.monotonic() + 20)
    return raw.objective if raw.values is not None else INF


def _start(data: Instance, key: tuple[int, int]) -> Start:
    o, day = key
    return next(s for s in data.term_offers[o].starts if s.day == day)


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_the_joined_model_equals_trying_every_decision(first: int) -> None:
    solved = 0
    for seed in range(first, first + 10):
        two = branched(seed)
        costs = {
            agreed: [plainly(data, two, agreed) for data in two.branches]
            for agreed in decisions(two)
        }
        for risk in RISKS:
            tried = [risk.of(c, two.chances) for c in costs.values() if INF not in c]
            joined = solve_joined(two, risk, EXACT, time.monotonic() + 20)
            if not tried:
                assert joined.infeasible, f"branched({seed})"
                continue
            assert joined.bound == pytest.approx(min(tried), rel=CLOSE), f"branched({seed})"
            assert joined.agreed is not None
            assert risk.of(costs[joined.agreed], two.chances) == pytest.approx(
                min(tried), rel=CLOSE
            ), f"branched({seed})"
            solved += 1
    assert solved > 10


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_an_instance_with_the_decision_taken_costs_what_fixing_its_columns_does(
    first: int,
) -> None:
    for seed in range(first, first + 10):
        two = branched(seed)
        for agreed, (branch, data) in itertools.product(decisions(two), enumerate(two.branches)):
            taken = take(two, branch, agreed)
            assert taken is not None
            found = solve(taken.rest, EXACT)
            wanted = plainly(data, two, agreed)
            where = f"branched({seed}) {agreed}"
            if isinstance(found, NoSolution):
                assert wanted == INF, where
                continue
            whole = taken.back(found)
            assert whole.objective == pytest.approx(wanted, rel=CLOSE, abs=CLOSE), where
            assert whole.objective == pytest.approx(objective(data, whole)), where
            assert two.agreed(branch, whole) == agreed, where


@pytest.mark.parametrize("seed", range(12))
def test_each_scenario_by_itself_bounds_every_shared_decision(seed: int) -> None:
    two = branched(seed, 3)
    alone = [solve(data, EXACT) for data in two.branches]
    for risk in RISKS:
        joined = solve_joined(two, risk, EXACT, time.monotonic() + 20)
        if joined.infeasible:
            continue
        costs = [found.objective for found in alone if isinstance(found, Solution)]
        assert joined_bound(two, risk, costs) <= joined.bound + CLOSE * abs(joined.bound)


@pytest.mark.parametrize("seed", range(6))
def test_one_scenario_is_the_plain_problem(seed: int) -> None:
    two = branched(seed, 1)
    found = solve(two.branches[0], EXACT)
    joined = solve_joined(two, Risk(0.5, 0.9), EXACT, time.monotonic() + 20)
    if isinstance(found, Solution):
        assert joined.bound == pytest.approx(found.objective, rel=CLOSE)
    else:
        assert joined.infeasible


@pytest.mark.parametrize("seed", range(4))
def test_merged_days_bound_the_joined_days(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    data = larger(seed, days=8, n_jobs=1)
    branches = tuple(moved(data, rng, 3) for _ in range(2))
    two = TwoStage(branches, (0.5, 0.5), frozenset({1, 3, 5} & {*range(len(data.term_offers))}), 3)
    options = SolveOptions(gap=0.005, time_limit_s=20)
    daily = solve_joined(two, Risk(), options, time.monotonic() + 20)
    monkeypatch.setattr(two_stage, "EXACT_COLUMNS", 0)
    merged = solve_joined(two, Risk(), options, time.monotonic() + 20)
    assert daily.agreed is not None
    costs = []
    for branch in range(2):
        taken = take(two, branch, daily.agreed)
        assert taken is not None
        found = solve(taken.rest, options)
        assert isinstance(found, Solution)
        costs.append(taken.back(found).objective)
    assert merged.bound <= Risk().of(costs, two.chances) * (1 + 1e-6)
    monkeypatch.setattr(two_stage, "MERGED", ((7, 0),))
    loose = solve_joined(two, Risk(), options, time.monotonic() + 20)
    assert loose.agreed is None
    assert -INF < loose.bound <= merged.bound * (1 + 0.01)


@pytest.mark.parametrize("seed", range(8))
def test_a_decision_of_merged_days_is_moved_within_its_periods_to_days_that_are_wanted(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    data = larger(seed, days=8, n_jobs=1)
    branches = tuple(moved(data, rng, 6) for _ in range(2))
    two = TwoStage(branches, (0.6, 0.4), frozenset({1, 3, 5} & {*range(len(data.term_offers))}), 6)
    options = SolveOptions(gap=0.02, time_limit_s=60)
    own = [solve(branch, options) for branch in branches]
    solutions = [x for x in own if isinstance(x, Solution)]
    assert len(solutions) == 2
    daily = solve_joined(two, Risk(), options, time.monotonic() + 60)
    assert on_own_days(two, daily, solutions) is None
    monkeypatch.setattr(two_stage, "EXACT_COLUMNS", 0)
    merged = solve_joined(two, Risk(), options, time.monotonic() + 60)
    assert merged.agreed is not None
    dated = on_own_days(two, merged, solutions)
    assert dated is not None
    theirs = [two.agreed(n, x) for n, x in enumerate(solutions)]
    for kind in ("starts", "bought"):
        before, after = getattr(merged.agreed, kind), getattr(dated, kind)
        wanted = {day for agreed in theirs for day, _ in getattr(agreed, kind)}

        def by_period(items: tuple[tuple[tuple[int, int], int], ...]) -> Counter[tuple[int, int]]:
            found: Counter[tuple[int, int]] = Counter()
            for (thing, day), count in items:
                found[thing, sum(first <= day for first in merged.periods)] += count
            return found

        assert by_period(after) == by_period(before)
        assert {day for day, _ in after} <= wanted | {day for day, _ in before}


def test_few_branches_stand_for_many_by_their_cost() -> None:
    data = [replace(tiny(0), constant=float(n)) for n in range(20)]
    chances = (0.05,) * 20
    two = TwoStage(tuple(data), chances, frozenset(), 1)
    costs = [float(n * 7 % 20) for n in range(20)]
    few = representatives(two, costs, 5)
    assert few.chances == pytest.approx((0.2,) * 5)
    stand = [costs[int(branch.constant)] for branch in few.branches]
    assert stand == [2, 6, 10, 14, 18]
    assert representatives(two, costs, 20) is two


# -- risk ----------------------------------------------------------------------------------


def linear_cvar(costs: list[float], chances: list[float], level: float) -> float:
    """Its definition as a linear program."""
    model = LinearModel()
    eta = model.column("eta", cost=1.0)
    model.lower[eta] = -INF
    for n, (cost, chance) in enumerate(zip(costs, chances, strict=True)):
        excess = model.column(f"z{n}", cost=chance / (1 - level))
        model.row(f"r{n}", [(excess, 1.0), (eta, 1.0)], lower=cost)
    return run_solver(model, EXACT, time.monotonic() + 5).objective


def tail_mean(costs: list[float], chances: list[float], level: float) -> float:
    """The mean of the worst outcomes, the last of them in part."""
    left, total = 1 - level, 0.0
    for cost, chance in sorted(zip(costs, chances, strict=True), reverse=True):
        taken = min(left, chance)
        total += taken * cost
        left -= taken
    return total / (1 - level)


@pytest.mark.parametrize("seed", range(60))
def test_cvar_is_the_mean_of_the_worst_outcomes(seed: int) -> None:
    rng = random.Random(seed)
    costs = [rng.uniform(-50, 200) for _ in range(rng.randint(1, 8))]
    parts = [rng.uniform(0.1, 1) for _ in costs]
    chances = [part / sum(parts) for part in parts]
    level = rng.choice([0.0, 0.3, 0.5, 0.9, 0.99])
    found = cvar(costs, chances, level)
    assert found == pytest.approx(tail_mean(costs, chances, level), abs=1e-9)
    assert found == pytest.approx(linear_cvar(costs, chances, level), abs=1e-6)
    assert found >= sum(c * p for c, p in zip(costs, chances, strict=True)) - 1e-9
