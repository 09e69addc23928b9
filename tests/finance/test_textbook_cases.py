"""Cases as textbooks set them, worked out year by year with nothing of the package but Decimals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.finance.depreciation import declining_table, from_table, straight_line, until_sold
from optimizer.finance.ifrs16 import lease_schedule
from optimizer.finance.leasing import LeaseOrBuy
from optimizer.finance.presets import depreciation_tables
from optimizer.finance.rates import annuity, effective
from optimizer.finance.returns import mirr, xirr
from optimizer.finance.time_value import (
    Timing,
    equivalent_annual_cost,
    future_value,
    level_payment,
    npv,
    project_npv,
    xnpv,
)

D = Decimal
CLOSE = D("1e-18")


def discounted(flows, rate):
    """By hand: t = 0 first."""
    return sum(flow / (1 + rate) ** t for t, flow in enumerate(flows))


def macrs_case(**changed):
    """A machine of 1,000 on MACRS for three years, upkeep 40 a year, 40 % tax, debt at 10 %."""
    deductions = until_sold(depreciation_tables()["macrs5-hy"], D(1000), 3)
    values = {
        "deductions": deductions, "lease_payment": D(300), "years": 3, "residual": D(250),
        "debt_rate": D("0.10"), "residual_rate": D("0.15"), "tax_rate": D("0.4"),
        "upkeep": D(40),
    }  # fmt: skip
    return LeaseOrBuy(**values | changed)


def test_buying_on_debt_year_by_year_with_upkeep_and_macrs():
    case, rate, tax = macrs_case(), D("0.06"), D("0.4")
    deducted = case.deductions.by_year
    flows = [D(-1000), *(tax * d - 40 * (1 - tax) for d in deducted)]
    left = 1000 - sum(deducted)
    sold = 250 - tax * (250 - left)
    by_hand = -discounted(flows, rate) - sold / D("1.15") ** 3
    assert case.cost_of_buying == pytest.approx(by_hand, abs=CLOSE)


@pytest.mark.parametrize("late", [False, True])
def test_leasing_in_advance_with_the_tax_saved_at_once_or_at_the_end_of_the_year(late):
    case, rate, tax = macrs_case(in_advance=True, taxed_at_year_end=late), D("0.06"), D("0.4")
    paid = [D(300), D(300), D(300), D(0)]
    saved = [D(0), *[300 * tax] * 3] if late else [*[300 * tax] * 3, D(0)]
    by_hand = discounted([p - s for p, s in zip(paid, saved, strict=True)], rate)
    assert case.cost_of_leasing == pytest.approx(by_hand, abs=CLOSE)


def test_an_option_to_buy_is_worth_the_residual_above_its_price():
    plain, option = macrs_case(), macrs_case(purchase_option=D(100))
    gain = (250 - 100) * (1 - D("0.4")) / D("1.15") ** 3
    assert plain.cost_of_leasing - option.cost_of_leasing == pytest.approx(gain, abs=CLOSE)


@given(
    st.integers(100, 900), st.integers(0, 100), st.integers(0, 40), st.booleans(), st.booleans(),
    st.integers(0, 300),
)  # fmt: skip
def test_the_even_payment_put_back_leaves_no_advantage(payment, upkeep, tax, advance, late, option):
    case = macrs_case(
        lease_payment=D(payment), upkeep=D(upkeep), tax_rate=D(tax) / 100, in_advance=advance,
        taxed_at_year_end=late, purchase_option=D(option),
    )  # fmt: skip
    even = case.even_payment()
    again = macrs_case(
        lease_payment=even, upkeep=D(upkeep), tax_rate=D(tax) / 100, in_advance=advance,
        taxed_at_year_end=late, purchase_option=D(option),
    )  # fmt: skip
    assert abs(again.net_advantage) < D("1e-6") * 1000


def test_without_tax_a_lease_at_the_price_of_the_debt_is_neither_better_nor_worse():
    payment = level_payment(D(1000), D(4), D("0.08"), due=True)
    case = LeaseOrBuy(
        straight_line(D(1000), 4), payment, 4, D(0), D("0.08"), D("0.08"), in_advance=True
    )
    assert abs(case.net_advantage) < CLOSE * 1000


@pytest.mark.parametrize(("life", "rate"), [((2, 3), "0.1"), ((3, 4), "0.06"), ((5, 2), "0")])
def test_equal_annual_costs_are_equal_costs_of_chains_of_replacements(life, rate):
    """Replaced until both end together, a machine costs its annual cost over all those years."""
    rate, years = D(rate), life[0] * life[1]
    for each in life:
        annual = equivalent_annual_cost(D(900), D(100), D(each), rate, D(50))
        flows = [D(0)] * (years + 1)
        for start in range(0, years, each):
            flows[start] += 900
            flows[start + each] -= 100
            for year in range(start + 1, start + each + 1):
                flows[year] += 50
        assert discounted(flows, rate) == pytest.approx(annual * annuity(D(years), rate), abs=CLOSE)


@given(
    st.lists(st.integers(-500, 500), min_size=1, max_size=8), st.integers(0, 40),
    st.integers(-900, 0), st.integers(0, 300),
)  # fmt: skip
def test_a_convention_moves_what_runs_and_neither_purchase_nor_resale(running, rate, start, end):
    rate, operating = D(rate) / 100, [D(flow) for flow in running]
    ends = D(start) + D(end) / (1 + rate) ** len(operating)
    by = {
        timing: project_npv(rate, D(start), operating, D(end), timing) - ends for timing in Timing
    }
    assert by[Timing.END] == pytest.approx(npv(rate, [D(0), *operating]), abs=D("1e-15"))
    assert by[Timing.START] == pytest.approx(by[Timing.END] * (1 + rate), abs=D("1e-15"))
    assert by[Timing.MID] ** 2 == pytest.approx(by[Timing.START] * by[Timing.END], abs=D("1e-9"))


def test_the_payments_of_a_loan_pay_it_back_to_the_cent():
    rate = effective(D("0.12"), 12)
    payment = level_payment(D(10_000), D(2), rate, 12)
    owed = D(10_000)
    for _ in range(24):
        owed = owed * D("1.01") - payment
    assert abs(owed) < D("1e-18")
    assert payment == pytest.approx(D("470.7347"), abs=D("0.0001"))
    assert future_value(D(100), D(2), D("0.1")) == 121


@pytest.mark.parametrize("in_advance", [False, True])
def test_a_lease_by_the_year_with_a_guaranteed_residual_ends_at_nothing(in_advance):
    schedule = lease_schedule(
        D(1000), 5, D("0.07"), in_advance=in_advance, direct_costs=D(120), incentives=D(20),
        final_payment=D(300), payments_a_year=1,
    )  # fmt: skip
    first = 0 if in_advance else 1
    by_hand = sum(1000 / D("1.07") ** k for k in range(first, first + 5)) + 300 / D("1.07") ** 5
    assert schedule.liability == pytest.approx(by_hand, abs=CLOSE)
    assert schedule.right_of_use == schedule.liability + 100
    assert abs(schedule.months[-1].closing) < D("1e-15")
    assert schedule.total_expense == pytest.approx(5 * 1000 + 300 + 100, abs=D("1e-15"))
    assert len(schedule.year(2)) == 1


def test_the_table_of_macrs_is_its_rule_rounded():
    """200 % declining with the half-year convention, then straight, as the statute rounds."""
    rule = declining_table(5, D("0.5"))
    table = depreciation_tables()["macrs5-hy"]
    assert [round(percent, 2) for percent in rule] == list(table)


def test_the_bus_of_the_chapter_on_leasing_is_better_bought_by_seven_hundred():
    """Brealey, Myers, Allen: 100,000, or 16,900 in advance eight times; tax 35 %, debt 10 %."""
    table = depreciation_tables()["macrs5-hy"]
    case = LeaseOrBuy(
        deductions=from_table(D(100_000), table), lease_payment=D(16_900), years=8, residual=D(0),
        debt_rate=D("0.1"), residual_rate=D("0.1"), tax_rate=D("0.35"), in_advance=True,
    )  # fmt: skip
    assert case.net_advantage == pytest.approx(-700, abs=10)


def test_two_machines_of_unequal_lives_cost_what_the_chapter_says_a_year():
    """Brealey, Myers, Allen, real 6 %: 10.61 for three years, 11.45 for two, in thousands."""
    long = equivalent_annual_cost(D(15), D(0), D(3), D("0.06"), D(5))
    short = equivalent_annual_cost(D(10), D(0), D(2), D("0.06"), D(6))
    assert (round(long, 2), round(short, 2)) == (D("10.61"), D("11.45"))


def test_dated_flows_are_worth_what_spreadsheets_document():
    """The example that Microsoft prints for XNPV and XIRR, and the one for MIRR."""
    days = [(2008, 1, 1), (2008, 3, 1), (2008, 10, 30), (2009, 2, 15), (2009, 4, 1)]
    flows = [-10_000, 2_750, 4_250, 3_250, 2_750]
    dated = [(date(*day), D(flow)) for day, flow in zip(days, flows, strict=True)]
    assert xnpv(D("0.09"), dated) == pytest.approx(D("2086.647602"), abs=D("1e-6"))
    assert xirr(dated).value == pytest.approx(D("0.373362535"), abs=D("1e-8"))
    yearly = [D(flow) for flow in (-120_000, 39_000, 30_000, 21_000, 37_000, 46_000)]
    assert mirr(yearly, D("0.10"), D("0.12")).value == pytest.approx(D("0.1261"), abs=D("5e-5"))
