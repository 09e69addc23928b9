r"""What it is worth to wait: rent on for a quarter, then buy only if it still pays.

Buying later saves rent worth $A$ at today's expectations and costs $K$, both as present values
today. The rental price moves by a factor $X$ until then (lognormal, mean 1, volatility $\sigma$),
so keeping the choice is worth $E[\max(0, X A - K)]$, Black's formula; waiting costs the saving
of the first quarter. Purchase price and resale curve stay as they are. Dixit, Pindyck 1994,
Investment under Uncertainty, chapter 2; Black 1976, Journal of Financial Economics 3, 167-179.
"""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from statistics import NormalDist

from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.monte_carlo import Volatility
from optimizer.review.sensitivity.results import Waiting
from optimizer.review.workbook.outcomes import npv_of, outcomes
from optimizer.review.workbook.question import Lot, Question

QUARTER = 91
"""Days."""


def waiting(question: Question, volatility: Volatility, days: int = QUARTER) -> Waiting | None:
    """None: what is bought so much later could not be used any more."""
    lots = tuple(
        lot for lot in (bought_later(lot, days) for lot in question.lots) if lot is not None
    )
    if not lots:
        return None
    found = {outcome.name: outcome.value for outcome in outcomes(replace(question, lots=lots))}
    saved = -float(found["npv_rent"] or 0)
    cost = -float(found["npv_buy"] or 0)
    moves = volatility.value * math.sqrt(days / DAYS_IN_YEAR)
    worth, buys = option_value(saved, cost, moves)
    rent = float(ALL["rent"].get(question))
    return Waiting(
        days=days,
        volatility=volatility.value,
        basis=volatility.basis,
        source=volatility.source,
        npv_now=float(npv_of(question)),
        npv_wait=worth,
        buy_above=rent * cost / saved if saved > 0 else None,
        buys_then=buys,
    )


def bought_later(lot: Lot, days: int) -> Lot | None:
    """The same nodes paid and delivered so much later, and sold on the same day.

    Younger when sold, they bring more: the share grows along the constant rate of decline that
    the planned one implies.
    """
    usable = lot.usable + days
    if usable >= lot.sold:
        return None
    younger = Decimal(lot.sold - usable) / (lot.sold - lot.usable)
    share = lot.residual**younger if lot.residual else lot.residual
    return replace(lot, paid=lot.paid + days, usable=usable, residual=share)


def option_value(saved: float, cost: float, deviation: float) -> tuple[float, float]:
    """``E[max(0, X saved - cost)]`` for lognormal X of mean 1, and the probability that it is
    above 0.

    Args:
        deviation: standard deviation of log X.

    >>> round(option_value(100.0, 100.0, 0.2)[0], 4)
    7.9656
    """
    if cost <= 0:
        return saved - cost, 1.0
    if saved <= 0:
        return 0.0, 0.0
    if deviation <= 0:
        return max(0.0, saved - cost), float(saved > cost)
    normal = NormalDist()
    upper = math.log(saved / cost) / deviation + deviation / 2
    lower = upper - deviation
    return saved * normal.cdf(upper) - cost * normal.cdf(lower), normal.cdf(lower)
