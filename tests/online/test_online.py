"""The rules for the undecided: hand-computed cases, and their proven ratios on random sequences."""

from __future__ import annotations

import itertools
import math
import random
import time

import pytest

from optimizer.milp.linear_model import LinearModel
from optimizer.milp.solver import SolveOptions, run_solver
from optimizer.online import reservation, ski_rental, spot

SEQUENCES = 1200
SLACK = 1e-9


# -- ski rental ----------------------------------------------------------------------------


def test_the_rule_commits_before_the_rent_that_passes_the_price() -> None:
    assert ski_rental.break_even_day([3, 3, 3, 3], 9) == 3
    assert ski_rental.break_even_day([3, 3, 3], 9) is None
    assert ski_rental.break_even_day([10], 9) == 0
    assert ski_rental.cost([3, 3, 3, 3], 9, 3) == 18  # twice the price: the worst case
    assert ski_rental.best_cost([3, 3, 3, 3], 9) == 9


def rents(rng: random.Random) -> tuple[list[float], float]:
    days, scale = rng.randint(1, 40), rng.choice([0.1, 1.0, 30.0])
    shape = rng.choice(["even", "rare", "wild"])
    paid = {
        "even": lambda: scale,
        "rare": lambda: scale * (rng.random() < 0.2),
        "wild": lambda: scale * rng.expovariate(1),
    }[shape]
    return [paid() for _ in range(days)], rng.uniform(0.1, 25) * scale


def test_the_break_even_rule_costs_at_most_twice_the_best() -> None:
    rng, worst = random.Random(1), 0.0
    for _ in range(SEQUENCES):
        sequence, price = rents(rng)
        paid = ski_rental.cost(sequence, price, ski_rental.break_even_day(sequence, price))
        best = ski_rental.best_cost(sequence, price)
        assert paid <= ski_rental.DETERMINISTIC_RATIO * best + SLACK
        worst = max(worst, paid / best if best else 0.0)
    assert worst > 1.8  # the bound is not a loose one


def test_the_randomised_rule_costs_at_most_1_58_times_the_best_in_expectation() -> None:
    rng, worst = random.Random(2), 0.0
    for _ in range(SEQUENCES):
        sequence, price = rents(rng)
        best = ski_rental.best_cost(sequence, price)
        expected = ski_rental.expected_cost(sequence, price)
        assert expected <= ski_rental.RANDOMISED_RATIO * best * (1 + 1e-12) + SLACK
        worst = max(worst, expected / best if best else 0.0)
    assert worst > 1.5


def test_the_exact_expectation_is_what_drawing_gives() -> None:
    rng, sequence, price = random.Random(3), [2.0, 1.0, 0.0, 5.0, 1.0], 6.0
    draws = [ski_rental.draw_threshold(rng) for _ in range(40_000)]
    assert all(0 <= z <= 1 for z in draws)
    costs = [
        ski_rental.cost(sequence, price, ski_rental.break_even_day(sequence, price, z))
        for z in draws
    ]
    expected = ski_rental.expected_cost(sequence, price)
    assert sum(costs) / len(costs) == pytest.approx(expected, rel=0.01)


def test_rents_of_one_day_against_the_price_by_hand() -> None:
    # Commits at once when z < 1/2: (e^.5 - 1) / (e - 1) of the draws.
    early = (math.exp(0.5) - 1) / (math.e - 1)
    assert ski_rental.expected_cost([5.0], 10.0) == pytest.approx(early * 10 + (1 - early) * 5)


# -- reservation ---------------------------------------------------------------------------


def test_one_node_in_steady_use_is_reserved_when_the_last_term_would_have_paid() -> None:
    # Fee 3, price 1, term 4: three days on demand, then reserved on the fourth for four days.
    done = reservation.reserve(reservation.levels([1] * 7, 1.0), [3.0] * 7, 4)
    assert done.starts == (0, 0, 0, 1, 0, 0, 0)
    assert done.cost == 6.0


def test_a_reserved_node_in_use_still_costs_its_share() -> None:
    # Break-even is 3 / (1 - .5) = 6, so the seventh day passes it.
    done = reservation.reserve(reservation.levels([1] * 8, 1.0), [3.0] * 8, 8, alpha=0.5)
    assert done.starts.index(1) == 6
    assert done.cost == 6 + 3 + 2 * 0.5


def test_levels_are_reserved_one_by_one() -> None:
    done = reservation.reserve(reservation.levels([2, 2, 2, 1], 1.0), [2.0] * 4, 3)
    assert done.starts == (0, 0, 2, 0)
    assert done.cost == 4 + 4


def test_nothing_is_reserved_where_no_term_is_on_offer() -> None:
    done = reservation.reserve(reservation.levels([3] * 9, 1.0), [math.inf] * 9, 2)
    assert done.cost == 27


def hindsight(demand: list[int], price: float, fee: float, term: int, alpha: float) -> float:
    """Least cost of all reservations, by a linear program (its matrix is of intervals)."""
    model = LinearModel()
    days = range(len(demand))
    starts = [model.column(f"r{t}", cost=fee) for t in days]
    extra = [model.column(f"o{t}", cost=price * (1 - alpha)) for t in days]
    for t in days:
        begun = [(starts[s], 1.0) for s in range(max(0, t - term + 1), t + 1)]
        model.row(f"d{t}", [*begun, (extra[t], 1.0)], lower=float(demand[t]))
    found = run_solver(model, SolveOptions(gap=0.0), time.monotonic() + 600)
    return found.objective + alpha * price * sum(demand)


