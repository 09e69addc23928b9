"""Whole columns that say how many nodes of a pool are there for long, to branch on.

A relaxation takes 0.8 of a node for a year. Told that no node may start on one day, it starts a
week later; told that none is there in June, it must decide. The sums are whole because what they
add up is: no plan is cut off, and the solver proves in a few branches what it did not in thousands.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from optimizer.milp.instance import Instance, Start
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.variables import Key2, Variables

APART_DAYS = 28
"""Least days from one level of a pool to the next."""
LEVELS = 8
"""Most levels of a pool."""
MANY = 1e6
"""More nodes than any plan has; a finite bound keeps the column through the solver's presolve."""
FULL = 1 - 1e-9


def add_levels(model: LinearModel, v: Variables, data: Instance) -> dict[int, int]:
    r"""Nodes of a pool whose terms and holds cover a whole period, every few weeks.

    $$level_{p,t} = \sum_{o \in p} \sum_{G \text{ covers } t} started_{o,G} +
      \sum_{a \in p} \sum_{G \text{ covers } t} bought_{a,G}$$

    Rows and columns ``level[p,t]``; only in merged periods.

    Returns:
        Column → pool.
    """
    periods = list(_apart(data))
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for o, offer in enumerate(data.term_offers):
        for t, column in _whole(model, offer.starts, o, v.start, v.started, periods):
            found[offer.pool, t].append(column)
    for a, asset in enumerate(data.assets):
        for t, column in _whole(model, asset.holds, a, v.hold, v.bought, periods):
            found[asset.pool, t].append(column)
    levels = {}
    for (pool, t), columns in sorted(found.items()):
        name = f"level[{data.pools[pool]},{t}]"
        level = model.column(name, upper=MANY, whole=True)
        model.row(name, [(level, -1.0), *((c, 1.0) for c in columns)], lower=0, upper=0)
        levels[level] = pool
    return levels


def _apart(data: Instance) -> Iterator[int]:
    firsts = data.days_before()
    apart = max(APART_DAYS, math.ceil(firsts[-1] / LEVELS))
    last = -apart // 2  # nothing that starts in the first period covers all of it
    for t, first in enumerate(firsts[:-1]):
        if first - last >= apart:
            last = first
            yield t


def _whole(
    model: LinearModel,
    starts: Sequence[Start],
    n: int,
    single: Mapping[Key2, int],
    together: Mapping[Key2, int],
    periods: Sequence[int],
) -> Iterator[tuple[int, int]]:
    """(period, whole column that covers all of it)"""
    groups: dict[int, list[int]] = defaultdict(list)
    for i, begin in enumerate(starts):
        if (n, i) in single:
            groups[begin.group if begin.group >= 0 else -1 - i].append(i)
    for group, members in groups.items():
        column = together.get((n, group)) if group >= 0 else single[n, members[0]]
        if column is None or not model.whole[column]:
            continue
        covers = [dict(starts[i].cover) for i in members]
        for t in periods:
            if all(cover.get(t, 0.0) >= FULL for cover in covers):
                yield t, column
