"""Which choices of an instance a solution makes, and how much it uses of what they hold."""

from __future__ import annotations

from optimizer.milp.instance import Choice, Instance, Solution

TINY = 1e-6


def is_made(data: Instance, choice: Choice, x: Solution) -> bool:
    """Whether a solution of an exact instance makes the choice."""
    bought = [0.0] * len(data.assets)
    level: dict[tuple[int, int], int] = {}
    for (a, i), nodes in x.hold.items():
        bought[a] += nodes
        for t, _ in data.assets[a].holds[i].cover:
            level[a, t] = level.get((a, t), 0) + nodes
    if choice.fewer and sum(bought[a] for a in choice.assets) < choice.fewer:
        return True
    more = any(n > choice.beyond for (a, _), n in level.items() if a in choice.assets)
    if not choice.fewer and more:
        return True
    return _rented(data, choice, x) > TINY


def charges(data: Instance, x: Solution) -> float:
    """What the choices that a solution makes are charged."""
    return sum(c.charge for c in data.choices if c.charge and is_made(data, c, x))


def _rented(data: Instance, choice: Choice, x: Solution) -> float:
    """Terms, node-hours and load through APIs, of what the choice holds."""
    used: float = sum(n for (o, _), n in x.start.items() if o in choice.terms)
    used += sum(n for (h, _), n in x.hourly.items() if h in choice.hourly)
    used += sum(load for (v, a, _), load in x.api.items() if (v, a) in choice.apis)
    return used + sum(
        hours
        for (j, g, _), hours in x.hours.items()
        if data.jobs[j].gangs[g].hourly in choice.hourly
    )
