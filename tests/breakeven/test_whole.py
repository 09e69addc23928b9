"""Break-evens of the whole plan: brackets whose ends are proven, the ladder, the regime map."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from ten_days import problem_of, write_ten_days

from optimizer.breakeven.bracket import INF, Bracket, Cost, Point, search
from optimizer.breakeven.ladder import exactly, ladder, ladder_rows
from optimizer.breakeven.regime import regime_rows
from optimizer.breakeven.scale import (
    with_electricity,
    with_load,
    with_purchase_prices,
    with_rent,
)
from optimizer.breakeven.whole import Scaled, forced, speed_rows, whole_rows
from optimizer.formulate import formulate
from optimizer.milp.assemble import assemble
from optimizer.milp.instance import (
    Asset,
    Instance,
    ReplicaOption,
    Service,
    SlicePoint,
    Start,
    TermOffer,
)
from optimizer.milp.instance import Solution as Found
from optimizer.milp.solve import SolveOptions, solve
from optimizer.problem import Problem
from optimizer.sizing.bands import Band

EXACT = SolveOptions(gap=1e-7)
DEMAND = (2, 2, 4, 4, 4, 8, 8, 1, 1, 1)
"""PLAN-01: cards wanted on each of ten days."""
COSTS = (1680, 1440, 1332, 1312, 1292, 1404, 1516, 1628, 1740)
"""PLAN-01: least cost when owning 0 to 8 cards."""
DAYS_USED = (10, 7, 5, 5, 2, 2, 2, 2)
SAVINGS = (240, 108, 20, 20, -112, -112, -112, -112)
"""PLAN-04, of card 1 to 8."""


def soon(seconds: float = 30) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def ten_days(tmp_path: Path) -> Problem:
    return problem_of(write_ten_days(tmp_path))


def cards() -> Instance:
    """PLAN-01 as bare numbers."""
    days = len(DEMAND)
    starts = tuple(Start(t, 48.0, ((t, 1.0),), (), t + 1) for t in range(days))
    hold = Start(0, 200.0, tuple((t, 1.0) for t in range(days)), (), days)
    nothing = (0.0,) * days
    return Instance(
        period_days=(1,) * days,
        slices=tuple(SlicePoint(t, 24.0) for t in range(days)),
        pools=("card",),
        month_of_period=(0,) * days,
        term_offers=(TermOffer("rent", 0, "there", starts),),
        assets=(Asset("own", 0, nothing, (hold,), 8.0, (4.0,) * days, nothing),),
        services=(
            Service("work", tuple(map(float, DEMAND)), 0.0, (ReplicaOption(0, 1.0, 1.0),), ()),
        ),
    )


def test_plan_01_and_04_on_bare_numbers() -> None:
    data = cards()
    best = solve(data, EXACT)
    assert isinstance(best, Found)
    assert sum(best.hold.values()) == 4
    totals = []
    for nodes in range(9):
        found = solve(exactly(data, 0, nodes), EXACT)
        assert isinstance(found, Found)
        totals.append(found.objective)
    assert totals == pytest.approx(COSTS)


def test_plan_01_and_04_from_a_schedule_and_quotes(ten_days: Problem) -> None:
    rows = ladder_rows(ten_days, EXACT, soon())
    told = [(r["nodes"], float(r["total"]), r["days_used"]) for r in rows]
    assert told == [
        (n, pytest.approx(COSTS[n], rel=1e-6), DAYS_USED[n - 1] if n else 0)
        for n in range(7)  # two cards in a row that save nothing end it
    ]
    savings = [float(r["marginal_saving"]) for r in rows[1:]]
    assert savings == pytest.approx(SAVINGS[:6], abs=0.01)
    # Card k pays when its days x (rent - energy) exceed 200.
    evens = [float(r["break_even"]) for r in rows[1:]]
    assert evens == pytest.approx([(200 / d + 4) / 48 for d in DAYS_USED[:6]], rel=1e-5)
    assert all(r["proven"] for r in rows)


def test_the_ladder_stops_at_the_most_that_may_be_bought() -> None:
    data = cards()
    few = replace(data, assets=(replace(data.assets[0], most=2.0),))
    assert len(list(ladder(few, 0, EXACT, soon()))) == 3


def test_a_node_nothing_runs_on_can_still_be_asked_for() -> None:
    idle = replace(cards(), services=())
    found = solve(forced(idle), EXACT)
    assert isinstance(found, Found)
    assert found.objective == pytest.approx(200)
    assert sum(found.hold.values()) == 1


def test_rows_of_least_bought() -> None:
    model, _ = assemble(forced(cards()))
    assert model.text("least_bought") == "least_bought[own]: +1 hold[own,0,10] >= 1\n"
    assert assemble(cards())[0].text("least_bought") == ""


def scaled(problem: Problem, quantity: str, factor: float) -> tuple[Instance, Instance]:
    """The all-rent and the must-buy instance, made afresh."""
    if quantity == "purchase price":
        problem = with_purchase_prices(problem, factor)
    if quantity == "electricity price":
        problem = with_electricity(problem, factor)
    rent, own = formulate(problem.without_purchases()).instance, formulate(problem).instance
    if quantity == "rental price":
        rent, own = with_rent(rent, factor), with_rent(own, factor)
    if quantity == "load":
        rent, own = with_load(rent, factor), with_load(own, factor)
    if quantity == "speed":
        rent, own = with_load(rent, 1 / factor), with_load(own, 1 / factor)
    return rent, forced(own)


@pytest.mark.parametrize("price", ["200", "700"])
def test_both_ends_of_a_bracket_hold_when_solved_again(tmp_path: Path, price: str) -> None:
    problem = problem_of(write_ten_days(tmp_path, price))
    rows = whole_rows(problem, SolveOptions(), soon())
    settled = [r for r in rows if r["answer"] == "at"]
    assert {"rental price", "purchase price"} <= {r["quantity"] for r in settled}
    for row in settled:
        low, high, now = (float(row[key]) for key in ("low", "high", "now"))
        assert low < float(row["break_even"]) < high <= low * 1.011
        up = row["quantity"] in ("rental price", "load")
        for value, buys in ((low, not up), (high, up)):
            rent, own = (solve(x, EXACT) for x in scaled(problem, row["quantity"], value / now))
            assert isinstance(rent, Found)
            assert isinstance(own, Found)
            assert (own.objective < rent.bound) if buys else (rent.objective < own.bound)


def test_the_points_are_those_that_can_be_worked_out_by_hand(ten_days: Problem) -> None:
    rows = {r["quantity"]: r for r in whole_rows(ten_days, SolveOptions(), soon())}
    # The first card is used on all ten days: it pays while 10 x (48 x - 4) > 200.
    assert float(rows["rental price"]["break_even"]) == pytest.approx(0.5, rel=0.01)
    assert float(rows["purchase price"]["break_even"]) == pytest.approx(2.2, rel=0.01)
    assert float(rows["electricity price"]["break_even"]) == pytest.approx(7 / 6, rel=0.01)
    assert rows["load"]["answer"] == "always"


def changing_at(load: float) -> Bracket:
    """Renting is proven better below a factor of the load, buying above."""
    dear, cheap = Cost(9.0, 9.0), Cost(1.0, 1.0)
    return Bracket(Point(load, cheap, dear), Point(load * 1.001, dear, cheap))


def test_the_speed_at_which_the_answer_changes_is_the_load_turned_round(ten_days: Problem) -> None:
    (row,) = speed_rows(ten_days, changing_at(1.6))
    assert float(row["low"]) == pytest.approx(1 / 1.6016)
    assert float(row["high"]) == pytest.approx(1 / 1.6)
    assert row["band"] == ["1.00", "1.00"]  # the user measured it
    assert "stays" in row["meaning"]
    assert speed_rows(ten_days, Bracket()) == []


@pytest.mark.parametrize(("load", "answer"), [(1.6, "may change"), (3.0, "stays")])
def test_speeds_whose_band_holds_the_point_may_change_the_answer(
    ten_days: Problem, load: float, answer: str
) -> None:
    (service,) = ten_days.services
    doubtful = tuple(replace(option, band=Band(0.5, 1.3)) for option in service.options)
    unsure = replace(ten_days, services=(replace(service, options=doubtful),))
    (row,) = speed_rows(unsure, changing_at(load))
    assert row["band"] == ["0.50", "1.30"]
    assert answer in row["meaning"]


def test_services_twice_as_fast_cost_what_half_the_load_costs() -> None:
    data = cards()
    fast = replace(
        data,
        services=tuple(
            replace(
                service,
                replicas=tuple(replace(r, capacity=2 * r.capacity) for r in service.replicas),
            )
            for service in data.services
        ),
    )
    found = [solve(x, EXACT) for x in (fast, with_load(data, 0.5))]
    costs = [answer.objective for answer in found if isinstance(answer, Found)]
    assert len(costs) == 2
    assert costs[0] == pytest.approx(costs[1])


def test_a_dearer_node_needs_a_dearer_rent(tmp_path: Path) -> None:
    evens = []
    for price in ("150", "300", "450"):
        problem = problem_of(write_ten_days(tmp_path, price))
        (row,) = whole_rows(problem, SolveOptions(), soon(), ("rental price",))
        evens.append(float(row["break_even"]))
    assert evens == sorted(evens)


def test_without_time_nothing_is_claimed(ten_days: Problem) -> None:
    rows = whole_rows(ten_days, SolveOptions(), time.monotonic() - 1)
    assert {(r["answer"], r["proven"], r["break_even"]) for r in rows} == {("open", False, None)}


def test_two_costs_that_overlap_are_not_told_apart() -> None:
    """Around the crossing at 2 the intervals of both answers meet: it is said, not guessed."""

    def at(factor: float) -> Point:
        blur = 0.2
        return Point(
            factor,
            Cost(10 * factor - blur, 10 * factor + blur),
            Cost(20 - blur, 20 + blur),
        )

    found = search(at, up=True, deadline=soon())
    assert isinstance(found, Bracket)
    low, high = found.ends or (0.0, 0.0)
    assert low < 1.96 < 2.04 < high
    assert not found.narrow
    assert found.between
    assert high - low < 0.2


def test_what_cannot_be_bought_is_never_bought() -> None:
    def at(factor: float) -> Point:
        return Point(factor, Cost(factor, factor), Cost(INF, INF))

    found = search(at, up=True, deadline=soon())
    assert found.seen == 1
    assert found.ends is None


def test_the_regime_map_grows_with_rent_and_with_load(ten_days: Problem) -> None:
    rows = regime_rows(ten_days, EXACT, soon())
    owned = {(float(r["rent_factor"]), float(r["load_factor"])): r["nodes"] for r in rows}
    assert len(owned) == 25
    assert owned[1.0, 1.0] == 4
    for rent, load in owned:
        for dearer in (r for r, same in owned if same == load and r > rent):
            assert owned[dearer, load] >= owned[rent, load]


@pytest.mark.parametrize("quantity", ["rental price", "purchase price", "electricity price"])
def test_what_is_known_elsewhere_holds_where_it_was_not_solved(
    ten_days: Problem, quantity: str
) -> None:
    """Lines of plans are above, chords of bounds below the least cost at every other factor."""
    for side in Scaled(ten_days).sides(quantity):
        for factor in (0.4, 3.0):
            side.improve(factor, EXACT)
        for factor in (0.5, 1.0, 1.7, 2.9, 5.0):
            found = solve(side.at(factor), EXACT)
            assert isinstance(found, Found)
            known = side.cost(factor)
            assert known.low <= found.objective + 1e-6
            assert known.high >= found.bound - 1e-6
