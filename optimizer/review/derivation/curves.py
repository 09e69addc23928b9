"""The share of its price that a sale brings, from a residual curve."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

from optimizer.review.derivation.steps import worked_out
from optimizer.review.figure import Figure


def curve_figure(
    name: str, curve: Mapping[int, float], age: Figure, source: str, set_by: str = ""
) -> Figure:
    """Linear between the points, 1 when new, flat after the last one; 0 without a curve.

    Args:
        age: in months, called ``age``.
    """
    title = "share of the price that a sale brings"
    told = ", ".join(f"{month} months {share:.0%}" for month, share in sorted(curve.items()))

    def point(month: int, value: Decimal, symbol: str) -> Figure:
        words = "when new" if not month else f"after {month} months"
        return Figure(f"{name}.{month}", f"share left {words}", value, "", source=source,
                      note=told, set_by=set_by, symbol=symbol)  # fmt: skip

    if not curve:
        note = "no residual curve is given, so a sale brings nothing"
        return Figure(name, title, Decimal(0), "", source=source, note=note, set_by=set_by,
                      symbol="share")  # fmt: skip
    points = [(0, Decimal(1)), *((m, Decimal(str(v))) for m, v in sorted(curve.items()))]
    for (before, high), (after, low) in pairwise(points):
        if (age.value or 0) <= after:
            formula = f"high + (low - high) * (age - {before}) / {after - before}"
            on = (point(before, high, "high"), point(after, low, "low"), age)
            return worked_out(name, title, "", formula, *on, symbol="share")
    last, value = points[-1]
    title += ", older than the last point of its curve"
    return worked_out(name, title, "", "last", point(last, value, "last"), symbol="share")
