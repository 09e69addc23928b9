"""Two computations of NPV agree, the draws keep their laws, every range says what it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_cases import BASE, FULL, questions

from optimizer.finance.risk import Triangular, conditional_value_at_risk
from optimizer.review.sensitivity.closed import Closed
from optimizer.review.sensitivity.drivers import ALL, drivers
from optimizer.review.sensitivity.monte_carlo import (
    Volatility,
    monte_carlo,
    rent_volatility,
    tail_mean,
    triangular,
)
from optimizer.review.sensitivity.one_at_a_time import (
    scenario_table,
    set_all,
    three_by_three,
    tornado,
    two_way,
)
from optimizer.review.sensitivity.ranges import Seen, spans
from optimizer.review.sensitivity.results import Basis, Span
from optimizer.review.sensitivity.study import study
from optimizer.review.sensitivity.waiting import bought_later, option_value, waiting
from optimizer.review.workbook.outcomes import npv_of, outcomes
from providers.errors import RentoptError

D = Decimal
CASES = ("tiny", "everything", "base", "full")
NO_WALK = Volatility(0.0, Basis.NO_DATA, "")


def question(case: str):
    return questions()[case][0]


# -- the closed form against the exact answer ---------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_npv_alone_is_the_npv_among_all_answers(case):
    found = {outcome.name: outcome.value for outcome in outcomes(question(case))}
    assert npv_of(question(case)) == found["npv"]


@pytest.mark.parametrize("case", CASES)
@settings(deadline=None, max_examples=25)
@given(factor=st.floats(0.0, 3.0), days=st.integers(0, 400))
def test_the_closed_form_is_the_exact_answer_for_every_assumption(case, factor, days):
    asked = question(case)
    closed = Closed(asked)
    for driver in drivers(asked):
        base = driver.get(asked)
        value = D(days) if driver.name == "delay" else (base or D("0.1")) * D(repr(factor))
        exact = float(npv_of(driver.put(asked, value)))
        found = closed.npv({driver.name: np.array([float(value)])})
        assert found == pytest.approx([exact], rel=1e-9, abs=1e-6), driver.name


def test_many_draws_at_once_are_the_draws_one_by_one():
    closed, rng = Closed(FULL), np.random.default_rng(7)
    values = {
        "rent": rng.uniform(1, 6, 20),
        "use": rng.uniform(0.1, 1.4, 20),
        "delay": rng.uniform(0, 90, 20),
        "rate": rng.uniform(0, 0.2, 20),
    }
    level = rng.uniform(0.5, 2, (20, len(closed.start)))
    together = closed.npv(values, level)
    for n in range(20):
        alone = closed.npv({k: v[n : n + 1] for k, v in values.items()}, level[n : n + 1])
        assert together[n] == pytest.approx(alone[0], rel=1e-12)


def test_utilisation_does_not_go_beyond_all_hours():
    whole = closed_at(BASE, "use", 1.0)
    assert closed_at(BASE, "use", 1.7) == whole
    assert npv_of(ALL["use"].put(BASE, D("1.7"))) == pytest.approx(D(repr(whole)))


def closed_at(asked, name: str, value: float) -> float:
    return float(Closed(asked).npv({name: np.array([value])})[0])


# -- tornado, scenarios, two-way -----------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_bars_put_back_are_what_they_say_and_the_widest_comes_first(case):
    asked = question(case)
    found = tornado(asked, spans(asked))
    assert found.npv == npv_of(asked)
    for bar in found.bars:
        ends = ((bar.span.low, bar.npv_low), (bar.span.high, bar.npv_high))
        for value, npv in ends:
            again = closed_at(asked, bar.span.driver, float(value))
            assert again == pytest.approx(float(npv), rel=1e-6, abs=1e-6)
        assert bar.span.low <= bar.span.base <= bar.span.high
    assert all(one.width >= other.width for one, other in pairwise(found.bars))


@pytest.mark.parametrize("case", CASES)
def test_flip_values_put_back_leave_an_npv_of_nothing(case):
    asked = question(case)
    capex = sum(lot.nodes * lot.price for lot in asked.lots)
    flips = [bar for bar in tornado(asked, spans(asked)).bars if bar.flip is not None]
    assert flips
    for bar in flips:
        npv = npv_of(ALL[bar.span.driver].put(asked, bar.flip))
        if bar.span.driver == "delay":  # whole days: the first one on which the answer is another
            before = npv_of(ALL["delay"].put(asked, bar.flip - 1))
            assert (npv > 0) != (before > 0)
        else:
            assert abs(npv) <= D("1e-6") * capex, bar.span.driver


def test_the_flip_value_of_utilisation_is_its_published_break_even():
    """OWN-03 of docs/finance.md: 0.5237 for the base case, which has no hosting."""
    asked = replace(BASE, lots=(replace(BASE.lots[0], hosting=D(1000)),))
    bars = {bar.span.driver: bar for bar in tornado(asked, spans(asked)).bars}
    found = {outcome.name: outcome.value for outcome in outcomes(asked)}
    assert bars["use"].flip == pytest.approx(found["break_even_use"], rel=D("1e-9"))
    assert bars["rent"].flip == pytest.approx(found["break_even_rent"], rel=D("1e-9"))


def test_where_no_flip_value_makes_sense_there_is_none():
    hopeless = replace(BASE, lots=(replace(BASE.lots[0], rent=D("0.01")),))
    bars = {bar.span.driver: bar for bar in tornado(hopeless, spans(hopeless)).bars}
    assert bars["use"].flip is None
    assert not bars["use"].flips


def test_every_range_says_what_it_rests_on():
    for span in spans(FULL):
        assert span.source
        assert span.basis in (Basis.PUBLISHED, Basis.ASSUMED, Basis.NO_DATA)


def test_what_has_no_source_and_moves_npv_is_to_be_looked_up():
    found = tornado(FULL, spans(FULL))
    names = {bar.span.driver for bar in found.unsourced}
    assert {"rent", "use", "rate"} <= names
    assert not names & {"tariff", "pue"}
    still = [replace(span, low=span.base, high=span.base) for span in spans(FULL)]
    assert tornado(FULL, still).unsourced == ()


def test_the_two_way_table_is_the_exact_answer_of_each_pair():
    table = two_way(FULL, [D("0.3"), D("0.9")], [D("0.5"), D(1), D(2)])
    assert table.rents[1] == ALL["rent"].get(FULL)
    for use, row in zip(table.uses, table.npv, strict=True):
        for rent, npv in zip(table.rents, row, strict=True):
            assert npv == npv_of(set_all(FULL, (("use", use), ("rent", rent))))


def test_nine_scenarios_have_a_probability_of_1_and_the_mean_of_their_outcomes():
    table = three_by_three(BASE, spans(BASE))
    assert len(table.scenarios) == 9
    assert sum(case.probability for case in table.scenarios) == 1
    assert table.expected == sum(case.probability * case.npv for case in table.scenarios)
    wins = sum(case.probability for case in table.scenarios if case.npv > 0)
    assert table.buying_wins == wins


def test_a_scenario_with_an_unknown_assumption_is_refused_with_the_known_ones():
    with pytest.raises(RentoptError, match="'rents' is no assumption; there are rent, use"):
        scenario_table(BASE, [("odd", D(1), (("rents", D(1)),))], "")


# -- Monte Carlo ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_figures_and_another_seed_others():
    ranges = spans(FULL)
    volatility = Volatility(0.4, Basis.NO_DATA, "")
    once = monte_carlo(FULL, ranges, volatility, draws=500, seed=3)
    assert once == monte_carlo(FULL, ranges, volatility, draws=500, seed=3)
    assert once.mean != monte_carlo(FULL, ranges, volatility, draws=500, seed=4).mean


def linear_case():
    """Only the rental price is uncertain: NPV is a sum of lognormals with known moments."""
    asked = replace(FULL, tax_rate=D(0))
    sigma = 0.5
    closed = Closed(asked)
    n = len(closed.start)
    alone = np.eye(n)
    paid = closed.npv({}, alone) - closed.npv({}, np.zeros((1, n)))
    years = closed.start / 365
    shared = np.exp(sigma**2 * np.minimum.outer(years, years)) - 1
    return asked, sigma, float(npv_of(asked)), float(np.sqrt(paid @ shared @ paid))


def test_mean_and_deviation_agree_with_their_closed_forms_where_npv_is_linear():
    asked, sigma, mean, deviation = linear_case()
    draws = 40_000
    found = monte_carlo(asked, [], Volatility(sigma, Basis.NO_DATA, ""), draws=draws, seed=11)
    assert abs(found.mean - mean) < 4 * found.standard_error
    assert found.deviation == pytest.approx(deviation, rel=0.05)


def test_a_straight_line_has_no_error_of_the_mean():
    """Pairs of opposite draws: with utilisation alone, in a symmetric range, the mean is exact."""
    base = ALL["use"].get(BASE)
    even = Span("use", "use", "", base, base - D("0.2"), base + D("0.2"), Basis.NO_DATA, "x")
    found = monte_carlo(BASE, [even], NO_WALK, draws=200, seed=5)
    assert found.mean == pytest.approx(float(npv_of(BASE)), rel=1e-9)
    assert found.standard_error < 1e-6 * found.deviation


def test_the_error_falls_with_the_root_of_the_draws():
    asked, sigma, _, _ = linear_case()
    volatility = Volatility(sigma, Basis.NO_DATA, "")
    few = monte_carlo(asked, [], volatility, draws=1_000, seed=1).standard_error
    many = monte_carlo(asked, [], volatility, draws=64_000, seed=1).standard_error
    assert few / many == pytest.approx(8, rel=0.5)


def test_triangular_draws_agree_with_the_closed_form_of_the_triangle():
    span = Span("use", "", "", D("0.6"), D("0.1"), D("0.9"), Basis.NO_DATA, "x")
    exact = Triangular(span.low, span.base, span.high)
    scores = np.random.default_rng(2).standard_normal(20_000)
    values = triangular(span, scores)
    assert values.mean() == pytest.approx(float(exact.mean), abs=0.01)
    for share in (D("0.1"), D("0.5"), D("0.9")):
        assert np.quantile(values, float(share)) == pytest.approx(
            float(exact.quantile(share)), abs=0.01
        )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=40),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_the_tail_mean_is_cvar_with_the_outcome_at_the_quantile_split(losses, level):
    equal = [D(1) / len(losses)] * len(losses)
    exact = conditional_value_at_risk([D(x) for x in losses], equal, D(repr(level)))
    found = tail_mean(np.array(losses, dtype=float), level)
    assert found == pytest.approx(float(exact), abs=1e-6)


def test_dear_rentals_and_dear_used_cards_come_together_as_asked():
    ranges = [span for span in spans(FULL) if span.driver == "residual"]
    volatility = Volatility(0.5, Basis.NO_DATA, "")
    wide = {
        rho: monte_carlo(
            FULL, ranges, volatility, draws=4000, seed=9,
            correlations=(("rent", "residual", rho),),
        ).deviation
        for rho in (-0.9, 0.0, 0.9)
    }  # fmt: skip
    assert wide[-0.9] < wide[0.0] < wide[0.9]


def test_correlations_that_cannot_be_are_refused():
    odd = (("rent", "use", 0.9), ("rent", "residual", 0.9), ("use", "residual", -0.9))
    with pytest.raises(RentoptError, match="contradict"):
        monte_carlo(FULL, spans(FULL), NO_WALK, draws=10, correlations=odd)
    with pytest.raises(RentoptError, match="'tariff' is not drawn"):
        monte_carlo(FULL, spans(FULL), NO_WALK, draws=10, correlations=(("rent", "tariff", 0.1),))


def test_the_histogram_counts_every_draw():
    found = monte_carlo(FULL, spans(FULL), Volatility(0.3, Basis.NO_DATA, ""), draws=999)
    assert found.draws == 1000
    assert sum(found.counts) == found.draws
    assert len(found.edges) == len(found.counts) + 1
    assert found.quantile(0.1) <= found.quantile(0.5) <= found.quantile(0.9)


# -- volatility from prices ----------------------------------------------------------------------


def test_the_volatility_of_a_price_history_is_that_of_its_changes():
    """Up and down by 10 % every 30 days: (ln 1.1)^2 x 365 / 30 a year."""
    first = date(2026, 1, 1)
    prices = [D("1.1") if n % 2 else D(1) for n in range(25)]
    history = [Seen(first + timedelta(30 * n), price) for n, price in enumerate(prices)]
    found = rent_volatility(spans(BASE, history=history), history)
    assert found.basis is Basis.HISTORY
    assert found.value == pytest.approx(np.log(1.1) * np.sqrt(365 / 30), rel=1e-9)
    rent = next(span for span in spans(BASE, history=history) if span.driver == "rent")
    assert rent.basis is Basis.HISTORY


def test_without_prices_the_volatility_is_assumed_and_says_so():
    assert rent_volatility(spans(BASE)).basis is Basis.NO_DATA


# -- waiting -------------------------------------------------------------------------------------


def test_the_value_of_the_choice_is_that_of_drawing_the_price():
    draws = np.exp(0.3 * np.random.default_rng(1).standard_normal(400_000) - 0.045)
    paid = np.maximum(0, 120.0 * draws - 110.0)
    worth, buys = option_value(120.0, 110.0, 0.3)
    assert worth == pytest.approx(paid.mean(), rel=0.01)
    assert buys == pytest.approx((paid > 0).mean(), abs=0.005)


@given(st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.floats(0.01, 2))
def test_a_choice_is_worth_at_least_what_either_decision_is(saved, cost, deviation):
    worth, buys = option_value(saved, cost, deviation)
    assert worth >= max(0.0, saved - cost) - 1e-6 * (saved + cost)
    assert worth <= saved + 1e-6 * saved
    assert 0 <= buys <= 1


def test_a_choice_that_costs_nothing_or_saves_nothing_is_taken_or_left():
    assert option_value(5.0, -1.0, 0.3) == (6.0, 1.0)
    assert option_value(0.0, 1.0, 0.3) == (0.0, 0.0)
    assert option_value(3.0, 1.0, 0.0) == (2.0, 1.0)


def test_with_prices_that_stand_still_waiting_is_worth_buying_later_or_nothing():
    found = waiting(BASE, NO_WALK)
    later = replace(BASE, lots=tuple(bought_later(lot, found.days) for lot in BASE.lots))
    assert found.npv_wait == pytest.approx(max(0.0, float(npv_of(later))))
    assert found.npv_now == float(npv_of(BASE))
    restless = waiting(BASE, Volatility(0.8, Basis.NO_DATA, ""))
    assert restless.value > found.value


def test_at_the_price_to_buy_above_buying_later_is_worth_nothing():
    found = waiting(BASE, Volatility(0.4, Basis.NO_DATA, ""))
    later = replace(BASE, lots=tuple(bought_later(lot, found.days) for lot in BASE.lots))
    npv = npv_of(ALL["rent"].put(later, D(repr(found.buy_above))))
    assert abs(npv) < D("1e-6") * BASE.lots[0].price


def test_nothing_is_waited_for_where_it_would_come_too_late():
    assert waiting(question("tiny"), NO_WALK) is None


@pytest.mark.parametrize("case", CASES)
def test_a_study_says_the_same_twice_and_its_parts_share_one_npv(case):
    found = study(question(case), draws=300)
    assert found == study(question(case), draws=300)
    assert found.tornado.npv == npv_of(question(case))
    if found.waiting is not None:
        assert found.waiting.npv_now == float(found.tornado.npv)