def instances(seed: int, count: int):
    rng = random.Random(seed)
    for _ in range(count):
        days, term = rng.randint(3, 14), rng.randint(1, 6)
        most = rng.randint(1, 4)
        demand = [rng.randint(0, most) * (rng.random() < 0.8) for _ in range(days)]
        yield demand, 1.0, rng.uniform(0.3, 1.2) * term, term, rng.choice([0.0, 0.0, 0.3, 0.7])


@pytest.fixture(scope="module")
def solved():
    cases = list(instances(4, SEQUENCES))
    return [(case, hindsight(*case)) for case in cases]


def test_the_deterministic_rule_keeps_its_ratio(solved) -> None:
    worst = 0.0
    for (demand, price, fee, term, alpha), best in solved:
        on_demand = reservation.levels(demand, price)
        done = reservation.reserve(on_demand, [fee] * len(demand), term, alpha=alpha)
        assert done.cost <= reservation.deterministic_ratio(alpha) * best + 1e-6
        worst = max(worst, done.cost / best if best else 0.0)
    assert worst > 1.5


def test_the_randomised_rule_keeps_its_ratio_in_expectation(solved) -> None:
    for (demand, price, fee, term, alpha), best in solved:
        on_demand = reservation.levels(demand, price)
        expected = expectation(on_demand, [fee] * len(demand), term, alpha)
        assert expected <= reservation.randomised_ratio(alpha) * best + 1e-6


def expectation(on_demand, fees, term: int, alpha: float) -> float:
    """The rule's cost is constant between thresholds at which a count of slots passes them."""
    whole = math.e - 1 + alpha
    total = alpha / whole * reservation.reserve(on_demand, fees, term, alpha=alpha).cost
    # Costs change only where z · fee / (1 - alpha) is a whole number of slots at price 1.
    edges = sorted({0.0, 1.0, *(min(1.0, n * (1 - alpha) / fees[0]) for n in range(len(fees) + 1))})
    for low, high in itertools.pairwise(edges):
        middle = (low + high) / 2
        share = (math.exp(high) - math.exp(low)) / whole
        rule = reservation.reserve(on_demand, fees, term, alpha=alpha, threshold=middle)
        total += share * rule.cost
    return total


def test_thresholds_are_drawn_from_the_proven_density() -> None:
    rng = random.Random(5)
    draws = [reservation.draw_threshold(rng, 0.5) for _ in range(40_000)]
    at_end = sum(z == 1.0 for z in draws) / len(draws)
    assert at_end == pytest.approx(0.5 / (math.e - 0.5), abs=0.01)
    half = sum(z < 0.5 for z in draws) / len(draws)
    assert half == pytest.approx((math.exp(0.5) - 1) / (math.e - 0.5), abs=0.01)


# -- spot with a deadline ------------------------------------------------------------------


def test_spot_is_used_when_it_is_there_and_the_line_is_kept_when_not() -> None:
    ride = spot.uniform_progress([True, False, False, True], 3.0, 6)
    # Slot 2: one hour of work is done, the line from 0 to 3 in 6 slots is at one; slot 4: behind.
    assert [str(mode) for mode in ride.modes] == [
        "spot",
        "idle",
        "idle",
        "spot",
        "idle",
        "on_demand",
    ]
    assert not ride.late
    assert ride.cost([1] * 6, [3] * 6) == 5
    behind = spot.uniform_progress([False] * 6, 3.0, 6)
    assert [mode is spot.Mode.IDLE for mode in behind.modes[:3]] == [True, False, True]


def test_the_greedy_policy_waits_as_long_as_the_safety_net_allows() -> None:
    ride = spot.greedy([False] * 6, 2.0, 6, restart=1.0)
    assert [str(mode) for mode in ride.modes] == ["idle"] * 3 + ["on_demand"] * 3
    assert not ride.late


def test_nobody_is_ever_late_and_no_hour_is_paid_twice() -> None:
    rng = random.Random(6)
    for _ in range(SEQUENCES):
        deadline = rng.randint(2, 80)
        restart = rng.choice([0.0, 0.2, 0.5, 1.5])
        work = rng.uniform(0.2, 1.0) * (deadline - restart)
        if work <= 0:
            continue
        stay = rng.uniform(0.5, 0.98)
        there, now = [], rng.random() < 0.5
        for _ in range(deadline):
            there.append(now)
            now = now if rng.random() < stay else not now
        for policy in (spot.uniform_progress, spot.greedy):
            ride = policy(there, work, deadline, restart)
            assert not ride.late
            assert len(ride.modes) <= deadline
            used = [mode for mode in ride.modes if mode is not spot.Mode.IDLE]
            switches = sum(
                now is not before and now is not spot.Mode.IDLE
                for before, now in zip((spot.Mode.IDLE, *ride.modes), ride.modes, strict=False)
            )
            assert work <= len(used) <= work + restart * switches + 1 + 1e-6
            assert all(there[t] for t, m in enumerate(ride.modes) if m is spot.Mode.SPOT)


def test_without_enough_time_a_job_is_late_and_says_so() -> None:
    assert spot.greedy([False] * 3, 3.0, 3, restart=1.0).late
