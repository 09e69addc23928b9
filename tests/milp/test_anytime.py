"""A plan at once, a search that can be ended, and what is told of it on the way."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from random_instances import larger, term_offer, tiny

from optimizer.milp import solve as solving
from optimizer.milp.anytime import Known, Stopped, Watch
from optimizer.milp.assemble import assemble
from optimizer.milp.cover import Stock, Supplier
from optimizer.milp.encode import encode, keeps_rows
from optimizer.milp.first import first_plan, is_plan
from optimizer.milp.highs import HighsFiles, figures
from optimizer.milp.instance import (
    INF,
    Asset,
    HourlyOffer,
    Instance,
    Limits,
    ReplicaOption,
    Service,
    SlicePoint,
    Solution,
    Start,
)
from optimizer.milp.polish import can_polish, objective
from optimizer.milp.solve import NoSolution, SolveOptions, solve
from optimizer.milp.solver import run_solver

EXACT = SolveOptions(gap=1e-7, time_limit_s=20)
SLACK = 1 + 1e-6


# -- the first plan --------------------------------------------------------------------------


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_a_first_plan_is_a_plan_and_never_below_the_optimum(first: int) -> None:
    for seed in range(first, first + 20):
        data = tiny(seed)
        found = first_plan(data)
        if found is None:
            continue
        best = solve(data, EXACT)
        assert isinstance(best, Solution), f"tiny({seed})"
        assert found.objective >= best.objective / SLACK, f"tiny({seed})"
        assert found.objective == pytest.approx(objective(data, found)), f"tiny({seed})"


def test_a_first_plan_is_there_for_most_instances_that_have_one() -> None:
    """Budgets and least orders are what it does not look at; without them it hardly fails."""
    made = [
        replace(
            tiny(seed),
            limits=replace(tiny(seed).limits, budget=()),
            term_offers=tuple(replace(o, least=1) for o in tiny(seed).term_offers),
        )
        for seed in range(120)
    ]
    possible = [data for data in made if isinstance(solve(data, EXACT), Solution)]
    found = [data for data in possible if first_plan(data) is not None]
    assert len(possible) > 80
    assert len(found) > 0.85 * len(possible)


def test_a_first_plan_is_settled_before_the_solver_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the solver's search of the whole, what is left is a plan, and often a cheaper one."""
    monkeypatch.setattr(solving, "TINY_COLUMNS", 0)
    monkeypatch.setattr(solving._Search, "_whole", lambda search: None)
    cheaper = []
    for seed in range(20):
        data = replace(larger(seed, days=4, n_jobs=0), quotas=(), limits=Limits())
        data = replace(data, term_offers=tuple(replace(o, least=1) for o in data.term_offers))
        first = first_plan(data)
        if first is None or not can_polish(data):
            continue
        found = solve(data, EXACT)
        assert isinstance(found, Solution)
        assert is_plan(data, found)
        assert found.objective <= first.objective * SLACK
        cheaper.append(found.objective < first.objective / SLACK)
    assert len(cheaper) > 8
    assert sum(cheaper) > 2


def test_what_breaks_a_row_is_no_plan() -> None:
    data = tiny(1)
    best = solve(data, EXACT)
    assert isinstance(best, Solution)
    assert is_plan(data, best)
    nothing = replace(best, start={}, hourly={}, hold={}, busy={})
    assert best.serve or best.run
    assert not is_plan(data, nothing)


def one_node(seed: int) -> tuple[Instance, list[int]]:
    """Eight days of two slices; one node is wanted on some slices, and many ways supply it."""
    rng = random.Random(seed)
    days = 8
    slices = tuple(SlicePoint(t, h) for t in range(days) for h in (10.0, 14.0))
    need = [rng.choice([0, 0, 1]) for _ in slices]
    price = rng.uniform(1, 4)
    terms = tuple(
        term_offer(f"t{length}", 0, days, length, 24 * price * length * rng.uniform(0.5, 1.1))
        for length in (1, 3, 5)
    )
    holds = tuple(
        Start(t, rng.uniform(20, 300), tuple((d, 1.0) for d in range(t + 1, end)), (), end)
        for t in range(3)
        for end in (6, days)
    )
    busy = tuple(rng.uniform(0, 10) for _ in slices)
    return Instance(
        period_days=(1,) * days,
        slices=slices,
        pools=("a",),
        month_of_period=(0,) * days,
        term_offers=terms,
        hourly_offers=(HourlyOffer("h", 0, "s", (price,) * len(slices), price),),
        assets=(Asset("own", 0, (0.0,) * days, holds, 1.0, busy, busy),),
        services=(Service("s", tuple(map(float, need)), 0.0, (ReplicaOption(0, 1.0, 1.0),), ()),),
    ), need


