"""Money is exact, and two currencies never meet by accident."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.money import Money, total, zero

amounts = st.decimals(-(10**9), 10**9, places=4, allow_nan=False, allow_infinity=False)
cny = amounts.map(lambda amount: Money(amount, "CNY"))


@given(cny, cny, cny)
def test_adding_money_does_not_depend_on_the_order(a, b, c):
    assert (a + b) + c == a + (b + c) == (c + a) + b


@given(cny, cny)
def test_subtracting_undoes_adding(a, b):
    assert a + b - b == a
    assert a - b == -(b - a)


@given(cny, st.integers(0, 500))
def test_multiplying_is_adding_many_times(a, times):
    assert a * times == times * a == total([a] * times, "CNY")


@given(cny, cny)
def test_two_amounts_have_one_order(a, b):
    assert (a < b) == (b > a)
    assert (a <= b) == (not b < a)


@given(cny)
def test_rounding_moves_an_amount_by_half_a_cent_at_most(a):
    assert abs(a.rounded().amount - a.amount) <= Decimal("0.005")


def test_half_a_cent_is_rounded_up():
    assert Money(Decimal("1.005"), "CNY").rounded().amount == Decimal("1.01")


@pytest.mark.parametrize("act", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b])
def test_two_currencies_do_not_mix(act):
    with pytest.raises(ValueError, match="two currencies"):
        act(Money(Decimal(1), "CNY"), Money(Decimal(1), "USD"))


def test_a_float_is_no_money():
    with pytest.raises(TypeError, match="Decimal"):
        Money(1.5, "CNY")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_no_money(amount):
    with pytest.raises(ValueError, match="not an amount"):
        Money(Decimal(amount), "CNY")


def test_the_sum_of_nothing_is_zero():
    assert total([], "EUR") == zero("EUR")


def test_money_is_printed_with_its_currency():
    assert str(Money(Decimal("1234567.891"), "CNY")) == "1,234,567.89 CNY"
