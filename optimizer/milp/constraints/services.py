"""Families of online services: the load is carried in every slice."""

from __future__ import annotations

import math

from optimizer.milp.constraints.capacity import Active
from optimizer.milp.cuts import as_one_size, least_cover_cost, least_supply_cost, pool_prices
from optimizer.milp.instance import Instance, Service
from optimizer.milp.linear_model import LinearModel, Term
from optimizer.milp.variables import Variables

MOST_ROUNDING = 12


def add_demand(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Replicas, with headroom, and APIs carry the load.

    $$\sum_c \frac{capacity_c}{1 + headroom_v}\, serve_{v,c,s} + \sum_a api_{v,a,s}
      \ge load_{v,s}$$

    In the service's own unit (users, or requests/s); rows ``demand[v,s]``. An API scales by
    itself, so it carries the load without headroom. Services with buckets have rows of their own
    (`mixes`).
    """
    for i, service in enumerate(data.services):
        for s, load in enumerate(service.load):
            if load and not service.buckets:
                terms = [
                    (v.serve[i, c, s], replica.capacity / (1 + service.headroom))
                    for c, replica in enumerate(service.replicas)
                    if (i, c, s) in v.serve
                ]
                terms += [(v.api[i, a, s], 1.0) for a in range(len(service.apis))]
                model.row(f"demand[{service.name},{s}]", terms, lower=load)


def add_demand_rounding(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Whole replicas: the demand row times a factor u, rounded up on both sides.

    $$\sum_c \lceil u\, capacity_c \rceil\, serve_{v,c,s} \ge
      \lceil u\, load_{v,s} (1 + headroom_v) \rceil$$

    Chvátal-Gomory rows: they cut no whole plan off and close most of the root gap. u is one over
    each capacity and, in merged periods, where replicas need not be whole, also just over
    n / demand for n = 1 … 12. Not where an API may carry part of the load, and not where the load
    has buckets. Rows ``demand_rounding[v,s,n]``.
    """
    for i, service in enumerate(data.services):
        if service.apis or service.buckets:
            continue
        capacities = sorted({replica.capacity for replica in service.replicas})
        rows: dict[float, list[tuple[tuple[int, ...], int]]] = {}
        for s, load in enumerate(service.load):
            if not load:
                continue
            if load not in rows:
                demand = load * (1 + service.headroom)
                factors = [1 / k for k in capacities]
                if not data.exact:
                    factors += [(n + 1e-6) / demand for n in range(1, MOST_ROUNDING + 1)]
                rows[load] = _rounded(service, demand, factors)
            for n, (weights, least) in enumerate(rows[load]):
                terms = [
                    (v.serve[i, c, s], float(w))
                    for c, w in enumerate(weights)
                    if (i, c, s) in v.serve
                ]
                model.row(f"demand_rounding[{service.name},{s},{n}]", terms, lower=least)


def _rounded(
    service: Service, demand: float, factors: list[float]
) -> list[tuple[tuple[int, ...], int]]:
    """Different rows of rounded weights, and the least weight that carries the demand."""
    rows: dict[tuple[int, ...], int] = {}
    for u in factors:
        weights = tuple(math.ceil(r.capacity * u - 1e-9) for r in service.replicas)
        least = math.ceil(demand * u - 1e-9)
        if least > 0:
            rows[weights] = max(least, rows.get(weights, 0))
    return list(rows.items())


def add_least_replicas(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""A floor under the number of replicas while there is any load.

    $$\sum_c serve_{v,c,s} \ge least_v$$

    Rows ``least_replicas[v,s]``.
    """
    for i, service in enumerate(data.services):
        if service.least_replicas > 1 or (service.least_replicas and service.apis):
            for s, load in enumerate(service.load):
                if load:
                    replicas = range(len(service.replicas))
                    terms = [(v.serve[i, c, s], 1.0) for c in replicas if (i, c, s) in v.serve]
                    name = f"least_replicas[{service.name},{s}]"
                    model.row(name, terms, lower=service.least_replicas)


def add_replica_price(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Replicas, priced by the hour, cost at least the cheapest whole cover of the load.

    $$\sum_c share_c\, price_{pool(c)}\, serve_{v,c,s} \ge W_v(load_{v,s})$$

    Valid for every plan because W is the least over whole replicas; only in merged periods, where
    `serve` need not be whole, and for mixes told by worths, which have no rounded rows. Rows
    ``replica_price[v,s,n]``, n the price vector.
    """
    for n, prices in enumerate(pool_prices(data)):
        for i, service in enumerate(data.services):
            if data.exact and not service.worths:
                continue
            plain = as_one_size(service, prices)
            least = {load: least_cover_cost(plain, load, prices) for load in set(service.load)}
            for s, load in enumerate(service.load):
                if service.apis or least[load] <= 0:
                    continue
                terms = [
                    (v.serve[i, c, s], replica.share * prices[replica.pool] / least[load])
                    for c, replica in enumerate(service.replicas)
                    if (i, c, s) in v.serve
                ]
                model.row(f"replica_price[{service.name},{s},{n}]", terms, lower=1)


def add_supply_price(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Nodes there, priced by the hour, cost at least the cheapest whole supply of the loads.

    $$\sum_p price_p \Bigl(\sum_o active_{o,t(s)} + \sum_o hourly_{o,s} + \sum_a held_{a,t(s)}
      + owned + free\Bigr) \ge W(load_{\cdot,s})$$

    Valid because every day has whole nodes, enough for all services together; only in merged
    periods and with mixes told by worths. Where many replicas share a large node it is what keeps
    the model from renting a tenth of one. Rows ``supply_price[s,n]``, n the price vector.
    """
    services = [(i, service) for i, service in enumerate(data.services) if not service.apis]
    if not services or (data.exact and not any(x.worths for _, x in services)):
        return
    for n, prices in enumerate(pool_prices(data)):
        known: dict[tuple[float, ...], float] = {}
        for s in range(len(data.slices)):
            loads = tuple(service.load[s] for _, service in services)
            if loads not in known:
                known[loads] = least_supply_cost([x for _, x in services], loads, prices)
            least = known[loads]
            if least <= 0:
                continue
            terms, there = nodes_there(v, data, active, s, prices)
            row = [(column, x / least) for column, x in terms]
            model.row(f"supply_price[{s},{n}]", row, lower=1 - there / least)


def nodes_there(
    v: Variables, data: Instance, active: Active, s: int, prices: list[float]
) -> tuple[list[Term], float]:
    """Priced nodes of all pools in a slice: terms of the columns, and what is there anyway."""
    t = data.slices[s].period
    terms: list[Term] = []
    there = 0.0
    for levels, offer in zip(active.rented, data.term_offers, strict=True):
        terms += [(column, x * prices[offer.pool]) for column, x in levels[t]]
    for o, hourly in enumerate(data.hourly_offers):
        if (o, s) in v.hourly:
            terms.append((v.hourly[o, s], prices[hourly.pool]))
    for levels, asset in zip(active.held, data.assets, strict=True):
        terms += [(column, x * prices[asset.pool]) for column, x in levels[t]]
        there += asset.owned[t] * prices[asset.pool]
    there += sum(quota.nodes[t] * prices[quota.pool] for quota in data.quotas)
    return terms, there
