"""Exchange rates: dated, invertible, and never invented."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import PriceError
from providers.fx import FxTable, bundled_fx
from providers.money import Money

DAY = date(2026, 11, 20)
positive = st.decimals("0.01", 100, places=4)
currencies = st.sampled_from(["EUR", "USD", "CNY"])


def table(usd="1.152", cny="8.185", **more):
    return FxTable("EUR", {DAY: {"USD": Decimal(usd), "CNY": Decimal(cny)}}, "test", **more)


def test_dollars_become_yuan_through_the_euro():
    rate = table("2", "8").rate("USD", "CNY", DAY)
    assert (rate.value, rate.day, rate.source) == (Decimal(4), DAY, "test")


@given(positive, positive, currencies, currencies, positive)
def test_there_and_back_is_the_same_amount(usd, cny, base, quote, amount):
    fx = FxTable("EUR", {DAY: {"USD": usd, "CNY": cny}}, "test")
    there = fx.convert(Money(amount, base), quote, DAY)
    back = fx.convert(there, base, DAY)
    assert abs(back.amount - amount) < Decimal("1e-18") * 10**6


@given(positive, positive, positive, positive)
def test_more_money_is_more_money_in_any_currency(usd, cny, less, more):
    fx = FxTable("EUR", {DAY: {"USD": usd, "CNY": cny}}, "test")
    low, high = sorted([less, more])
    assert fx.convert(Money(low, "USD"), "CNY", DAY) <= fx.convert(Money(high, "USD"), "CNY", DAY)


def test_the_rate_of_the_last_known_day_is_used():
    early, late = date(2026, 1, 5), date(2026, 3, 2)
    fx = FxTable("EUR", {early: {"USD": Decimal(1)}, late: {"USD": Decimal(2)}}, "test")
    assert fx.rate("EUR", "USD", date(2026, 3, 1)).day == early
    assert fx.rate("EUR", "USD", date(2026, 12, 1)).day == late
    assert fx.rate("EUR", "USD", date(2020, 1, 1)).day == early


def test_a_fixed_rate_wins_in_both_directions():
    fx = table(fixed={("USD", "CNY"): Decimal(8)})
    assert fx.rate("USD", "CNY", DAY).value == 8
    assert fx.rate("CNY", "USD", DAY).value == Decimal("0.125")


def test_a_currency_without_a_rate_is_named_with_those_that_have_one():
    with pytest.raises(PriceError, match="no exchange rate for JPY on 2026-11-20; known: CNY, EUR"):
        table().rate("JPY", "CNY", DAY)


def test_one_currency_needs_no_rate():
    assert table().convert(Money(Decimal("0.1"), "JPY"), "JPY", DAY).amount == Decimal("0.1")


def test_the_bundled_rates_say_that_they_are_not_verified():
    rate = bundled_fx().rate("USD", "CNY", date(2026, 11, 22))
    assert rate.day == DAY
    assert round(rate.value, 4) == Decimal("7.1050")
    assert "not verified" in rate.source
