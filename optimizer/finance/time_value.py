"""What flows of money at different times are worth today.

Amounts that come in are positive, those that go out negative. The first flow of a list is paid at
time 0 and not discounted; spreadsheets' NPV() discounts its first argument by a period, so there
it is written ``=C0+NPV(r,C1:Cn)``. Dated flows count actual days over 365 (XNPV, XIRR).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache

from optimizer.finance.rates import annuity, annuity_due

DAYS_IN_YEAR = 365
"""Actual/365 fixed, also across 29 February, as spreadsheets' XNPV counts."""


@cache
def discount_factor(rate_per_year: Decimal, day: int) -> Decimal:
    """Present value of one unit paid `day` days after the horizon's first day.

    ``(1 + r) ** (-day / 365)`` with r annual effective; 1 at r = 0.
    """
    if rate_per_year == 0 or day == 0:
        return Decimal(1)
    return (1 + rate_per_year) ** (Decimal(-day) / DAYS_IN_YEAR)


def npv(rate: Decimal, flows: Iterable[Decimal]) -> Decimal:
    """Net present value: ``sum CF_t / (1 + r) ** t``, t = 0 first; r a period."""
    factor, worth, each = Decimal(1), Decimal(0), 1 / (1 + rate)
    for flow in flows:
        worth += flow * factor
        factor *= each
    return worth


class Timing(StrEnum):
    """When what runs through a period is counted."""

    START = "start"
    """Prepaid: an annuity due."""
    MID = "mid"
    END = "end"
    """In arrears; what spreadsheets take."""


_WAITS = {Timing.START: Decimal(1), Timing.MID: Decimal("0.5"), Timing.END: Decimal(0)}
"""Periods by which a flow comes before the end of its own."""


def project_npv(
    rate: Decimal,
    at_start: Decimal,
    operating: Sequence[Decimal],
    at_end: Decimal = Decimal(0),
    timing: Timing = Timing.END,
) -> Decimal:
    """NPV of a purchase, what runs through each period, and a resale, by a stated convention.

    The convention moves what runs; purchase and resale keep their days.

    Args:
        at_start: usually below 0.
        operating: of the periods 1, 2 …
        at_end: at the end of the last one.
    """
    spread = npv(rate, [Decimal(0), *operating]) * (1 + rate) ** _WAITS[timing]
    return at_start + spread + at_end / (1 + rate) ** len(operating)


def npv_mid_year(
    rate: Decimal, at_start: Decimal, operating: Sequence[Decimal], at_end: Decimal
) -> Decimal:
    """NPV with what runs through year k paid at k - 1/2.

    Purchase at 0 and resale at the end keep their days: they are not spread over a year.
    """
    return project_npv(rate, at_start, operating, at_end, Timing.MID)


def xnpv(rate: Decimal, dated: Sequence[tuple[date, Decimal]]) -> Decimal:
    """Net present value of dated flows on the first one's day: ``sum a / (1+r) ** (days/365)``."""
    if not dated:
        return Decimal(0)
    first = dated[0][0]
    daily = (1 + rate) ** (Decimal(-1) / DAYS_IN_YEAR)
    return sum((amount * daily ** (day - first).days for day, amount in dated), Decimal(0))


def equivalent_annual_cost(
    capex: Decimal, residual: Decimal, years: Decimal, rate: Decimal, running: Decimal = Decimal(0)
) -> Decimal:
    """Cost a year of a machine over its own life, so that unequal lives compare.

    ``EAC = (C - S / (1+r) ** n) / a(n, r) + running``.
    """
    return (capex - residual / (1 + rate) ** years) / annuity(years, rate) + running


def level_payment(
    principal: Decimal, years: Decimal, rate: Decimal, payments: int = 1, *, due: bool = False
) -> Decimal:
    """Payment, so many a year, that a principal is worth: spreadsheets' PMT.

    Args:
        rate: annual effective; `rates.effective` makes one of a nominal rate.
        due: paid at the start of each period.
    """
    worth = annuity_due if due else annuity
    return principal / (worth(years, rate, payments) * payments)


def future_value(amount: Decimal, years: Decimal, rate: Decimal) -> Decimal:
    """``amount * (1+r) ** years``."""
    return amount * (1 + rate) ** years


def prepaid_discount(
    per_period: Decimal, periods: int, prepaid: Decimal, rate: Decimal, payments: int
) -> Decimal:
    """Share saved by paying at once, on present value: less than the headline discount says.

    Compared with payments in arrears, `payments` a year, over `periods` of them.
    """
    years = Decimal(periods) / payments
    return 1 - prepaid / (per_period * payments * annuity(years, rate, payments))