@pytest.mark.parametrize("seed", range(60))
def test_one_node_is_supplied_at_the_least_cost(seed: int) -> None:
    data, need = one_node(seed)
    best = solve(data, EXACT)
    assert isinstance(best, Solution)
    assert Supplier(data, 0).supply(need, Stock(data)).cost == pytest.approx(best.objective)


def test_a_paid_term_that_runs_already_serves_who_needs_it_later() -> None:
    data, _ = one_node(3)
    paid = term_offer("paid", 0, 8, 8, 0.0)
    paid = replace(paid, starts=paid.starts[:1], stock=1.0)
    asked = replace(data, term_offers=(*data.term_offers, paid), assets=())
    need = [0] * 6 + [1] * (len(data.slices) - 6)
    stock = Stock(asked)
    assert Supplier(asked, 0).supply(need, stock).cost == 0
    assert Supplier(asked, 0).supply(need, stock).cost > 0


def test_what_is_taken_from_a_stock_is_gone() -> None:
    data, _ = one_node(3)
    few = replace(data, term_offers=tuple(replace(o, stock=1.0) for o in data.term_offers))
    few = replace(few, hourly_offers=(), assets=())
    need = [1] * len(data.slices)
    stock = Stock(few)
    assert Supplier(few, 0).supply(need, stock).cost < INF
    for _ in range(3):
        last = Supplier(few, 0).supply(need, stock)
    assert last.short


# -- columns and solutions -------------------------------------------------------------------


def test_a_solution_put_in_columns_keeps_every_row_and_its_cost() -> None:
    instances = [tiny(seed) for seed in range(80)] + [larger(s, days=4, n_jobs=2) for s in range(6)]
    solved = 0
    for data in instances:
        found = solve(data, SolveOptions(gap=0.05, time_limit_s=5))
        if isinstance(found, NoSolution):
            continue
        solved += 1
        model, v = assemble(data)
        values = encode(data, model, v, found)
        assert values is not None
        assert keeps_rows(model, values)
        paid = sum(x * cost for x, cost in zip(values, model.costs, strict=True))
        assert model.offset + paid == pytest.approx(found.objective, rel=1e-5, abs=1e-4)
    assert solved > 60


def test_the_solver_starts_from_the_plan_it_is_given() -> None:
    """And ends with it, where any plan will do; those it finds by itself are far worse."""
    data = larger(7, days=8, n_jobs=3)
    found = solve(data, SolveOptions(gap=0.1, time_limit_s=20))
    assert isinstance(found, Solution)
    model, v = assemble(data)
    values = encode(data, model, v, found)
    any_plan, until = SolveOptions(gap=1e3), time.monotonic() + 60
    again = run_solver(model, any_plan, until, start=values)
    assert again.objective == pytest.approx(found.objective)
    assert run_solver(model, any_plan, until).objective > 2 * found.objective


# -- watched, and stopped --------------------------------------------------------------------


def test_being_watched_changes_no_plan() -> None:
    for seed in range(30):
        data = tiny(seed)
        assert solve(data, replace(EXACT, watch=Watch())) == solve(data, EXACT), f"tiny({seed})"


def test_a_watch_hears_plans_getting_cheaper_and_bounds_rising() -> None:
    told: list[Known] = []
    data = larger(5, days=10)
    found = solve(data, SolveOptions(gap=0.02, time_limit_s=20, watch=Watch(told.append)))
    assert isinstance(found, Solution)
    assert told
    for before, after in pairwise(told):
        assert after.objective <= before.objective
        assert after.bound >= before.bound
    assert told[-1].objective >= found.objective / SLACK
    assert told[-1].bound <= found.objective * SLACK


