"""Branch and bound over levels, the linear program under it, and rows that cut relaxations off."""

from __future__ import annotations

import heapq
import random
import time
from dataclasses import replace

import pytest
from ortools.math_opt.python import mathopt
from random_instances import larger, term_offer, tiny
from test_merge import steady

from optimizer.milp import branch as branching
from optimizer.milp import levels as levelling
from optimizer.milp.branch import Levelled, LevelSearch, _Node
from optimizer.milp.hull import Hull, Loads, Prices, Row, _Point
from optimizer.milp.instance import Instance, ReplicaOption, Service, Solution
from optimizer.milp.levels import add_levels
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.linear_program import LinearProgram
from optimizer.milp.relax import Relaxation
from optimizer.milp.solve import SolveOptions, solve
from optimizer.milp.solver import Raw, run_solver

EXACT = SolveOptions(gap=1e-7, time_limit_s=20)
SLACK = 1 + 1e-6
SEEDS, BATCH = 200, 20


def soon() -> float:
    return time.monotonic() + 60


def searched(
    data: Instance, longest: int, gap: float = 0.0
) -> tuple[LevelSearch, Relaxation, list[float]]:
    """The search to its end, and the bounds that it proved, without -INF."""
    bounds: list[float] = []
    relaxed = Relaxation.of(data, longest)
    search = LevelSearch(relaxed, replace(EXACT, gap=gap), bounds.append)
    list(search.run(soon()))
    return search, relaxed, bounds


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_whole_levels_bound_the_optimum_and_are_the_cheapest_there_are(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levelling, "APART_DAYS", 1)
    for seed in range(first, first + BATCH):
        data = steady(seed, days=6)
        search, relaxed, bounds = searched(data, 2)
        exact = solve(data, EXACT)
        if not isinstance(exact, Solution):
            continue
        assert not search.infeasible, f"steady({seed})"
        assert search.best is not None
        assert bounds == pytest.approx(sorted(bounds), rel=1e-6), f"steady({seed})"
        assert max(bounds) <= exact.objective * SLACK, f"steady({seed})"
        model = relaxed.loose()
        loose = run_solver(model, EXACT, soon())
        for level in relaxed.levels:
            model.whole[level] = True
        whole = run_solver(model, EXACT, soon())
        assert loose.objective <= whole.objective * SLACK
        assert search.best.objective == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)
        assert max(bounds) == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("first", range(100, 160, BATCH))
def test_what_is_left_within_the_gap_counts_in_the_bound(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levelling, "APART_DAYS", 1)
    for seed in range(first, first + BATCH):
        data = steady(seed, days=6)
        _, _, exactly = searched(data, 2)
        _, _, nearly = searched(data, 2, gap=0.1)
        if exactly and nearly:
            assert max(nearly) <= max(exactly) * SLACK, f"steady({seed})"


def test_a_program_that_is_given_up_leaves_its_bound_behind() -> None:
    relaxed = Relaxation.of(steady(3, days=6), 2)
    bounds: list[float] = []
    search = LevelSearch(relaxed, EXACT, bounds.append)
    root = search.program.solve(soon())
    calls = []

    def given_up(until: float, levels: object = None) -> Raw:
        calls.append(levels)
        return replace(root, values=None, bound=root.bound)

    search.program.solve = given_up  # type: ignore[method-assign,assignment]
    assert list(search.run(soon())) == []
    assert len(calls) == 1
    assert not search.infeasible


def test_what_cannot_be_is_known_to_be_infeasible() -> None:
    service = Service("s", (9.0,) * 4, 0.0, (ReplicaOption(0, 1.0, 1.0),), ())
    data = replace(one_pool(4), services=(service,))
    search, _, bounds = searched(data, 2)
    assert search.infeasible
    assert not bounds


def one_pool(days: int) -> Instance:
    """One offer of 8 days, with 2 in stock, and one by the day; no service, no job."""
    data = tiny(0)
    return replace(
        data,
        period_days=(1,) * days,
        slices=tuple(replace(data.slices[0], period=t, hours=24.0) for t in range(days)),
        pools=("a",),
        month_of_period=(0,) * days,
        term_offers=(
            term_offer("long", 0, days, 8, 40.0, 2.0),
            term_offer("day", 0, days, 1, 10.0, 3.0),
        ),
        hourly_offers=(),
        assets=(),
        services=(),
        jobs=(),
        limits=replace(data.limits, budget=()),
        constant=0.0,
    )


