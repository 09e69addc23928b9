"""Families of online services: the load is carried in every slice."""

from __future__ import annotations

import math

from optimizer.milp.constraints.capacity import Active
from optimizer.milp.instance import Instance
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.variables import Variables


def add_demand(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Replicas, with headroom, and APIs carry the load.

    $$\sum_c \frac{capacity_c}{1 + headroom_v}\, serve_{v,c,s} + \sum_a api_{v,a,s}
      \ge load_{v,s}$$

    In the service's own unit (users, or requests/s); rows ``demand[v,s]``. An API scales by
    itself, so it carries the load without headroom.
    """
    for i, service in enumerate(data.services):
        for s, load in enumerate(service.load):
            if load:
                terms = [
                    (v.serve[i, c, s], replica.capacity / (1 + service.headroom))
                    for c, replica in enumerate(service.replicas)
                ]
                terms += [(v.api[i, a, s], 1.0) for a in range(len(service.apis))]
                model.row(f"demand[{service.name},{s}]", terms, lower=load)


def add_demand_rounding(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Whole replicas: the demand row divided by each capacity and rounded up.

    $$\sum_c \lceil capacity_c / capacity_k \rceil\, serve_{v,c,s} \ge
      \lceil load_{v,s} (1 + headroom_v) / capacity_k \rceil \qquad \forall k$$

    Chvátal-Gomory rows: they cut no whole plan off and close most of the root gap. Not where an
    API may carry part of the load. Rows ``demand_rounding[v,k,s]``.
    """
    for i, service in enumerate(data.services):
        if service.apis:
            continue
        for k in sorted({replica.capacity for replica in service.replicas}):
            weights = [math.ceil(r.capacity / k - 1e-9) for r in service.replicas]
            for s, load in enumerate(service.load):
                least = math.ceil(load * (1 + service.headroom) / k - 1e-9)
                if least > 0:
                    terms = [(v.serve[i, c, s], float(w)) for c, w in enumerate(weights)]
                    model.row(f"demand_rounding[{service.name},{k:g},{s}]", terms, lower=least)


def add_least_replicas(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""A floor under the number of replicas while there is any load.

    $$\sum_c serve_{v,c,s} \ge least_v$$

    Rows ``least_replicas[v,s]``.
    """
    for i, service in enumerate(data.services):
        if service.least_replicas > 1 or (service.least_replicas and service.apis):
            for s, load in enumerate(service.load):
                if load:
                    terms = [(v.serve[i, c, s], 1.0) for c in range(len(service.replicas))]
                    name = f"least_replicas[{service.name},{s}]"
                    model.row(name, terms, lower=service.least_replicas)
