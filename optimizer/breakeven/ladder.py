"""The ladder: own 0, 1, 2 … nodes of one purchase option, each as the best plan that does so.

Exactly so many nodes of that option are bought; everything else in the plan is free to change,
other purchase options too. The k-th node's saving is what it is worth to the whole plan, which
falls with k: the node that pays least decides how many to own.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from optimizer.breakeven.rows import Row, row, said
from optimizer.breakeven.scale import rent_of
from optimizer.formulate import formulate
from optimizer.milp.instance import Instance, Solution
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem

LOSING_STEPS = 2
"""The ladder ends after so many nodes in a row that save nothing."""
IN_USE = 1e-3
"""Shares of a node are larger than this."""


@dataclass(frozen=True, slots=True)
class Rung:
    """The best plan with exactly so many nodes of the option."""

    nodes: int
    total: float
    """Present value."""
    bound: float
    rent: float
    """Part of the total that is rent of nodes."""
    days_used: int
    """Days on which the last of the nodes works."""
    gap: float

    def saving_over(self, below: Rung) -> float:
        return below.total - self.total

    def saving_range(self, below: Rung) -> tuple[float, float]:
        """Proven range of what the node saves between two exact optima."""
        return below.bound - self.total, below.total - self.bound

    def even_rent(self, below: Rung) -> float | None:
        """Factor of the rental prices at which the node saves nothing, if both plans stay as they
        are: the more it costs beside rent, over the rent it spares. None: it spares none."""
        spared = below.rent - self.rent
        dearer = (self.total - self.rent) - (below.total - below.rent)
        return dearer / spared if spared > 1e-9 else None


def exactly(data: Instance, asset: int, nodes: int) -> Instance:
    """The same, with exactly so many nodes of one asset bought."""
    assets = list(data.assets)
    assets[asset] = replace(assets[asset], most=float(nodes))
    return replace(data, assets=tuple(assets), least_bought=(((asset,), nodes),))


def ladder(
    data: Instance, asset: int, options: SolveOptions, deadline: float
) -> Iterator[Rung | None]:
    """Rungs from 0 up, until nodes save nothing, there are no more, or the time is up.

    None stands for a number of nodes that no plan can have, or that was not solved in time.
    """
    below, losing = None, 0
    for nodes in range(int(data.assets[asset].most) + 1):
        left = deadline - time.monotonic()
        if left <= 0:
            return
        asked = replace(options, time_limit_s=min(options.time_limit_s, left))
        found = solve_any(exactly(data, asset, nodes), asked)
        if not isinstance(found, Solution):
            yield None
            if nodes and below is not None:
                return
            continue
        rung = Rung(
            nodes,
            found.objective,
            min(found.bound, found.objective),
            rent_of(data, found),
            days_used(data, asset, nodes, found),
            found.gap,
        )
        yield rung
        losing = losing + 1 if below is not None and rung.saving_over(below) < 0 else 0
        if losing >= LOSING_STEPS:
            return
        below = rung


def days_used(data: Instance, asset: int, nodes: int, found: Solution) -> int:
    """Days on which the n-th node of the asset is in use, at least in part."""
    most: dict[int, float] = defaultdict(float)
    for (a, s), busy in found.busy.items():
        if a == asset:
            day = data.slices[s].period
            most[day] = max(most[day], busy)
    return sum(busy > nodes - 1 + IN_USE for busy in most.values()) if nodes else 0


def ladder_rows(problem: Problem, options: SolveOptions, deadline: float) -> list[Row]:
    """The ladders of all purchase options; the time is shared out between them."""
    made = formulate(problem)
    data = made.instance
    assets = [a for a, asset in enumerate(data.assets) if asset.holds]
    rows = []
    for number, a in enumerate(assets):
        now = time.monotonic()
        share = now + (deadline - now) / (len(assets) - number)
        below: Rung | None = None
        for nodes, rung in enumerate(ladder(data, a, options, share)):
            rows.append(_row(problem, data.assets[a].name, nodes, rung, below))
            below = rung
    return rows


def _row(problem: Problem, subject: str, nodes: int, rung: Rung | None, below: Rung | None) -> Row:
    currency = problem.costs.currency
    if rung is None:
        words = f"{subject}: no plan with {nodes} of them was found"
        return row(
            "ladder", subject, "nodes owned", "nodes", words, raw=float(nodes), answer="none",
            proven=False, nodes=nodes,
        )  # fmt: skip
    more: dict[str, Any] = {
        "nodes": nodes,
        "total": f"{rung.total:.2f}",
        "gap": f"{rung.gap:.6f}",
        "days_used": rung.days_used,
        "marginal_saving": None,
    }
    if below is None:
        words = f"{subject}: with {nodes} of them the best plan costs {said(rung.total)} {currency}"
        return row(
            "ladder", subject, "saving of the next node", currency, words, answer="none", **more
        )
    saving = rung.saving_over(below)
    low, high = rung.saving_range(below)
    even = rung.even_rent(below)
    more["marginal_saving"] = f"{saving:.2f}"
    days = f"used on {rung.days_used} of {problem.horizon.n_days} days"
    amount = f"{said(abs(saving))} {currency}"
    does = f"saves {amount}" if saving >= 0 else f"costs {amount} more than it saves"
    words = f"{subject}: node {nodes} {does}, {days}"
    if even is not None and even > 0:
        words += f"; it pays from {even:.3f} x the rental prices (these two plans kept)"
    sure = low > 0 or high < 0 or high - low <= 1e-6 * max(1.0, abs(rung.total))
    if not sure:
        words += f"; proven only to lie between {said(low)} and {said(high)}"
    return row(
        "ladder", subject, "saving of the next node", currency, words, now=saving,
        break_even=even if even is not None and even > 0 else None, raw=even, low=low, high=high,
        proven=sure, basis="economic", **more,
    )  # fmt: skip
