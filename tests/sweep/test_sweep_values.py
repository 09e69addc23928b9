"""The values of an axis: exact grids, and draws that a seed repeats."""

import math
import statistics
from decimal import Decimal

import pytest

from optimizer.sweep.document import Axis
from optimizer.sweep.values import AxisError, axis_values


def values(**axis):
    return axis_values(Axis(path="x", **axis))


def drawn(count=4000, **draws):
    found = values(random={"count": count, **draws})
    return [float(value) for value in found]


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        ({"start": 1, "stop": 3, "step": 1}, [1, 2, 3]),
        ({"start": Decimal("0.1"), "stop": Decimal("0.3"), "step": Decimal("0.1")},
         [Decimal("0.1"), Decimal("0.2"), Decimal("0.3")]),
        ({"start": 0, "stop": 1, "steps": 3}, [0, Decimal("0.5"), 1]),
        ({"start": 3, "stop": 1, "step": -1}, [3, 2, 1]),
        ({"start": 0, "stop": 10, "step": 4}, [0, 4, 8]),
        ({"start": "0.4 CNY/kWh", "stop": 1, "step": "0.3"},
         ["0.4 CNY/kWh", "0.7 CNY/kWh", "1 CNY/kWh"]),
        ({"start": "2 %/year", "stop": "6 %/year", "steps": 2}, ["2 %/year", "6 %/year"]),
        ({"start": "2026-12-30", "stop": "2027-01-12", "step": "1 week"},
         ["2026-12-30", "2027-01-06"]),
        ({"start": "2026-12-01", "stop": "2026-12-03", "steps": 3},
         ["2026-12-01", "2026-12-02", "2026-12-03"]),
    ],
)  # fmt: skip
def test_a_grid_is_exact_and_keeps_its_unit(grid, expected):
    assert values(grid=grid) == expected


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"start": 1, "stop": 3}, "neither"),
        ({"start": 1, "stop": 3, "step": 1, "steps": 2}, "both"),
        ({"start": 1, "stop": 3, "step": -1}, "never leads"),
        ({"start": 1, "stop": 3, "step": 0}, "never leads"),
        ({"start": "1 CNY", "stop": "3 EUR", "step": 1}, "write one unit"),
        ({"start": "1 CNY", "stop": "3 CNY", "step": "1 EUR"}, "the step is in EUR"),
        ({"start": "2026-12-01", "stop": 5, "step": 1}, "both be days"),
        ({"start": "2026-12-01", "stop": "2026-12-05", "step": "6 hours"}, "expected days"),
        ({"start": 0, "stop": 1_000_000, "step": 1}, "at most 100,000"),
    ],
)
def test_a_grid_that_means_nothing_is_refused(grid, said):
    with pytest.raises(AxisError, match=said):
        values(grid=grid)


def test_an_axis_has_one_source_of_values():
    with pytest.raises(AxisError, match="found none of them"):
        values()
    with pytest.raises(AxisError, match="found grid and list"):
        values(grid={"start": 1, "stop": 2, "step": 1}, list=[1])
    with pytest.raises(AxisError, match="empty"):
        values(list=[])


def test_a_seed_repeats_its_draws_and_another_gives_others():
    one = {"distribution": "uniform", "low": 0, "high": 1, "count": 5}
    assert values(random=one) == values(random=one)
    assert values(random=one) != values(random={**one, "seed": 1})


def test_the_first_draws_of_a_seed_stay_what_they_were():
    """Results are found again by their values: a new release must draw the same."""
    found = values(random={"distribution": "uniform", "low": 0, "high": 1, "count": 3, "seed": 7})
    assert found == [Decimal("0.665838"), Decimal("0.769883"), Decimal("0.0530413")]


def test_two_axes_with_one_seed_do_not_move_together():
    draws = {"distribution": "uniform", "low": 0, "high": 1, "count": 500, "seed": 3}
    one, other = (
        [float(v) for v in axis_values(Axis(path=path, random=draws))] for path in ("a", "b")
    )
    assert abs(statistics.correlation(one, other)) < 0.15


@pytest.mark.parametrize(
    ("draws", "median"),
    [
        ({"distribution": "uniform", "low": 2, "high": 4}, 3),
        ({"distribution": "normal", "mean": 10, "sd": 2}, 10),
        ({"distribution": "lognormal", "median": 5, "sigma": Decimal("0.5")}, 5),
        ({"distribution": "triangular", "low": 0, "mode": 1, "high": 4}, 4 - math.sqrt(6)),
    ],
)
def test_draws_have_the_median_of_their_distribution(draws, median):
    assert statistics.median(drawn(**draws)) == pytest.approx(median, rel=0.05)


def test_draws_stay_between_the_ends_they_are_cut_off_at():
    normal = drawn(distribution="normal", mean=0, sd=1, at_least=Decimal("-0.5"), at_most=2)
    assert -0.5 <= min(normal) < -0.45
    assert 1.5 < max(normal) <= 2
    upper = drawn(distribution="lognormal", median=1, sigma=1, at_least=1)
    assert min(upper) >= 1


def test_a_choice_is_drawn_by_its_weight():
    found = values(random={"distribution": "choice", "choices": ["a", "b"], "weights": [3, 1],
                           "count": 4000})  # fmt: skip
    assert found.count("a") / 4000 == pytest.approx(0.75, abs=0.03)


def test_draws_take_a_unit_and_are_rounded():
    uniform = {"distribution": "uniform", "low": 10, "high": 20, "count": 3}
    assert all(isinstance(value, int) for value in values(random={**uniform, "digits": 0}))
    assert all(v.endswith(" CNY") for v in values(random={**uniform, "unit": "CNY"}))


@pytest.mark.parametrize(
    ("draws", "said"),
    [
        ({"distribution": "uniform", "low": 1}, "'high' is missing"),
        ({"distribution": "uniform", "low": 2, "high": 1}, "low below high"),
        ({"distribution": "uniform", "low": 1, "high": 2, "sd": 1}, "means nothing for uniform"),
        ({"distribution": "normal", "mean": 1, "sd": 0}, "more than 0"),
        ({"distribution": "lognormal", "median": -1, "sigma": 1}, "more than 0"),
        ({"distribution": "triangular", "low": 0, "mode": 9, "high": 4}, "low <= mode <= high"),
        ({"distribution": "choice"}, "'choices' is missing"),
        ({"distribution": "choice", "choices": [1], "weights": [1, 2]}, "one weight a choice"),
        ({"distribution": "normal", "mean": 0, "sd": 1, "at_least": 2, "at_most": 1},
         "nothing in between"),
    ],
)  # fmt: skip
def test_draws_that_mean_nothing_are_refused(draws, said):
    with pytest.raises(AxisError, match=said):
        values(random={"count": 3, **draws})
