"""What a schedule costs when every task takes its own cheapest resource on demand.

The rule of a task launcher such as SkyPilot, made again from its documentation: of all offers that
can run the task, the cheapest by the hour or day; no commitment, no purchase, no API, no node
shared with another task, nothing moved to a cheaper time. Services follow their load, slice by
slice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from optimizer.milp.instance import INF, Instance, Job, ReplicaOption, Service


@dataclass(frozen=True)
class Prices:
    """What one node of each pool costs on demand; INF where it is not to be had."""

    by_slice: list[list[float]]
    """[pool][slice]"""
    by_day: list[list[float]]
    """[pool][day]"""


def per_task_cost(data: Instance) -> float:
    """Present value of all tasks, each alone; INF when one has no resource on demand."""
    prices = _on_demand(data)
    services = sum(_service(data, service, prices) for service in data.services)
    return services + sum(_job(data, job, prices) for job in data.jobs)


def _on_demand(data: Instance) -> Prices:
    by_slice = [[INF] * len(data.slices) for _ in data.pools]
    by_day = [[INF] * len(data.period_days) for _ in data.pools]
    for offer in data.hourly_offers:
        for s, point in enumerate(data.slices):
            price = offer.cost[s] * point.hours
            by_slice[offer.pool][s] = min(by_slice[offer.pool][s], price)
    for term in data.term_offers:
        for begin in term.starts:
            if begin.until == begin.day + 1:
                day = by_day[term.pool]
                day[begin.day] = min(day[begin.day], begin.cost)
    for p, pool in enumerate(data.pools):
        if pool.endswith(" spot"):
            by_slice[p], by_day[p] = [INF] * len(data.slices), [INF] * len(data.period_days)
    return Prices(by_slice, by_day)


def _service(data: Instance, service: Service, prices: Prices) -> float:
    """On the one size of replica that is cheapest for all its load."""
    per_day = len(data.slices) // len(data.period_days)
    least = INF
    for replica in service.replicas:
        total = 0.0
        for t in range(len(data.period_days)):
            here = range(t * per_day, (t + 1) * per_day)
            nodes = {s: _nodes(service, replica, service.load[s]) for s in here if service.load[s]}
            if nodes:
                hours = sum(n * prices.by_slice[replica.pool][s] for s, n in nodes.items())
                total += min(hours, max(nodes.values()) * prices.by_day[replica.pool][t])
        least = min(least, total)
    return least


def _nodes(service: Service, replica: ReplicaOption, load: float) -> int:
    replicas = math.ceil(load * (1 + service.headroom) / replica.capacity - 1e-9)
    return math.ceil(max(replicas, service.least_replicas) * replica.share - 1e-9)


def _job(data: Instance, job: Job, prices: Prices) -> float:
    """From its first day on until it is done, on the gang that is cheapest for it."""
    least = INF
    for gang in job.gangs:
        if gang.quota >= 0 or gang.site == "own" or data.pools[gang.pool].endswith(" spot"):
            continue
        left, total, paid = job.work / gang.rate, job.move_cost * gang.rented, -1
        for s in data.slices_of_days(job.first, job.last):
            t = data.slices[s].period
            hours = min(data.slices[s].hours, float(math.ceil(left - 1e-9)))
            if hours <= 0:
                break
            if gang.hourly >= 0:
                total += gang.hour_cost[s] * hours
            elif paid < t:
                total, paid = total + gang.nodes * prices.by_day[gang.pool][t], t
            left -= hours
        if left <= 1e-9:
            least = min(least, total)
    return least
