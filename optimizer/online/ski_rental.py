"""Rent on, or commit once and for all? The ski rental problem.

Karlin, Manasse, Rudolph, Sleator, "Competitive snoopy caching" (Algorithmica 1988), for the rule;
Karlin, Manasse, McGeoch, Owicki, "Competitive randomized algorithms for nonuniform problems"
(Algorithmica 1994), for its randomised variant. Rents may differ from day to day here; the proofs
hold as they are, because the commitment is made before the rent that would pass the threshold.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

DETERMINISTIC_RATIO = 2.0
RANDOMISED_RATIO = math.e / (math.e - 1)


def break_even_day(rents: Sequence[float], price: float, threshold: float = 1.0) -> int | None:
    """First day on which to commit: before paying the rent that takes the rents above the price.

    With threshold 1, the cost is at most 2 times the best in hindsight, for any rents: as long as
    nothing is committed, rents are at most the price; and when they would pass it, the best in
    hindsight is the price. No deterministic rule has a better ratio.

    Args:
        rents: paid on each day without the commitment, not negative.
        price: of the commitment, which ends all rents.
        threshold: share of the price that may be paid in rents.

    Returns:
        the day of the commitment; None: the rents never reach it.
    """
    paid = 0.0
    for day, rent in enumerate(rents):
        if paid + rent > threshold * price:
            return day
        paid += rent
    return None


def cost(rents: Sequence[float], price: float, day: int | None) -> float:
    """Rents before the day of commitment, and its price; all rents without one."""
    return sum(rents) if day is None else sum(rents[:day]) + price


def best_cost(rents: Sequence[float], price: float) -> float:
    """In hindsight: commit on the first day, or never."""
    return min(sum(rents), price)


def draw_threshold(rng: random.Random) -> float:
    r"""A threshold in [0, 1] with density $e^z / (e - 1)$.

    Committing at a drawn threshold costs at most e/(e-1) = 1.582 times the best in hindsight in
    expectation, for any rents that do not depend on the draw. No rule has a better ratio.
    """
    return math.log1p(rng.random() * (math.e - 1))


def expected_cost(rents: Sequence[float], price: float) -> float:
    """Exact expectation of the randomised rule: a sum over the days on which it may commit."""
    if price <= 0:
        return 0.0
    paid, expected = 0.0, 0.0
    for rent in rents:
        low, high = min(1.0, paid / price), min(1.0, (paid + rent) / price)
        share = (math.exp(high) - math.exp(low)) / (math.e - 1)
        expected += share * (paid + price)
        paid += rent
    never = (math.e - math.exp(min(1.0, paid / price))) / (math.e - 1)
    return expected + never * paid
