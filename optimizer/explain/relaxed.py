"""Prices of GPU-days by dual values, put in domain terms."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.formulate import Formulation, Pool
from optimizer.horizon import Horizon
from optimizer.milp.duals import DualPrices
from optimizer.plans import GpuDayPrice, Relaxation
from optimizer.solved import Solved

EXACTLY = Decimal("0.000001")
"""A millionth of the currency: beyond it are the rounding errors of the solver."""


def relaxed(prices: DualPrices, made: Formulation, best: Solved) -> Relaxation:
    """
    Args:
        made: the numbers whose dual values these are.
        best: the plan, which tells the nodes that matter.
    """
    optimum = _exact(prices.optimum)
    used = pools_used(best)
    rows = [
        row
        for p, pool in enumerate(made.pools)
        if pool in used
        for row in _curve(prices, p, pool, best.problem.horizon)
    ]
    below = max(Decimal(0), _exact(best.solution.objective) - optimum)
    return Relaxation(npv=optimum, below=below, gpu_days=tuple(rows))


def pools_used(best: Solved) -> set[Pool]:
    """Kinds of nodes on which the plan runs something."""
    data, solution = best.made.instance, best.solution
    used = {data.services[v].replicas[c].pool for v, c, _ in solution.serve}
    used |= {data.jobs[j].gangs[g].pool for j, g, _ in (*solution.run, *solution.hours)}
    return {best.made.pools[p] for p in used}


def _curve(prices: DualPrices, p: int, pool: Pool, horizon: Horizon) -> Iterator[GpuDayPrice]:
    """One row for days in a row at one price."""
    kind, spot = pool
    days = sorted(day for q, day in prices.nodes if q == p)
    first = None
    for n, day in enumerate(days):
        price = _exact(prices.nodes[p, day] / kind.count)
        first = day if first is None else first
        follows = n + 1 < len(days) and days[n + 1] == day + 1
        if follows and _exact(prices.nodes[p, day + 1] / kind.count) == price:
            continue
        yield GpuDayPrice(str(kind), spot, horizon.day(first), horizon.day(day), price)
        first = None


def _exact(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(EXACTLY)
