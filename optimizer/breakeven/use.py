"""How much a plan uses a kind of node: what a break-even utilisation is held against."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from optimizer.formulate import Formulation
from optimizer.milp.instance import Solution
from optimizer.problem import Problem, PurchaseOption

TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Use:
    """Use of one node, as shares of the time it is there."""

    hours: float
    days: float
    """Share of days with any use."""
    months: float
    words: str
    """Whose use this is, for a sentence."""

    def share(self, span: str) -> float:
        """Of the time that a rental by the `span` would be paid for."""
        return {"hour": self.hours, "day": self.days, "month": self.months}[span]


def planned_use(
    problem: Problem, option: PurchaseOption, made: Formulation, solution: Solution
) -> Use:
    """Of the nodes the plan buys; else of the first such node it rents; else of the first node
    if the schedule's work ran on it."""
    for a, asset in enumerate(made.assets):
        if asset.name == option.name and any(x == a for x, _ in solution.hold):
            held = {
                (hold.day + option.item.lead_time, hold.until): nodes
                for (x, i), nodes in solution.hold.items()
                if x == a
                for hold in [made.instance.assets[a].holds[i]]
            }
            busy = {s: n for (x, s), n in solution.busy.items() if x == a}
            days = sum((until - first) * n for (first, until), n in held.items())
            return _shares(problem, busy, max(days, 1), "the plan uses each node bought")
    rented = _rented(made, solution, option)
    n_days = problem.horizon.n_days
    if any(n > TINY for n in rented.values()):
        first = {s: min(1.0, n) for s, n in rented.items()}
        return _shares(problem, first, n_days, f"the plan uses the first {option.kind} it rents")
    words = f"the schedule's work would use a first {option.kind}"
    return _shares(problem, _possible(problem, option), n_days, words)


def _shares(problem: Problem, nodes: Mapping[int, float], node_days: int, words: str) -> Use:
    """Shares from nodes in use by slice."""
    slices = problem.horizon.slices
    hours = sum(n * slices[s % len(slices)].n_hours for s, n in nodes.items())
    most: dict[int, float] = defaultdict(float)
    for s, n in nodes.items():
        if n > TINY:
            # A node rented by the day is paid for whole, however little of it is used.
            whole = float(math.ceil(n - TINY))
            most[s // len(slices)] = max(most[s // len(slices)], whole)
    months: dict[str, float] = defaultdict(float)
    for day, n in most.items():
        month = f"{problem.horizon.day(day):%Y-%m}"
        months[month] = max(months[month], n)
    n_months = len(problem.horizon.months)
    nodes_held = node_days / problem.horizon.n_days
    return Use(
        min(1.0, hours / (24 * node_days)),
        min(1.0, sum(most.values()) / node_days),
        min(1.0, sum(months.values()) / (n_months * nodes_held)),
        words,
    )


def _rented(made: Formulation, solution: Solution, option: PurchaseOption) -> dict[int, float]:
    """Nodes of the kind in use by slice, wherever they come from."""
    pools = {p for p, (kind, _) in enumerate(made.pools) if kind == option.kind}
    data, used = made.instance, defaultdict[int, float](float)
    for (v, c, s), replicas in solution.serve.items():
        replica = data.services[v].replicas[c]
        if replica.pool in pools:
            used[s] += replica.share * replicas
    for (j, g, s), on in solution.run.items():
        gang = data.jobs[j].gangs[g]
        if gang.pool in pools:
            used[s] += gang.nodes * on
    for (j, g, s), hours in solution.hours.items():
        gang = data.jobs[j].gangs[g]
        if gang.pool in pools:
            used[s] += gang.nodes * hours / data.slices[s].hours
    return dict(used)


def _possible(problem: Problem, option: PurchaseOption) -> dict[int, float]:
    """Share of a first node that work could fill: services whenever they have load, then jobs."""
    slices = problem.horizon.slices
    used = dict.fromkeys(range(problem.horizon.n_days * len(slices)), 0.0)
    for service in problem.services:
        mine = (o for o in service.options if o.kind == option.kind and o.capacity)
        sizes = [o.capacity / o.share for o in mine]
        if not sizes:
            continue
        for day, loads in enumerate(service.load):
            for k, load in enumerate(loads):
                s = day * len(slices) + k
                used[s] = min(1.0, used[s] + load * (1 + service.service.headroom) / max(sizes))
    for job in problem.jobs:
        rates = [o.rate / o.nodes for o in job.options if o.kind == option.kind]
        hours = job.work / max(rates) if rates else 0.0
        for s in range(job.first * len(slices), (job.last + 1) * len(slices)):
            length = slices[s % len(slices)].n_hours
            taken = min(hours, (1 - used[s]) * length)
            used[s] += taken / length
            hours -= taken
    return used
