"""Rows that price whole nodes as the linear relaxation does, where it takes parts of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from optimizer.milp.constraints.capacity import Active, gang_uses
from optimizer.milp.constraints.services import nodes_there
from optimizer.milp.cuts import least_supply_cost
from optimizer.milp.instance import Instance
from optimizer.milp.linear_model import LinearModel, Term
from optimizer.milp.variables import Variables

DIGITS = 3
"""Prices are rounded, so that slices with nearly equal prices share one search."""
CLOSE = 1 - 1e-4


def add_dual_price(
    model: LinearModel,
    v: Variables,
    data: Instance,
    active: Active,
    values: Sequence[float],
    duals: Sequence[float],
) -> int:
    r"""Nodes there beside the jobs, at the relaxation's prices, cost at least whole nodes.

    $$\sum_p price_{p,s} \Bigl(nodes_{p,s} - \sum_{j,g} n_g\, run_{j,g,s}\Bigr) \ge
      W_s(load_{\cdot,s})$$

    As `add_supply_price`, with $price_{p,s}$ the dual value of ``capacity[p,s]``: the prices at
    which the relaxation is content. Jobs hold whole nodes, so what they leave is whole too. Rows
    ``dual_price[s]``, where the values break them.

    Returns:
        How many rows were added.
    """
    services = [service for service in data.services if not service.apis]
    if not services:
        return 0
    prices = _prices(model, data, duals)
    jobs: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
    for j, g, s, (column, nodes) in gang_uses(v, data):
        jobs[s].append((column, data.jobs[j].gangs[g].pool, nodes))
    known: dict[object, float] = {}
    added = 0
    for s, price in sorted(prices.items()):
        loads = tuple(service.load[s] for service in services)
        if not any(loads):
            continue
        key = loads, tuple(price)
        if key not in known:
            known[key] = least_supply_cost(services, loads, price)
        least = known[key]
        terms, anyway = nodes_there(v, data, active, s, price)
        row: list[Term] = [*terms, *((c, -price[p] * n) for c, p, n in jobs[s])]
        there = anyway + sum(x * values[c] for c, x in row)
        if there < least * CLOSE:
            scaled = [(c, x / least) for c, x in row]
            model.row(f"dual_price[{s}]", scaled, lower=1 - anyway / least)
            added += 1
    return added


def _prices(model: LinearModel, data: Instance, duals: Sequence[float]) -> dict[int, list[float]]:
    """Slice → [pool] price of a node, the dearest at 1."""
    found: dict[int, list[float]] = defaultdict(lambda: [0.0] * len(data.pools))
    index = {pool: p for p, pool in enumerate(data.pools)}
    for name, dual in zip(model.row_names, duals, strict=True):
        if name.startswith("capacity["):
            pool, s = name.removeprefix("capacity[").removesuffix("]").rsplit(",", 1)
            found[int(s)][index[pool]] = abs(dual)
    return {
        s: [round(x / max(price), DIGITS) for x in price]
        for s, price in found.items()
        if max(price) > 0
    }
