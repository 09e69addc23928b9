"""Failures: how many cards are down, how many spares that needs, what interruptions cost.

A fleet of N + k cards, each down with probability p by itself, has the binomial distribution of
cards down (Barlow, Proschan, Mathematical Theory of Reliability, 1965).
"""

from __future__ import annotations

from decimal import Decimal
from math import comb

from optimizer.finance.refusal import FinanceError

DAYS_IN_YEAR = 365
_MOST_SPARES = 10_000


def annualised_failure_rate(events: int, gpus: int, days: Decimal) -> Decimal:
    """Failures a card and year from those of a run: ``events / gpus * 365 / days``.

    An interruption is not always a replacement, so for replacements this is an upper bound.
    """
    return Decimal(events) / gpus * DAYS_IN_YEAR / days


def unavailability(failures_per_year: Decimal, repair_days: Decimal) -> Decimal:
    """Share of its time that a card is down: ``AFR * MTTR / 365``."""
    return failures_per_year * repair_days / DAYS_IN_YEAR


def spares_needed(gpus: int, down: Decimal, target: Decimal) -> int:
    """Fewest spares k with ``P(Bin(N + k, p) <= k) >= target``.

    Args:
        down: probability that a card is down, `unavailability`.
        target: probability of full capacity, below 1.

    Raises:
        FinanceError: no number of spares reaches the target.
    """
    if not 0 <= down < 1 or not 0 < target < 1:
        raise FinanceError("spares need an unavailability and a target between 0 and 1")
    for spares in range(_MOST_SPARES):
        if at_most_down(gpus + spares, down, spares) >= target:
            return spares
    raise FinanceError(f"{_MOST_SPARES} spares do not reach {target:%} for {gpus} cards")


def at_most_down(cards: int, down: Decimal, most: int) -> Decimal:
    """Probability that no more than so many of the cards are down."""
    return sum(
        (comb(cards, k) * down**k * (1 - down) ** (cards - k) for k in range(most + 1)),
        Decimal(0),
    )


def spot_hour(
    price: Decimal, interruptions_per_hour: Decimal, hours_lost_each: Decimal, overhead: Decimal
) -> Decimal:
    """Price of a useful hour on capacity that is taken away: ``p / ((1 - o)(1 - lambda L))``.

    First order in the interruptions.

    Args:
        overhead: share of the time spent on checkpoints.

    Raises:
        FinanceError: interruptions lose as much as is computed.
    """
    useful = (1 - overhead) * (1 - interruptions_per_hour * hours_lost_each)
    if useful <= 0:
        raise FinanceError("interruptions and checkpoints leave no useful hour")
    return price / useful
