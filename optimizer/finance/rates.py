"""Rates a year and a period, nominal and effective, and the annuities made of them.

Formulas: Brealey, Myers, Allen, Principles of Corporate Finance, chapter 2 (annuities, effective
rates), chapter 3 (real and nominal: Fisher).
"""

from __future__ import annotations

from decimal import Decimal

ONE = Decimal(1)
MONTHS_IN_YEAR = 12


def per_period(annual: Decimal, periods: int) -> Decimal:
    """Effective rate of one of so many periods a year: ``(1 + r) ** (1/p) - 1``.

    >>> round(per_period(Decimal("0.1"), 12), 10)
    Decimal('0.0079741404')
    """
    return (1 + annual) ** (ONE / periods) - 1 if annual else Decimal(0)


def monthly_rate(annual: Decimal) -> Decimal:
    """Effective rate of a month."""
    return per_period(annual, MONTHS_IN_YEAR)


def annual_rate(period_rate: Decimal, periods: int) -> Decimal:
    """Effective rate a year of a rate a period: ``(1 + i) ** p - 1``."""
    return (1 + period_rate) ** periods - 1


def effective(nominal: Decimal, periods: int) -> Decimal:
    """Effective rate a year of a nominal one compounded so often: ``(1 + j/p) ** p - 1``."""
    return annual_rate(nominal / periods, periods)


def nominal(effective_rate: Decimal, periods: int) -> Decimal:
    """The nominal rate whose compounding gives an effective one; inverse of `effective`."""
    return per_period(effective_rate, periods) * periods


def real_rate(nominal_rate: Decimal, inflation: Decimal) -> Decimal:
    """Fisher: ``(1 + n) / (1 + i) - 1``. Real flows take it, nominal flows never do."""
    return (1 + nominal_rate) / (1 + inflation) - 1


def annuity(years: Decimal, rate: Decimal, payments: int = 1) -> Decimal:
    """Present value of one unit a year in so many parts, each at the end of its period (arrears).

    ``a(n, r) = (1 - (1+r) ** -n) / (p ((1+r) ** (1/p) - 1))``; n at r = 0.
    """
    if not rate:
        return years
    return (1 - (1 + rate) ** -years) / (per_period(rate, payments) * payments)


def annuity_due(years: Decimal, rate: Decimal, payments: int = 1) -> Decimal:
    """The same with each part at the start of its period: ``a(n, r) (1 + i)``."""
    return annuity(years, rate, payments) * (1 + per_period(rate, payments))


def growing_payments(
    first: Decimal, periods: int, rate: Decimal, change: Decimal, payments: int = 1
) -> Decimal:
    """Present value of payments in arrears whose amount moves by `change` a year.

    Payment k, from 0, is ``first * (1 + g) ** (k / p)``, paid at the end of its period. A rental
    price held flat where it falls makes buying look too good.
    """
    growth = (1 + change) ** (ONE / payments)
    factor = 1 / (1 + per_period(rate, payments))
    return sum(
        (first * growth**k * factor ** (k + 1) for k in range(periods)),
        Decimal(0),
    )
