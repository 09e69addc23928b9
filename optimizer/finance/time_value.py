"""Discounting of dated flows and interpolation of residual values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from itertools import pairwise

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


def residual_share(curve: Mapping[int, float], age_months: Decimal) -> Decimal:
    """Share of the price that a resale at this age brings; 1 at age 0, 0 without a curve.

    Linear between the points of the curve, flat after the last one.

    >>> residual_share({12: 0.6, 36: 0.2}, Decimal(24))
    Decimal('0.4')
    """
    if not curve:
        return Decimal(0)
    points = [(0, Decimal(1))] + [(m, Decimal(str(v))) for m, v in sorted(curve.items())]
    for (before, high), (after, low) in pairwise(points):
        if age_months <= after:
            return high + (low - high) * (age_months - before) / (after - before)
    return points[-1][1]
