r"""What requests of several sizes are worth: few numbers in place of the routes of a mix.

Replicas can serve all buckets of a load just when, for every worth $w \ge 0$ of a request of each
bucket, they can earn what the requests are worth (`add_worth`). The shares of the buckets are the
same in all slices, so a worth that shows replicas to be too few in one slice is a row for all of
them, and after a few nothing is missed that a plan of low cost would do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from optimizer.milp.anytime import Watch
from optimizer.milp.cuts import MOST_NODES, MOST_S, cheapest_worth, pool_prices, supply_model
from optimizer.milp.instance import Instance, Service, Solution
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.solver import SolveOptions, run_solver

ENOUGH = 1e-6
"""Share of a load by which replicas may fall short: the solver's own tolerance."""
ABSENT = (1e-3, 1e-7)
"""Replicas that each size is taken to have beside those it has: of worths that show the same want,
one at which absent sizes earn little makes the sharper row. The second finds small wants."""
ROUNDS = 30
"""Worths looked for in advance, for each price vector and load."""
LOADS = 12
"""Loads of a service for which worths are looked for in advance: evenly many of all it has."""


def with_worths(data: Instance, deadline: float, watch: Watch | None = None) -> Instance:
    """The instance with every mix told by worths, those that a cheap plan needs in any case."""

    def ended() -> bool:
        return time.monotonic() > deadline or (watch is not None and watch.stopped)

    services = tuple(
        replace(s, worths=_in_advance(s, data, ended)) if s.buckets else s for s in data.services
    )
    return replace(data, services=services)


def _in_advance(
    service: Service, data: Instance, ended: Callable[[], bool]
) -> tuple[tuple[float, ...], ...]:
    """As many as it takes that the cheapest whole nodes at likely prices can serve its loads."""
    worths: list[tuple[float, ...]] = []
    loads = sorted({load for load in service.load if load}, reverse=True)
    for prices in pool_prices(data):
        priced = replace(
            service, replicas=tuple(r for r in service.replicas if prices[r.pool]), worths=()
        )
        worths.append(cheapest_worth(service, prices))
        for load in loads[:: max(1, -(-len(loads) // LOADS))]:
            for _ in range(ROUNDS):
                counts = {}
                if not ended():
                    counts = _cheapest(replace(priced, worths=tuple(worths)), load, prices)
                worth = wanted(priced, load, counts) if counts else None
                if worth is None:
                    break
                worths.append(worth)
    return tuple(dict.fromkeys(worths))


def _cheapest(service: Service, load: float, prices: list[float]) -> dict[int, float]:
    """Replicas on the cheapest whole nodes that earn what a load is worth; empty: none found."""
    model, columns = supply_model([service], [load], prices)
    options = SolveOptions(gap=1e-3, nodes=MOST_NODES)
    raw = run_solver(model, options, time.monotonic() + MOST_S)
    values = raw.values or []
    return {c: float(round(values[i])) for (_, c), i in columns.items() if values}


def missing(data: Instance, x: Solution) -> dict[int, list[tuple[float, ...]]]:
    """Service → worths that show replicas of a solution to be too few; empty: all can be routed."""
    found: dict[int, list[tuple[float, ...]]] = {}
    seen: set[object] = set()
    for v, service in enumerate(data.services):
        for s, load in enumerate(service.load if service.worths else ()):
            counts = {c: float(x.serve.get((v, c, s), 0)) for c in range(len(service.replicas))}
            bought = [0.0] * len(service.buckets)
            for a, api in enumerate(service.apis):
                bought[api.bucket] += x.api.get((v, a, s), 0.0)
            key = (v, load, tuple(counts.values()), tuple(bought))
            if load and key not in seen:
                seen.add(key)
                worth = wanted(service, load, counts, bought)
                if worth is not None:
                    found.setdefault(v, []).append(worth)
    return found


def more_worths(data: Instance, found: Mapping[int, Sequence[tuple[float, ...]]]) -> Instance:
    """The instance with what `missing` found."""
    services = tuple(
        replace(service, worths=tuple(dict.fromkeys((*service.worths, *found.get(v, ())))))
        for v, service in enumerate(data.services)
    )
    return replace(data, services=services)


def wanted(
    service: Service, load: float, counts: Mapping[int, float], bought: Sequence[float] = ()
) -> tuple[float, ...] | None:
    r"""A worth at which some replicas earn less than a load is worth; None: they can serve it all.

    $$\max \sum_b w_b (share_b\, load - bought_b)(1 + headroom) \quad\text{s.t.}\quad
      w_b\, rate_{c,b} \le u_c,\; \sum_c (n_c + \varepsilon)\, u_c \le 1$$

    The dual of splitting the load so that the fullest size of replica is as empty as can be: above
    1 there is no split.

    Args:
        counts: replicas by size.
        bought: [bucket] load that goes through APIs.
    """
    for absent in ABSENT:
        model = LinearModel()
        columns = []
        for b, share in enumerate(service.buckets):
            left = max(0.0, share * load - (bought[b] if bought else 0.0))
            if left > ENOUGH * load and not any(replica.rates[b] for replica in service.replicas):
                alone = (0.0,) * len(service.buckets)
                return (*alone[:b], 1 / share, *alone[b + 1 :])
            columns.append(model.column(f"w[{b}]", cost=-left * (1 + service.headroom)))
        earned = []
        for c, replica in enumerate(service.replicas):
            if not any(replica.rates):
                continue
            earns = model.column(f"u[{c}]")
            earned.append((earns, counts.get(c, 0.0) + absent))
            for b, rate in enumerate(replica.rates):
                if rate:
                    model.row(f"earns[{c},{b}]", [(columns[b], rate), (earns, -1.0)], upper=0)
        model.row("all", earned, upper=1)
        raw = run_solver(model, SolveOptions(), time.monotonic() + 10)
        if raw.values is None or -raw.objective <= 1 + ENOUGH:
            continue
        worth = [raw.values[column] for column in columns]
        mean = sum(w * share for w, share in zip(worth, service.buckets, strict=True))
        return tuple(w / mean for w in worth)
    return None
