"""How many nodes to reserve, term after term, without knowing the demand to come.

Wang, Li, Liang, "To Reserve or Not to Reserve: Optimal Online Multi-Instance Acquisition in IaaS
Clouds" (ICAC 2013, arXiv 1305.5608), algorithms A_beta and its randomised variant.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Costs = Sequence[Sequence[float]]
"""[slot][k] cost on demand of the (k+1)-th node of a slot; it does not rise with k."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a rule did."""

    starts: tuple[int, ...]
    """[slot] terms begun."""
    cost: float
    """Fees, what reserved nodes cost in use, and what was rented on demand besides."""


def deterministic_ratio(alpha: float = 0.0) -> float:
    """Proven, for one fee and one price on demand; no deterministic rule has a better one."""
    return 2.0 - alpha


def randomised_ratio(alpha: float = 0.0) -> float:
    """Proven in expectation, under the same conditions; no rule has a better one."""
    return math.e / (math.e - 1 + alpha)


def reserve(
    on_demand: Costs,
    fees: Sequence[float],
    term: int,
    *,
    alpha: float = 0.0,
    threshold: float = 1.0,
) -> Reserved:
    r"""Reserve one more node when the last term on demand, at that level, passes the break-even.

    While $\sum_{i=t-\tau+1}^{t} c_i(x_i) > z\,\beta_t$, with $c_i(x_i)$ the cost on demand of the
    next node of slot i, one more is reserved on t, and the window counts as served by it
    (the paper's phantom reservation). $\beta_t = fee_t / (1 - \alpha)$, and z is 1 for the
    deterministic rule. With a constant fee and price the cost is at most $2 - \alpha$ times the
    best in hindsight; with prices that move it is a rule of thumb.

    Args:
        on_demand: costs without reservations.
        fees: [slot] price of a term that begins there; infinite where none is on offer.
        term: slots a term runs, the one it begins in included.
        alpha: share of the price on demand that is still paid in use of a reserved node, below 1.
        threshold: z.
    """
    slots = len(on_demand)
    covered = [0] * slots
    """Nodes that count as reserved, phantoms included."""
    running = [0] * slots
    starts = [0] * slots
    total = 0.0
    for t in range(slots):
        window = range(max(0, t - term + 1), t + 1)
        limit = threshold * fees[t] / (1 - alpha)
        while limit < math.inf and _marginal(on_demand, covered, window) > limit:
            starts[t] += 1
            total += fees[t]
            for i in range(window.start, min(slots, t + term)):
                covered[i] += 1
            for i in range(t, min(slots, t + term)):
                running[i] += 1
        total += _paid(on_demand[t], running[t], alpha)
    return Reserved(tuple(starts), total)


def _marginal(on_demand: Costs, covered: Sequence[int], window: range) -> float:
    return sum(on_demand[i][covered[i]] for i in window if covered[i] < len(on_demand[i]))


def _paid(costs: Sequence[float], reserved: int, alpha: float) -> float:
    """In one slot: the dearest nodes are the reserved ones."""
    return alpha * sum(costs[:reserved]) + sum(costs[reserved:])


def levels(demand: Sequence[int], price: float) -> list[list[float]]:
    """Costs on demand of so many nodes in each slot, at one price."""
    return [[price] * nodes for nodes in demand]


def draw_threshold(rng: random.Random, alpha: float = 0.0) -> float:
    r"""Threshold z in [0, 1] of the randomised rule.

    Density $e^z / (e - 1 + \alpha)$ on [0, 1), and the rest of the probability,
    $\alpha / (e - 1 + \alpha)$, on z = 1 (the paper's density, in multiples of the break-even).
    """
    u = rng.random() * (math.e - 1 + alpha)
    return math.log1p(u) if u < math.e - 1 else 1.0