def test_a_level_is_the_sum_of_what_covers_its_whole_period(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(levelling, "APART_DAYS", 4)
    service = Service("s", (1.5,) * 8, 0.0, (ReplicaOption(0, 1.0, 1.0),), ())
    relaxed = Relaxation.of(replace(one_pool(8), services=(service,)), 4)
    assert relaxed.pools == [0]
    names = relaxed.model.names
    (row,) = [
        entries
        for name, entries in zip(relaxed.model.row_names, relaxed.model.entries, strict=True)
        if name.startswith("level[")
    ]
    covered = {names[c].split("[")[1].split(",")[0] for c, x in row.items() if x > 0}
    assert covered == {"long"}  # a day is no whole period
    assert len([c for c, x in row.items() if x < 0]) == 1


def test_levels_cut_no_plan_off_where_nothing_is_rented_for_long() -> None:
    model = LinearModel()
    data = replace(one_pool(4), term_offers=())
    from optimizer.milp.variables import add_variables

    assert add_levels(model, add_variables(model, data), data) == {}


def test_the_best_levels_stay_the_best_when_dearer_ones_are_looked_at_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows can raise whole levels above others that are taken up after them."""
    relaxed = Relaxation.of(steady(3, days=6), 2)
    bounds: list[float] = []
    search = LevelSearch(relaxed, EXACT, bounds.append)
    nodes = {1.0: _Node(1.0, {1: (0.0, 0.0)}, whole=True), 2.0: _Node(2.0, {1: (1.0, 9.0)})}
    results = {1.0: [(5.0, False)], 2.0: [(3.0, True), (7.0, False)]}
    monkeypatch.setattr(search, "_dive", lambda until: None)
    monkeypatch.setattr(branching, "TOGETHER", 1)

    def step(until: float) -> list[tuple[Levelled, tuple[_Node, ...]]]:
        node = heapq.heappop(search._open)[-1]
        least = min(nodes, key=lambda n: nodes[n].levels != node.levels)
        cost, more = results[least].pop(0)
        again = (_Node(cost, node.levels, whole=True),) if more else ()
        return [(Levelled([cost], cost), again)]

    monkeypatch.setattr(search, "_step", step)
    for node in nodes.values():
        search._keep(node)
    found = list(search.run(soon()))
    assert [levels.objective for levels in found] == [3.0, 5.0]
    assert search.best == Levelled([5.0], 5.0)
    assert max(bounds) == 5.0


# -- whole supplies --------------------------------------------------------------------------


def apart(hull: Hull, loads: Loads, there: Prices) -> Row | None:
    return hull._apart(_Point(0, loads, (), (), there))


def test_a_part_of_a_node_is_cut_off_at_the_price_of_a_whole_one() -> None:
    service = Service("s", (0.4,) * 8, 0.0, (ReplicaOption(0, 1.0, 1.0),), ())
    data = replace(one_pool(8), services=(service,))
    hull = Hull(data)
    assert apart(hull, (0.4,), (0.4,)) == ((1.0,), 1.0)
    assert apart(hull, (0.4,), (1.0,)) is None


def test_prices_at_which_the_loads_cost_nothing_make_no_row() -> None:
    """A hair below none of a node, at the price of nodes that the service does without."""
    services = (
        Service("s", (1.0,), 0.0, (ReplicaOption(0, 1.0, 1.0), ReplicaOption(1, 1.0, 1.0)), ()),
    )
    hull = Hull(replace(one_pool(1), pools=("a", "b"), services=services))
    assert hull._at((0.0, 1.0), _Point(0, (1.0,), (), (), (1.0, -1e-9))) is None


@pytest.mark.parametrize("seed", range(30))
def test_no_mean_of_whole_supplies_is_cut_off(seed: int) -> None:
    """A point in the hull stays; below all supplies there are prices that tell it apart."""
    rng = random.Random(seed)
    pools = tuple("abc")
    services = tuple(
        Service(
            f"s{v}",
            (rng.uniform(0.5, 9),),
            rng.choice([0.0, 0.2]),
            tuple(
                ReplicaOption(p, rng.choice([0.25, 0.5, 1.0]), rng.uniform(0.5, 4))
                for p in range(3)
            ),
            (),
        )
        for v in range(2)
    )
    data = replace(one_pool(1), pools=pools, services=services)
    hull = Hull(data)
    loads = tuple(service.load[0] for service in services)
    supplies = []
    for _ in range(4):
        _, nodes = hull._cheapest(loads, tuple(rng.uniform(0.1, 1) for _ in pools))
        assert nodes is not None
        supplies.append(nodes)
    shares = [rng.random() for _ in supplies]
    mean = tuple(
        sum(x * n[p] for x, n in zip(shares, supplies, strict=True)) / sum(shares) for p in range(3)
    )
    assert apart(hull, loads, mean) is None
    row = apart(hull, loads, tuple(x * 0.5 for x in map(min, zip(*supplies, strict=True))))
    if row is not None:
        prices, least = row
        for nodes in hull.supplies[loads]:
            assert sum(p * n for p, n in zip(prices, nodes, strict=True)) >= least * (1 - 1e-6)


def test_cheaper_levels_that_are_found_after_the_dive_are_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    relaxed = Relaxation.of(steady(3, days=6), 2)
    search = LevelSearch(relaxed, EXACT, lambda _: None)
    dear, cheap = Levelled([9.0], 9.0), Levelled([4.0], 4.0)
    search._keep(_Node(4.0, {}, whole=True))

    def step(until: float) -> list[tuple[Levelled, tuple[_Node, ...]]]:
        search._open.clear()
        return [(cheap, ())]

    monkeypatch.setattr(search, "_dive", lambda until: dear)
    monkeypatch.setattr(search, "_step", step)
    assert list(search.run(soon())) == [dear, cheap]


def test_rows_are_the_same_however_many_are_looked_for_at_once() -> None:
    data = larger(5, days=12)
    found = []
    for workers in (1, 3):
        relaxed = Relaxation.of(data, 3, workers)
        search = LevelSearch(relaxed, EXACT, lambda _: None)
        list(search.run(soon()))
        model = relaxed.model
        rows = zip(model.row_names, model.entries, model.row_lower, strict=True)
        found.append([row for row in rows if row[0].startswith("hull[")])
    assert found[0] == found[1]
    assert found[0]


# -- the linear program ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_a_program_that_goes_on_finds_what_a_new_one_finds(seed: int) -> None:
    """Bounds of columns change and come back, rows are added."""
    rng = random.Random(seed)
    model = LinearModel()
    for n in range(12):
        model.column(f"x{n}", upper=rng.uniform(2, 9), cost=rng.uniform(-1, 5))
    rows = [
        ([(n, rng.uniform(0.1, 3)) for n in rng.sample(range(12), 5)], rng.uniform(1, 4))
        for _ in range(14)
    ]
    for number, (terms, least) in enumerate(rows[:6]):
        model.row(f"r{number}", terms, lower=least)
    program = LinearProgram(model)
    for number in range(6, 14):
        bounds = {n: (0.0, rng.uniform(0.5, 2)) for n in rng.sample(range(12), 3)}
        found = program.solve(soon(), bounds)
        upper = [bounds.get(n, (0.0, most))[1] for n, most in enumerate(model.upper)]
        fresh = run_solver(replace(model, upper=upper), EXACT, soon())
        assert found.infeasible == fresh.infeasible
        if not fresh.infeasible:
            assert found.objective == pytest.approx(fresh.objective, rel=1e-6, abs=1e-6)
            assert len(found.duals) == len(model.row_names)
        terms, least = rows[number]
        model.row(f"r{number}", terms, lower=least)


def test_a_program_goes_on_from_where_another_one_stood() -> None:
    relaxed = Relaxation.of(larger(4, days=12), 3)
    one, other = (LinearProgram(relaxed.loose()) for _ in range(2))
    root = one.solve(soon())
    stood = one.stood
    held = dict.fromkeys(relaxed.levels[:2], (0.0, 0.0))
    branch = one.solve(soon(), held)
    assert root.values is not None
    relaxed.model.row("more", [(0, 1.0)], lower=root.values[0] + 0.5)
    again = other.solve(soon(), held, stood)  # with rows that came after it stood there
    assert again.objective >= branch.objective / SLACK
    fresh = LinearProgram(relaxed.loose()).solve(soon(), held)
    assert again.objective == pytest.approx(fresh.objective, rel=1e-6)
    assert one.solve(soon(), held).objective == pytest.approx(fresh.objective, rel=1e-6)


def test_an_imprecise_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LinearModel()
    model.column("x", upper=9.0, cost=1.0)
    model.row("r", [(0, 1.0)], lower=2.0)
    program = LinearProgram(model)
    solver = program._solver

    class Imprecise:
        def solve(self, **asked: object) -> mathopt.SolveResult:
            result = solver.solve(**asked)  # type: ignore[arg-type]
            result.termination.reason = mathopt.TerminationReason.IMPRECISE
            return result

    monkeypatch.setattr(program, "_solver", Imprecise())
    assert program.solve(soon(), {0: (3.0, 9.0)}).objective == pytest.approx(3.0)


def test_a_job_that_needs_less_than_a_slice_holds_its_node_for_all_of_it() -> None:
    """The relaxation pays for the whole slice too: a part of the work cannot be bought alone."""
    data = larger(3, days=6, n_jobs=1)
    (job,) = data.jobs
    quick = replace(job, gangs=tuple(replace(g, rate=job.work) for g in job.gangs))
    relaxed = Relaxation.of(replace(data, jobs=(quick,)), 3)
    (row,) = [
        entries
        for name, entries in zip(relaxed.model.row_names, relaxed.model.entries, strict=True)
        if name.startswith("work[")
    ]
    days = {c: relaxed.merged.instance.slice_days(s) for (_, _, s), c in relaxed.v.run.items()}
    days |= {c: relaxed.merged.instance.slice_days(s) for (_, _, s), c in relaxed.v.hours.items()}
    assert row == {c: pytest.approx(float(days[c])) for c in row}
