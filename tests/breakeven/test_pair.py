"""Closed-form break-evens against worked vectors (their ids are in the tests' names)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.breakeven.pair import Pair, commitment_even_use
from optimizer.finance.rates import annuity, monthly_rate

BASE = Pair(
    gpus=8,
    capex=Decimal(180_000),
    years=Decimal(3),
    residual=Decimal("0.3"),
    busy_kw=Decimal("4.2"),
    idle_kw=Decimal("0.6"),
    pue=Decimal("1.4"),
    tariff=Decimal("0.7"),
    fixed=Decimal(12_000),
    maintenance=Decimal("0.03"),
    rent=Decimal("2.2"),
    use=Decimal("0.6"),
    payments=1,
)
TEN = replace(BASE, rate=Decimal("0.1"))


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9)


def test_own_01_annual_cost_straight_line() -> None:
    assert float(BASE.capital) == near(42_000)
    assert float(BASE.fixed_costs) == near(59_400)
    assert float(replace(BASE, use=Decimal(1)).kwh * BASE.tariff) == near(36_056.16)
    assert float(BASE.kwh * BASE.tariff) == near(23_694.048)
    assert float(BASE.own) == near(83_094.048)


def test_own_02_cost_of_a_delivered_gpu_hour() -> None:
    assert float(BASE.per_gpu_hour) == near(1.97617123288)
    assert float(TEN.per_gpu_hour) == near(2.31070474831)


def test_own_03_break_even_use() -> None:
    assert float(BASE.even_use() or 0) == near(0.523651358571)
    assert float(TEN.even_use() or 0) == near(0.637761710622)
    always_at_load = replace(BASE, idle_kw=BASE.busy_kw)
    assert float(always_at_load.even_use() or 0) == near(0.619137608966)


def test_own_04_break_even_rent_is_the_unit_cost() -> None:
    assert BASE.even_rent() == BASE.per_gpu_hour


def test_own_05_break_even_price() -> None:
    assert float(BASE.even_capex()) == near(215_740.070886)
    assert float(BASE.even_capex() / 8) == near(26_967.5088608)


def test_own_06_payback_without_resale() -> None:
    assert float(BASE.monthly_saving) == near(4_284.296)
    assert float(BASE.payback() or 0) == near(42.0139038012)
    assert float(TEN.payback() or 0) == near(51.3698099771)


def test_own_07_payback_with_resale_at_any_age() -> None:
    def resale(months: Decimal) -> Decimal:
        return Decimal("0.85") * Decimal("0.5") ** (months / 24)

    assert float(TEN.payback_with_resale(resale) or 0) == near(39.2746035593)
    for months, net in ((12, -32_804.8105752), (24, -23_531.0092759), (36, -5_746.6068668)):
        age = Decimal(months)
        assert float(TEN.advantage(age, TEN.capex * resale(age))) == near(net)


def test_own_08_hours_as_months() -> None:
    """Printed break-evens: 365-day years, months of a twelfth of it, 730 hours each."""
    hours = 8556.25
    assert hours / (8760 / 12) == near(11.720890411)
    assert hours / 24 == near(356.510416667)
    assert hours / 8760 == near(0.97674086758)


def test_own_19_idle_power_matters() -> None:
    uses = [replace(BASE, idle_kw=Decimal(kw)).even_use() for kw in ("0", "0.6", "1.2")]
    assert [float(u or 0) for u in uses] == [
        near(0.502879109894),
        near(0.523651358571),
        near(0.542757293166),
    ]


def test_own_20_a_late_delivery_costs_rent() -> None:
    months = Decimal(36)
    assert float(TEN.advantage(months, TEN.resale)) == near(-5_816.98159315)
    assert float(TEN.advantage(months, TEN.resale, Decimal(3))) == near(-18_467.5801518)


def test_plan_02_commitment_against_on_demand() -> None:
    share = commitment_even_use(Decimal("1.43"), Decimal("2.2"))
    assert float(share) == near(0.65)
    assert float(share * 8760) == near(5_694)
    assert float(share * 365) == near(237.25)


def test_a_rental_cheaper_than_electricity_is_never_beaten() -> None:
    assert replace(BASE, rent=Decimal("0.1")).even_use() is None


def test_a_dear_node_is_never_used_enough() -> None:
    dear = replace(BASE, capex=Decimal(2_000_000))
    assert (dear.even_use() or 0) > 1


def test_annuity_without_interest_is_the_years() -> None:
    assert annuity(Decimal(3), Decimal(0)) == 3
    assert monthly_rate(Decimal(0)) == 0


def amounts(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=3)


pairs = st.builds(
    Pair,
    gpus=st.sampled_from([1, 2, 4, 8]),
    capex=amounts("5000", "400000"),
    years=amounts("0.25", "5"),
    residual=amounts("0", "0.9"),
    busy_kw=amounts("0.3", "6"),
    idle_kw=amounts("0", "0.3"),
    pue=amounts("1", "2"),
    tariff=amounts("0.05", "2"),
    fixed=amounts("0", "30000"),
    maintenance=amounts("0", "0.1"),
    rent=amounts("0.3", "20"),
    use=amounts("0.05", "1"),
    rate=st.sampled_from([Decimal(0), Decimal("0.04"), Decimal("0.15")]),
    payments=st.sampled_from([1, 12]),
)
QUANTITIES = {
    "use": "even_use", "rent": "even_rent", "capex": "even_capex",
    "tariff": "even_tariff", "residual": "even_residual", "rate": "even_rate",
}  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(pairs, st.sampled_from(sorted(QUANTITIES)))
def test_a_break_even_put_back_leaves_no_difference(pair: Pair, name: str) -> None:
    even = getattr(pair, QUANTITIES[name])()
    if even is not None:
        left = replace(pair, **{name: even}).difference
        assert abs(left) <= Decimal("1e-6") * pair.capex


@settings(deadline=None, max_examples=60)
@given(pairs, amounts("1", "3"))
def test_dearer_rent_never_speaks_for_renting(pair: Pair, growth: Decimal) -> None:
    dearer = replace(pair, rent=pair.rent * growth)
    assert dearer.difference <= pair.difference
    if pair.even_use() is not None:
        assert (dearer.even_use() or 0) <= (pair.even_use() or 0)
    assert dearer.even_capex() >= pair.even_capex()


@settings(deadline=None, max_examples=60)
@given(pairs, amounts("0.05", "10"))
def test_another_currency_changes_no_share_and_no_month(pair: Pair, rate: Decimal) -> None:
    other = replace(
        pair,
        capex=pair.capex * rate,
        tariff=pair.tariff * rate,
        fixed=pair.fixed * rate,
        rent=pair.rent * rate,
    )
    for name in ("even_use", "even_residual", "payback", "even_delay"):
        ours, theirs = getattr(pair, name)(), getattr(other, name)()
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert float(theirs) == pytest.approx(float(ours), rel=1e-9, abs=1e-12)
    assert float(other.even_capex()) == pytest.approx(float(pair.even_capex() * rate), rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(pairs)
def test_the_months_view_agrees_with_the_years_view(pair: Pair) -> None:
    """Buying's gain over the time kept is the difference of the yearly costs, the sign turned."""
    monthly = replace(pair, payments=12)
    gain = monthly.advantage(monthly.years * 12, monthly.resale)
    assert float(gain) == pytest.approx(-float(monthly.difference), rel=1e-9, abs=1e-6)
