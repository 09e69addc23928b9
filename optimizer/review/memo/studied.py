"""What a study of sensitivity gives to the memo: ranges with their source, and random draws."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from optimizer.problem import Problem
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.one_at_a_time import two_way
from optimizer.review.sensitivity.ranges import Seen
from optimizer.review.sensitivity.results import Bar, Sensitivity, TwoWay
from optimizer.review.sensitivity.study import study
from optimizer.review.workbook.outcomes import npv_of
from optimizer.review.workbook.question import Question

FORMS = {
    "rent": "rent", "use": "share", "price": "amount", "residual": "share",
    "maintenance": "rate", "hosting": "amount", "tariff": "price", "pue": "factor",
    "resale_cost": "share", "rate": "rate", "rent_change": "rate", "delay": "days",
}  # fmt: skip
"""Driver → how its values are written."""
USES = tuple(Decimal(n) / 10 for n in range(1, 11))
RENTS = tuple(Decimal(n) / 10 for n in (5, 7, 9, 10, 11, 13, 15))
"""Factors of today's rental price."""
NEAR = Decimal("0.02")
"""A row of the two-way table this near to the planned use gives way to it."""


def studied(question: Question, problem: Problem, history: Sequence[Seen] = ()) -> Sensitivity:
    """The study as `rentopt sensitivity` makes it, with its draws and seed."""
    return study(question, problem, history=history)


def change(bar: Bar) -> Decimal:
    """Relative, from the value now to the one at which NPV is 0."""
    return (bar.flip or Decimal(0)) / bar.span.base - 1


def left(question: Question, bar: Bar) -> Decimal:
    """NPV with the flip value put back; that of a delay is the first whole day past it."""
    if bar.flip is None or bar.span.driver == "delay":
        return Decimal(0)
    return npv_of(ALL[bar.span.driver].put(question, bar.flip))


def around(question: Question) -> TwoWay | None:
    """From a tenth of the hours to all of them, and the planned use; None: nothing is used."""
    planned = ALL["use"].get(question)
    if not planned:
        return None
    uses = sorted({*(use for use in USES if abs(use - planned) > NEAR), planned})
    return two_way(question, uses, RENTS)
