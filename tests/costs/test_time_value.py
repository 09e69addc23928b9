"""Discounting and residual values against published vectors, checked with other engines."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from optimizer.finance.residual import residual_share
from optimizer.finance.time_value import discount_factor

CLOSE = 1e-9


def test_the_annual_rate_is_effective_not_nominal() -> None:
    """10 % a year is 0.797414 % a month and 0.0261158 % a day, not a twelfth or a 365th of it.

    Closed form (1 + r) ** (1/12) - 1, checked with LibreOffice 7.4.
    """
    daily = 1 / float(discount_factor(Decimal("0.1"), 1)) - 1
    assert daily == pytest.approx(0.000261157876068, rel=CLOSE)
    assert (1 + daily) ** (365 / 12) - 1 == pytest.approx(0.0079741404289, rel=CLOSE)


def test_dated_flows_are_worth_what_spreadsheets_say() -> None:
    """The example of XNPV's documentation moved to 2026: 9 %, actual days over 365.

    Checked with LibreOffice 7.4 and pyxirr: 2080.55220531; at 36.9483213789 % it is nothing.
    """
    dated = {
        date(2026, 1, 1): -10000,
        date(2026, 3, 15): 2750,
        date(2026, 10, 30): 4250,
        date(2027, 2, 15): 3250,
        date(2027, 4, 1): 2750,
    }
    first = min(dated)

    def worth(rate: str) -> float:
        factors = {day: discount_factor(Decimal(rate), (day - first).days) for day in dated}
        return float(sum(amount * factors[day] for day, amount in dated.items()))

    assert worth("0.09") == pytest.approx(2080.55220531, rel=CLOSE)
    assert worth("0.369483213789") == pytest.approx(0, abs=1e-5)


def test_nothing_is_discounted_at_no_rate_or_on_the_first_day() -> None:
    assert discount_factor(Decimal(0), 1000) == 1
    assert discount_factor(Decimal("0.5"), 0) == 1


@pytest.mark.parametrize(
    ("months", "share"), [(0, "1"), (6, "0.825"), (18, "0.55"), (30, "0.375"), (48, "0.3")]
)
def test_residual_value_is_linear_between_its_points_and_flat_after_them(
    months: int, share: str
) -> None:
    """65 % after one year, 45 % after two, 30 % after three."""
    curve = {12: 0.65, 24: 0.45, 36: 0.3}
    assert residual_share(curve, Decimal(months)) == Decimal(share)


def test_without_a_curve_nothing_comes_back() -> None:
    assert residual_share({}, Decimal(1)) == 0
