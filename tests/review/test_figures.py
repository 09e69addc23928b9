"""Figures of a review: right by hand, traceable to quotes, and none where there is none."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from pathlib import Path

import pytest
from one_card import DAYS, one_card

from optimizer.api import plan
from optimizer.finance.rates import monthly_rate
from optimizer.finance.time_value import npv
from optimizer.milp.solve import SolveOptions
from optimizer.review.figure import Figure, How, explain, find
from optimizer.review.figures import review_figures
from optimizer.review.sides import Comparison, compare, nearest_month
from providers.errors import RentoptError

D = Decimal
EXACT = SolveOptions(gap=1e-9)
MONTH = D(365) / 12
OPTION = "buy 1xRTX4090"


@pytest.fixture(scope="module")
def weighed(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compare(one_card(tmp_path_factory.mktemp("review")), EXACT)


@pytest.fixture(scope="module")
def figures(weighed: Comparison) -> tuple[Figure, ...]:
    return review_figures(weighed)


def value(figures: tuple[Figure, ...], name: str) -> D:
    found = find(figures, name).value
    assert found is not None
    return found


def resale() -> D:
    """Linear from the whole price to half of it after two months."""
    return 1000 * (1 - D("0.5") * (D(DAYS) / MONTH) / 2)


def test_the_saving_is_the_rent_less_price_and_electricity_plus_the_resale(
    figures: tuple[Figure, ...],
) -> None:
    assert value(figures, "rent.total") == 48 * DAYS
    assert value(figures, "saving") == 48 * DAYS - (1000 + 24 * DAYS - resale())
    assert value(figures, "capex") == 1000


def test_npv_discounts_each_day(figures: tuple[Figure, ...]) -> None:
    def worth(amount: D, day: int) -> float:
        return float(amount) * 1.1 ** (-day / 365)

    saved = sum(worth(D(24), day) for day in range(DAYS))
    by_hand = -1000 + saved + worth(resale(), DAYS)
    assert float(value(figures, "npv")) == pytest.approx(by_hand, rel=1e-12)


def test_npv_is_the_difference_of_the_answers_of_the_plan(
    figures: tuple[Figure, ...], tmp_path: Path
) -> None:
    problem = one_card(tmp_path)
    made = plan(problem.schedule, problem.costs.book, EXACT, breakeven_s=None)
    rent, mix = made.answer("rent").npv, made.answer("mix").npv
    assert rent is not None
    assert mix is not None
    assert value(figures, "npv") == rent - mix


def test_cash_at_risk_is_the_price_less_what_the_first_day_saves(
    figures: tuple[Figure, ...],
) -> None:
    assert value(figures, "cash_at_risk") == 1000 - 24
    assert find(figures, "cash_at_risk").note == "reached on 2026-12-01"


def test_payback_is_told_in_months(figures: tuple[Figure, ...]) -> None:
    """976 are out after the first day, and 24 come back each day after it."""
    assert float(value(figures, "payback") * MONTH) == pytest.approx(976 / 24)
    assert value(figures, "discounted_payback") > value(figures, "payback")


def test_the_rates_of_return_put_back_leave_nothing(
    figures: tuple[Figure, ...], weighed: Comparison
) -> None:
    flows = weighed.monthly()
    assert sum(flows) == sum(weighed.difference())
    per_month = monthly_rate(value(figures, "irr"))
    assert abs(npv(per_month, flows)) < D("1e-6") * 1000
    assert D("0.1") < value(figures, "mirr") < value(figures, "irr")


def test_a_delivered_hour_costs_more_with_interest(figures: tuple[Figure, ...]) -> None:
    accounting = value(figures, f"gpu_hour_accounting.{OPTION}")
    assert accounting == (1000 + 24 * DAYS - resale()) / (24 * DAYS)
    assert accounting < value(figures, f"gpu_hour_economic.{OPTION}") < 2
    assert value(figures, "rented_gpu_hour") == 2


def test_the_annual_cost_over_the_days_owned_is_the_present_value(
    figures: tuple[Figure, ...], weighed: Comparison
) -> None:
    assert weighed.buy is not None
    years = D(DAYS) / 365
    annuity = (1 - D("1.1") ** -years) / D("0.1")
    paid = value(figures, f"eac.{OPTION}") * annuity
    assert float(paid) == pytest.approx(float(weighed.buy.present_value), rel=1e-12)


def test_planned_and_break_even_utilisation_stand_side_by_side(tmp_path: Path) -> None:
    problem = one_card(tmp_path)
    made = plan(problem.schedule, problem.costs.book, EXACT, breakeven_s=0)
    shown = review_figures(compare(problem, EXACT), made.breakeven)
    assert value(shown, f"utilisation.{OPTION}") == 1
    even = value(shown, f"even_use_economic.{OPTION}")
    assert 0 < even < 1
    assert "pays above" in find(shown, f"even_use_economic.{OPTION}").note


def test_every_step_of_a_derivation_can_be_done_again(figures: tuple[Figure, ...]) -> None:
    steps = [part for figure in figures for part in figure.walk() if part.recomputed is not None]
    assert {part.how for part in steps} == {*How} - {How.GIVEN, How.WORDS}
    told = {part.name for figure in figures for part in figure.walk() if part.how is How.WORDS}
    assert {name.split(".")[0] for name in told} == {
        "cash_at_risk", "payback", "discounted_payback", "irr", "mirr", "eac"
    }  # fmt: skip
    for part in steps:
        assert part.value is not None
        assert abs(part.value - (part.recomputed or 0)) < D("1e-18"), part.name


def test_every_derivation_ends_at_something_with_a_source(figures: tuple[Figure, ...]) -> None:
    for figure in figures:
        for part in figure.walk():
            if part.inputs:
                assert part.formula, part.name
            else:
                assert part.source, part.name


def test_npv_is_explained_down_to_the_quote_and_the_purchase_price(
    figures: tuple[Figure, ...],
) -> None:
    lines = list(explain(find(figures, "npv")))
    assert lines[0].startswith("NPV of buying less renting = 927.93 CNY")
    text = "\n".join(lines)
    assert "price of own/card/hour = 2 CNY/hour; quoted as 2 CNY/hour, grade A [a quote" in text
    assert "[a quote, seen on 2026-11-01, in " in text
    assert "price of one 1xRTX4090 = 1,000.00 CNY [a dealer]" in text
    assert "a kWh at 00-24, in CNY = 1 [the schedule]" in text
    assert "2 months 50%" in text
    assert len(list(explain(find(figures, "npv"), depth=1))) == 3


def test_what_was_told_is_named_again_and_not_told_again(figures: tuple[Figure, ...]) -> None:
    lines = [line.strip() for line in explain(find(figures, "npv"))]
    rate = [line for line in lines if line.startswith("r: discount rate")]
    said = "r: discount rate, a year, effective = 0.1"
    assert rate[0] == f"{said} [the schedule (money.discount_rate)]"
    assert set(rate[1:]) == {f"{said}, as above"}


def test_names_of_others_cannot_steer_a_terminal() -> None:
    nasty = Figure("x", "a\x1b[31mred\n\u202ename", Decimal(1), "CNY", source="b\r\x07")
    [line] = explain(nasty)
    assert line.isprintable()
    assert "[31mred" in line


def test_months_add_up_to_the_saving(figures: tuple[Figure, ...]) -> None:
    months = [part for part in find(figures, "payback").inputs if part.name.startswith("month.")]
    assert sum(part.value or 0 for part in months) == value(figures, "saving")
    assert [nearest_month(day) for day in (0, 15, 16, 45, 46)] == [0, 0, 1, 1, 2]


def test_where_renting_is_best_a_node_bought_all_the_same_is_weighed(tmp_path: Path) -> None:
    weighed = compare(one_card(tmp_path, "100000"), EXACT)
    shown = review_figures(weighed)
    assert not weighed.buying_is_best
    assert value(shown, "npv") < 0
    assert find(shown, "payback").value is None
    assert find(shown, "payback").code == "never"
    assert find(shown, "payback").note == "not paid back within the 60 days of the plan"
    assert -1 < value(shown, "irr") < 0
    assert find(shown, "irr").note == "as if 2 months repeated all year"
    assert find(shown, f"owned.{OPTION}").value == 24 * DAYS
    assert min(accumulate(weighed.difference())) == -value(shown, "cash_at_risk")


def test_a_payback_by_the_resale_alone_says_so(tmp_path: Path) -> None:
    shown = review_figures(compare(one_card(tmp_path, "2500"), EXACT))
    assert find(shown, "payback").note == "only by the resale at the end"


def test_a_purchase_paid_back_in_weeks_has_no_yearly_rate(tmp_path: Path) -> None:
    shown = review_figures(compare(one_card(tmp_path, "100"), EXACT))
    assert value(shown, "cash_at_risk") == 76
    assert find(shown, "irr").value is None
    assert find(shown, "mirr").note.startswith("paid back within the first month")


def test_a_rate_beyond_reason_says_so(figures: tuple[Figure, ...]) -> None:
    assert value(figures, "irr") > 10
    assert "small beside the rent" in find(figures, "irr").note


def test_where_nothing_may_be_bought_there_is_no_figure_and_a_reason(tmp_path: Path) -> None:
    [shown] = review_figures(compare(one_card(tmp_path, buy=False), EXACT))
    assert shown.value is None
    assert shown.code == "nothing_to_compare"
    assert "may buy nothing" in shown.note


def test_an_unknown_figure_is_refused_with_the_known_ones(figures: tuple[Figure, ...]) -> None:
    with pytest.raises(RentoptError, match="'profit' is no figure of this review; there are npv"):
        find(figures, "profit")
