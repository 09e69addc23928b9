"""Gangs counted by the node: a relaxation with a fraction of the columns, where jobs are many.

A job may run on one to several nodes of a pool, of one seller or another, which makes dozens of
gangs. Whatever it runs on, no node does more than in the best of these gangs; so one column a pool
that counts nodes is a relaxation, and loses only what nodes lose by working together.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from optimizer.milp.instance import GangOption, Instance, Job

Key = tuple[int, str, bool, int, int]
OWN = "own"


def by_the_node(data: Instance) -> tuple[Instance, list[list[list[int]]]]:
    """A merged instance with gangs of single nodes, several of which may run at once.

    Returns:
        It, and [job][gang] the gangs that each stands for.
    """
    jobs, sources = [], []
    for job in data.jobs:
        alike: dict[Key, list[int]] = defaultdict(list)
        for g, gang in enumerate(job.gangs):
            site = OWN if gang.site == OWN else ""
            alike[gang.pool, site, gang.rented, gang.hourly, gang.quota].append(g)
        sources.append(list(alike.values()))
        gangs = tuple(_one_node(job, key, ids) for key, ids in alike.items())
        jobs.append(replace(job, gangs=gangs, contiguous=False))
    return replace(data, jobs=tuple(jobs)), sources


def _one_node(job: Job, key: Key, ids: list[int]) -> GangOption:
    """The best node of some gangs, as cheap as in the cheapest."""
    pool, site, rented, hourly, quota = key
    gangs = [job.gangs[g] for g in ids]
    costs = zip(*([x / gang.nodes for x in gang.hour_cost] for gang in gangs), strict=True)
    return GangOption(
        pool,
        nodes=1,
        rate=max(gang.rate / gang.nodes for gang in gangs),
        site=site,
        hourly=hourly,
        hour_cost=tuple(map(min, costs)),
        hour_cash=min(gang.hour_cash / gang.nodes for gang in gangs),
        rented=rented,
        quota=quota,
        most=max(gang.nodes for gang in gangs),
    )
