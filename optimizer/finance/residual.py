"""What a machine brings when it is sold: curves over its age, with ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from optimizer.finance.rates import ONE


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


@dataclass(frozen=True, slots=True)
class Share:
    """Share of the price at an age."""

    value: Decimal
    beyond: bool
    """Older than the curve's last point, whose value was kept: say so."""


@dataclass(frozen=True, slots=True)
class Range:
    low: Decimal
    high: Decimal

    @property
    def middle(self) -> Decimal:
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class ResidualCurve:
    """Shares of the price by age in months, from 1 at age 0."""

    points: Mapping[int, Range]

    def at(self, age_months: Decimal, which: str = "middle", *, log: bool = False) -> Share:
        """The share at an age, between neighbouring points linear or (`log`) at a constant rate.

        Args:
            which: low, middle or high of the range.
        """
        shares = {0: ONE} | {month: _pick(span, which) for month, span in self.points.items()}
        points = sorted(shares.items())
        for (before, high), (after, low) in pairwise(points):
            if age_months <= after:
                passed = (age_months - before) / (after - before)
                if log:
                    return Share(high * (low / high) ** passed, beyond=False)
                return Share(high + (low - high) * passed, beyond=False)
        return Share(points[-1][1], beyond=True)


def _pick(span: Range, which: str) -> Decimal:
    return {"low": span.low, "middle": span.middle, "high": span.high}[which]


def exponential_share(haircut: Decimal, half_life_months: Decimal, age_months: Decimal) -> Decimal:
    """Share left when a sale loses `haircut` at once and half of the rest each half-life.

    ``(1 - h) * 2 ** (-t / T)``.
    """
    return (1 - haircut) * Decimal(2) ** (-age_months / half_life_months)


def yearly_change(bought: Decimal, sold: Decimal, years: Decimal) -> Decimal:
    """Mean change of value a year that a resale price implies: ``(S / P) ** (1/y) - 1``."""
    return (sold / bought) ** (1 / years) - 1
