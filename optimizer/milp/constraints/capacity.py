"""Families that tie what is used to what is rented and owned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optimizer.milp.instance import Instance, Start
from optimizer.milp.linear_model import LinearModel, Term
from optimizer.milp.variables import Variables

LONG_TERM_DAYS = 7
"""Terms longer than this get one `active` column a day instead of an entry in every row."""
LONG_TERM_PERIODS = 2
"""The same in merged periods."""

Levels = list[list[Term]]
"""[period] terms whose sum is the number of units there."""


@dataclass(frozen=True, slots=True)
class Active:
    """Units there in each period, by term offer and by asset."""

    rented: list[Levels]
    held: list[Levels]


def add_active(model: LinearModel, v: Variables, data: Instance) -> Active:
    r"""Units of each term offer rented, and of each asset held, in each period.

    $$active_{o,t} = active_{o,t-1} + \sum_{i: day_i = t} start_{o,i}
      - \sum_{i: until_i = t} start_{o,i}$$

    Rows ``active[o,t]`` (and the same for ``hold``), only for long terms in the exact model;
    elsewhere the sum of the starts that cover t stands for it.
    """
    rented = [
        _levels(model, data, offer.name, _columns(offer.starts, v.start, o))
        for o, offer in enumerate(data.term_offers)
    ]
    held = [
        _levels(model, data, asset.name, _columns(asset.holds, v.hold, a))
        for a, asset in enumerate(data.assets)
    ]
    return Active(rented, held)


def _columns(
    starts: Sequence[Start], columns: Mapping[tuple[int, int], int], n: int
) -> list[tuple[Start, int]]:
    return [(start, columns[n, i]) for i, start in enumerate(starts) if (n, i) in columns]


def _levels(
    model: LinearModel, data: Instance, name: str, starts: Sequence[tuple[Start, int]]
) -> Levels:
    periods = len(data.period_days)
    longest = LONG_TERM_DAYS if data.exact else LONG_TERM_PERIODS
    if all(len(begin.cover) <= longest for begin, _ in starts):
        covering: Levels = [[] for _ in range(periods)]
        for begin, column in starts:
            for t, share in begin.cover:
                covering[t].append((column, share))
        return covering
    change: dict[int, list[Term]] = defaultdict(list)
    for begin, column in starts:
        before = 0.0
        for t, share in begin.cover:
            if share != before:
                change[t].append((column, before - share))
            before = share
        if begin.cover:
            change[begin.cover[-1][0] + 1].append((column, before))
    levels: Levels = []
    level: list[Term] = []
    for t in range(periods):
        if t in change:
            now = model.column(f"active[{name},{t}]")
            row = [(now, 1.0), *((c, -x) for c, x in level), *change[t]]
            model.row(f"active[{name},{t}]", row, lower=0, upper=0)
            level = [(now, 1.0)]
        levels.append(level)
    return levels


def add_capacity(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Nodes in use are rented, owned or free, in every slice.

    $$\sum_{v,c} share_c\, serve_{v,c,s} + \sum_{j,g} n_g\, run_{j,g,s} \le
      \sum_o active_{o,t(s)} + \sum_o hourly_{o,s} + \sum_a busy_{a,s} + \sum_q free_{q,s}$$

    Nodes of one pool; rows ``capacity[p,s]``.
    """
    used: dict[tuple[int, int], list[Term]] = defaultdict(list)
    for (i, c, s), column in v.serve.items():
        replica = data.services[i].replicas[c]
        used[replica.pool, s].append((column, replica.share))
    for j, g, s, term in gang_uses(v, data):
        used[data.jobs[j].gangs[g].pool, s].append(term)
    given = _supplies(v, data, active)
    for p, pool in enumerate(data.pools):
        for s in range(len(data.slices)):
            if used[p, s]:
                terms = [*used[p, s], *_negative(given[p, s])]
                model.row(f"capacity[{pool},{s}]", terms, upper=0)


def gang_uses(v: Variables, data: Instance) -> list[tuple[int, int, int, Term]]:
    """(job, gang, slice, nodes of the pool it holds) of gangs that run on pool capacity."""
    uses = [
        (j, g, s, (column, float(data.jobs[j].gangs[g].nodes)))
        for (j, g, s), column in v.run.items()
    ]
    for column, run in v.whole_run.items():
        gang = data.jobs[run.job].gangs[run.gang]
        if not gang.by_hour:
            uses += [(run.job, run.gang, s, (column, float(gang.nodes))) for s, _ in run.shares]
    return uses


def _negative(terms: Sequence[Term]) -> list[Term]:
    return [(column, -coefficient) for column, coefficient in terms]


def _supplies(v: Variables, data: Instance, active: Active) -> dict[tuple[int, int], list[Term]]:
    given: dict[tuple[int, int], list[Term]] = defaultdict(list)
    for levels, offer in zip(active.rented, data.term_offers, strict=True):
        if any(levels):
            for s, point in enumerate(data.slices):
                given[offer.pool, s] += levels[point.period]
    for (o, s), column in v.hourly.items():
        given[data.hourly_offers[o].pool, s].append((column, 1.0))
    for (a, s), column in v.busy.items():
        given[data.assets[a].pool, s].append((column, 1.0))
    for (q, s), column in v.free.items():
        given[data.quotas[q].pool, s].append((column, 1.0))
    return given


def add_gang_site(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""The nodes of a gang of several stand at one site.

    $$\sum_{j, g: site_g = x} n_g\, run_{j,g,s} \le \text{nodes of the pool at site } x$$

    Rows ``gang_site[p,x,s]``, for gangs with a site only. At ``own`` stand the owned nodes in use
    (`busy`), so that a gang there draws its power even where rented nodes would be to spare.
    """
    used: dict[tuple[int, str, int], list[Term]] = defaultdict(list)
    for j, g, s, term in gang_uses(v, data):
        gang = data.jobs[j].gangs[g]
        if gang.site:
            used[gang.pool, gang.site, s].append(term)
    for (p, site, s), terms in used.items():
        t = data.slices[s].period
        there: list[Term] = [
            (v.busy[a, s], 1.0)
            for a, asset in enumerate(data.assets)
            if (asset.pool, asset.site) == (p, site) and (a, s) in v.busy
        ]
        for levels, offer in zip(active.rented, data.term_offers, strict=True):
            if (offer.pool, offer.site) == (p, site):
                there += levels[t]
        for o, hourly in enumerate(data.hourly_offers):
            if (hourly.pool, hourly.site) == (p, site) and (o, s) in v.hourly:
                there.append((v.hourly[o, s], 1.0))
        row = [*terms, *_negative(there)]
        model.row(f"gang_site[{data.pools[p]},{site},{s}]", row, upper=0)


def add_ownership(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Owned nodes in use are delivered and not yet sold.

    $$busy_{a,s} \le owned_{a,t(s)} + \sum_{i: t(s) \in cover_i} hold_{a,i}$$

    Rows ``ownership[a,s]``.
    """
    for (a, s), busy in v.busy.items():
        asset, t = data.assets[a], data.slices[s].period
        row = [(busy, 1.0), *_negative(active.held[a][t])]
        model.row(f"ownership[{asset.name},{s}]", row, upper=asset.owned[t])