def test_a_search_that_is_stopped_returns_its_best_with_a_bound_that_holds() -> None:
    data = larger(11, days=20, n_jobs=4)
    watch = Watch(lambda known: threading.Timer(0.3, watch.stop).start())
    began = time.monotonic()
    early = solve(data, SolveOptions(gap=0.0, time_limit_s=600, watch=watch))
    assert time.monotonic() - began < 500
    assert isinstance(early, Solution)
    assert is_plan(data, early)
    late = solve(data, SolveOptions(gap=0.02, time_limit_s=20))
    assert isinstance(late, Solution)
    assert early.bound <= late.objective * SLACK
    assert late.bound <= early.objective * SLACK


def test_a_search_of_which_only_the_end_counts_says_that_it_was_stopped() -> None:
    watch = Watch()
    for_questions = watch.for_questions()
    watch.stop()
    with pytest.raises(Stopped):
        solve(tiny(0), replace(EXACT, watch=for_questions))


# -- what HiGHS writes -----------------------------------------------------------------------


def test_a_line_of_the_log_gives_cost_and_bound() -> None:
    line = " L       0       0         0   0.00%   1066.904045     1079               1.12%  486"
    best, bound = figures(line) or (0.0, 0.0)
    assert best == 1079
    assert 1066.90404 < bound < 1066.904045
    early = " u       0       0         0   0.00%   -inf            7200               Large   0"
    assert figures(early) == (7200.0, -INF)
    assert figures("Presolving model") is None
    assert figures("     I => Shifting; J => Feasibility jump; L => Sub-MIP;") is None


def test_a_solution_that_is_half_written_is_not_read(tmp_path: Path) -> None:
    files = HighsFiles(tmp_path)
    assert files.best(3) is None
    whole = "Objective 7\n# Columns -2\n 1 0\n 2.5 2\n"
    files.better.write_text(whole)
    assert files.best(3) == (7.0, [1.0, 0.0, 2.5])
    for cut in ("Objective 6\n", "Objective 6\n# Columns -2\n 1", "Objective 6\n# Columns -1\n 1 "):
        files.better.write_text(whole + cut)
        assert files.best(3) == (7.0, [1.0, 0.0, 2.5]), cut
    files.better.write_text(whole + "Objective 6\n# Columns -0\n")
    assert files.best(3) == (6.0, [0.0, 0.0, 0.0])


LATER = (
    " 1 0\nObjective 6\n# Columns -1\n 2 2\n",
    " 1 0 2\n 2 2\n",
    " 1 0\n 2 7\n",
    " 1 2\n 2 2\n",
    " 1 0\n x 2\n",
)


@pytest.mark.parametrize("lines", LATER)
def test_a_solution_that_is_not_well_formed_is_not_read(tmp_path: Path, lines: str) -> None:
    """One that is cut short and followed by another, or says what no column can be."""
    files = HighsFiles(tmp_path)
    files.better.write_text("Objective 5\n# Columns -2\n" + lines)
    whole = (6.0, [0.0, 0.0, 2.0]) if "Objective" in lines else None
    assert files.best(3) == whole


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_whatever_part_of_the_file_is_there_only_whole_solutions_are_read(
    tmp_path: Path, first: int
) -> None:
    rng = random.Random(first)
    n, text, known = 15, "", []
    for _ in range(4):
        values = [rng.choice([0.0, 0.0, 1.0, 12.5, 1e-7]) for _ in range(n)]
        listed = [(i, x) for i, x in enumerate(values) if x]
        cost = rng.uniform(-5, 5)
        text += f"Objective {cost!r}\n# Columns -{len(listed)}\n"
        text += "".join(f" {x!r} {i}\n" for i, x in listed)
        known.append((len(text), (cost, values)))
    files = HighsFiles(tmp_path)
    for cut in range(len(text) + 1):
        files.better.write_text(text[:cut])
        whole = [found for end, found in known if end <= cut]
        assert files.best(n) == (whole[-1] if whole else None), cut
