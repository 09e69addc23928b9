"""Families of services whose requests come in several sizes: a router splits every size."""

from __future__ import annotations

from collections import defaultdict

from optimizer.milp.constraints.capacity import Active
from optimizer.milp.instance import Instance
from optimizer.milp.linear_model import LinearModel, Term
from optimizer.milp.variables import Variables


def add_bucket_demand(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""All requests of every bucket are served, by replicas or through an API.

    $$\sum_c route_{v,b,c,s} + \sum_{a: bucket(a) = b} \frac{api_{v,a,s}}{load_{v,b,s}} \ge 1,
      \qquad load_{v,b,s} = share_{v,b}\, load_{v,s}$$

    In shares of the bucket, so that the solver's tolerance means the same for rare sizes and for
    common ones. Rows ``bucket_demand[v,b,s]``. A bucket that nothing serves leaves 0 >= 1, which is
    infeasible; `optimizer.infeasible` says which one it is.
    """
    served: dict[tuple[int, int, int], list[Term]] = defaultdict(list)
    for (i, b, _, s), column in v.route.items():
        served[i, b, s].append((column, 1.0))
    for (i, a, s), column in v.api.items():
        service = data.services[i]
        b = service.apis[a].bucket
        served[i, b, s].append((column, 1.0 / service.bucket_load(b, s)))
    for i, service in enumerate(data.services):
        for s, load in enumerate(service.load):
            for b in range(len(service.buckets) if load and service.routed else 0):
                model.row(f"bucket_demand[{service.name},{b},{s}]", served[i, b, s], lower=1)


def add_replica_time(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Replicas have the time for what is routed to them, with headroom.

    $$\sum_b \frac{load_{v,b,s} (1 + headroom_v)}{rate_{c,b}}\, route_{v,b,c,s} \le serve_{v,c,s}$$

    A replica that serves $rate_{c,b}$ requests/s of one bucket alone gives each of them
    $1/rate_{c,b}$ of a second of its time, whatever else it serves: the linear load of Mélange
    (Griggs et al. 2024, arXiv:2404.14527). Rows ``replica_time[v,c,s]``.
    """
    busy: dict[tuple[int, int, int], list[Term]] = defaultdict(list)
    for (i, b, c, s), column in v.route.items():
        busy[i, c, s].append((column, data.services[i].busy_replicas(b, c, s)))
    for (i, c, s), terms in busy.items():
        name = f"replica_time[{data.services[i].name},{c},{s}]"
        model.row(name, [*terms, (v.serve[i, c, s], -1.0)], upper=0)


def add_worth(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Replicas earn what the requests are worth, whatever a bucket is worth.

    $$\sum_c \max_b (w_{n,b}\, rate_{c,b})\, serve_{v,c,s}
      + (1 + headroom_v) \sum_a w_{n,b(a)}\, api_{v,a,s} \ge load_{v,s} (1 + headroom_v),
      \qquad \sum_b share_{v,b}\, w_{n,b} = 1$$

    By duality replicas can serve all buckets just when this holds for every $w \ge 0$. These rows
    take the place of routes in large instances, for the few $w$ that matter (`worth`). In shares of
    what all requests are worth, as in `add_bucket_demand`. Rows ``worth[v,s,n]``.
    """
    for i, service in enumerate(data.services):
        earned = [
            [service.earnings(worth, c) for c in range(len(service.replicas))]
            for worth in service.worths
        ]
        for s, load in enumerate(service.load if service.worths else ()):
            for n, worth in enumerate(service.worths if load else ()):
                terms = [
                    (v.serve[i, c, s], each)
                    for c, each in enumerate(earned[n])
                    if (i, c, s) in v.serve
                ]
                terms += [
                    (v.api[i, a, s], worth[api.bucket] * (1 + service.headroom))
                    for a, api in enumerate(service.apis)
                ]
                least = load * (1 + service.headroom)
                scaled = [(column, x / least) for column, x in terms]
                model.row(f"worth[{service.name},{s},{n}]", scaled, lower=1)
