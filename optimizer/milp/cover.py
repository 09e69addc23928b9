"""How to supply so many nodes of one pool, slice by slice, at the least cost of one node at a time.

For one node that is wanted on certain slices, what to rent by the hour, on which terms and what to
buy is a shortest path over days, found exactly. Further nodes are added one level at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from optimizer.milp.instance import INF, Instance, Start, TermOffer

MOST_SALES = 6
"""Days of sale that are compared for one purchase."""

Way = tuple[Literal["start", "hold", "hourly"], int, int]
"""(what, offer or asset, index of its start or slice)"""


@dataclass(slots=True)
class Stock:
    """What is left of everything that is limited, while nodes are handed out."""

    data: Instance
    taken: dict[tuple[str, int], list[float]] = field(init=False)
    """(kind, its index) → [day, slice or month] units, nodes, kW or hours taken"""
    limited: set[tuple[str, int]] = field(init=False)
    """(kind, index) of what can run out"""
    held: set[int] = field(default_factory=set)
    """Assets of which some were bought"""
    _per_day: int = field(init=False)

    def __post_init__(self) -> None:
        data = self.data
        limited = {("start", o) for o, x in enumerate(data.term_offers) if x.stock < INF}
        limited |= {("hourly", h) for h, x in enumerate(data.hourly_offers) if x.stock < INF}
        limited |= {("hold", a) for a in range(len(data.assets))}
        limited |= {("start", o) for lot in data.lots for o, _ in lot.terms}
        limited |= {("hourly", h) for lot in data.lots for h, _ in lot.hourly}
        self.limited = limited
        self.taken = defaultdict(lambda: [0.0] * len(data.slices))
        self._per_day = len(data.slices) // len(data.period_days)

    def most(self, way: Way) -> float:
        """How many more nodes the way can give."""
        kind, n, i = way
        if (kind, n) not in self.limited:
            return INF
        if kind == "hourly":
            offer = self.data.hourly_offers[n]
            left = offer.stock - self.taken[kind, n][i]
            return min([left, *self._lots(kind, n, i, i + 1)])
        first, after = self._days(way)
        if kind == "start":
            most = self.data.term_offers[n].stock
            left = most - max(self.taken[kind, n][first:after]) if most < INF else INF
            return min([left, *self._lots(kind, n, first * self._per_day, after * self._per_day)])
        asset = self.data.assets[n]
        sites = [site for site in self._sites() if site[2][n] and site[1] < INF]
        if not sites and n not in self.held:
            return asset.most
        left = asset.most - max(self.taken[kind, n][first:after], default=asset.most)
        for name, limit, each in sites:
            for t in range(first, after):
                free = limit - self.taken[name, 0][t] - self._sunk(each, t)
                left = min(left, free / each[n])
        return left

    def take(self, way: Way, nodes: float) -> None:
        kind, n, i = way
        if (kind, n) not in self.limited:
            return
        first, after = (i, i + 1) if kind == "hourly" else self._days(way)
        self._add((kind, n), first, after, nodes)
        if kind == "hold":
            self.held.add(n)
            for name, limit, each in self._sites():
                if limit < INF:
                    self._add((name, 0), first, after, each[n] * nodes)
            return
        each_day = 1 if kind == "hourly" else self._per_day
        for number, lot in enumerate(self.data.lots):
            units = dict(lot.hourly if kind == "hourly" else lot.terms).get(n, 0)
            if units:
                self._add(("lot", number), first * each_day, after * each_day, units * nodes)

    def _add(self, key: tuple[str, int], first: int, after: int, amount: float) -> None:
        taken = self.taken[key]
        taken[first:after] = [x + amount for x in taken[first:after]]

    def _days(self, way: Way) -> tuple[int, int]:
        """First day of a term or hold, and the day after its last; they are consecutive."""
        cover = self._start(way).cover
        return (cover[0][0], cover[-1][0] + 1) if cover else (0, 0)

    def _start(self, way: Way) -> Start:
        kind, n, i = way
        return (
            self.data.term_offers[n].starts[i] if kind == "start" else self.data.assets[n].holds[i]
        )

    def _lots(self, kind: str, n: int, first: int, after: int) -> list[float]:
        left = []
        for number, lot in enumerate(self.data.lots):
            units = dict(lot.hourly if kind == "hourly" else lot.terms).get(n, 0)
            if units:
                worst = max(self.taken["lot", number][first:after])
                left.append((lot.stock - worst) // units)
        return left

    def _sites(self) -> list[tuple[str, float, list[float]]]:
        limits, assets = self.data.limits, self.data.assets
        return [
            ("kilowatts", limits.kilowatts, [a.kilowatts for a in assets]),
            ("rack", limits.rack_units, [a.rack_units for a in assets]),
        ]

    def _sunk(self, each: Sequence[float], t: int) -> float:
        return sum(a.owned[t] * x for a, x in zip(self.data.assets, each, strict=True))


@dataclass(frozen=True, slots=True)
class _Leg:
    """A term or purchase that is there on a day, and until when."""

    end: int
    cost: float
    least: int
    way: Way


@dataclass(slots=True)
class Bought:
    """What is rented, bought and used."""

    nodes: dict[Way, int] = field(default_factory=lambda: defaultdict(int))
    busy: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    free: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    cost: float = 0.0
    short: bool = False
    """Whether some slice could not be supplied."""


class Supplier:
    """Supplies nodes of one pool, all from one site if that matters."""

    def __init__(self, data: Instance, pool: int, site: str = "", *, long: bool = True) -> None:
        self.data = data
        self.per_day = len(data.slices) // len(data.period_days)
        self.n_days = len(data.period_days)
        ours = site != "own"
        self.hourly = [
            h
            for h, o in enumerate(data.hourly_offers)
            if o.pool == pool and ours and site in ("", o.site)
        ]
        self.owned = [
            a for a, x in enumerate(data.assets) if x.pool == pool and site in ("", "own")
        ]
        self.quotas = [q for q, x in enumerate(data.quotas) if x.pool == pool and not site]
        self.legs: list[list[_Leg]] = [[] for _ in range(self.n_days)]
        for o, offer in enumerate(data.term_offers):
            if offer.pool == pool and ours and site in ("", offer.site):
                self._add_terms(o, offer)
        for a in self.owned if long else ():
            self._add_holds(a, data.assets[a].holds)
        limited = {o for o, x in enumerate(data.term_offers) if x.stock < INF or x.least > 1}
        limited |= {o for lot in data.lots for o, _ in lot.terms}
        for t, legs in enumerate(self.legs):
            self.legs[t] = _undominated(legs, limited)

    def _add_terms(self, o: int, offer: TermOffer) -> None:
        """A term may begin on the very day it is first needed. One that begins on few days, such as
        one that is paid and runs already, also serves who needs it later, until it begins anew."""
        firsts = sorted({begin.cover[0][0] for begin in offer.starts if begin.cover})
        anew = dict(pairwise(firsts))
        for i, begin in enumerate(offer.starts):
            if begin.cover:
                first, end = begin.cover[0][0], begin.cover[-1][0] + 1
                leg = _Leg(end, begin.cost, offer.least, ("start", o, i))
                for t in range(first, min(end, anew.get(first, end))):
                    self.legs[t].append(leg)

    def _add_holds(self, a: int, holds: Sequence[Start]) -> None:
        """Purchases are made on few days: on each day, of each day of sale, the cheapest one.

        Of many days of sale only a few are looked at, the last among them.
        """
        by_end: dict[int, list[tuple[int, float, int]]] = defaultdict(list)
        for i, hold in enumerate(holds):
            if hold.cover:
                by_end[hold.cover[-1][0] + 1].append((hold.cover[0][0], hold.cost, i))
        ends = sorted(by_end, reverse=True)
        for end in ends[:: 1 + len(ends) // MOST_SALES]:
            leg: _Leg | None = None
            made = sorted(by_end[end])
            for n, (first, cost, i) in enumerate(made):
                if leg is None or cost < leg.cost:
                    leg = _Leg(end, cost, 1, ("hold", a, i))
                until = made[n + 1][0] if n + 1 < len(made) else end
                for t in range(first, until):
                    self.legs[t].append(leg)

    def supply(self, need: Sequence[int], stock: Stock) -> Bought:
        """[slice] nodes → what to rent and buy for them."""
        bought = Bought()
        left = list(need)
        for a in self.owned:
            self._use(a, [int(n) for n in self.data.assets[a].owned], left, bought, stock)
        for q in self.quotas:
            self._lend(q, left, bought, stock)
        while any(left):
            wanted = [s for s, n in enumerate(left) if n]
            level = min(left[s] for s in wanted)
            path = self._path(wanted, level, stock)
            if path is None:
                bought.short = True
                bought.cost = INF
                return bought
            fits = int(min([level, *(stock.most(way) for way in path)]))
            self._commit(path, fits, left, bought, stock)
        return bought

    def _use(
        self, a: int, levels: list[int], left: list[int], bought: Bought, stock: Stock
    ) -> None:
        asset = self.data.assets[a]
        for s, n in enumerate(left):
            spare = levels[s // self.per_day] - stock.taken["owned", a][s]
            used = min(n, int(spare))
            if used > 0:
                left[s] -= used
                stock.taken["owned", a][s] += used
                bought.busy[a, s] += used
                bought.cost += asset.busy[s] * used

    def _lend(self, q: int, left: list[int], bought: Bought, stock: Stock) -> None:
        quota = self.data.quotas[q]
        for s, n in enumerate(left):
            point = self.data.slices[s]
            month = self.data.month_of_period[point.period]
            hours = quota.hours_per_month - stock.taken["quota", q][month]
            nodes = quota.nodes[point.period] - stock.taken["lent", q][s]
            used = int(min(n, nodes, hours // point.hours))
            if used > 0:
                left[s] -= used
                stock.taken["quota", q][month] += used * point.hours
                stock.taken["lent", q][s] += used
                bought.free[q, s] += used

    def _path(self, wanted: Sequence[int], level: int, stock: Stock) -> list[Way] | None:
        """The cheapest ways to have one node on the wanted slices; None when there are none."""
        by_day: dict[int, list[int]] = defaultdict(list)
        for s in wanted:
            by_day[s // self.per_day].append(s)
        first, after = wanted[0] // self.per_day, wanted[-1] // self.per_day + 1
        used = self._busy_of(by_day, first, after)
        rest = {after: 0.0}
        chosen: dict[int, tuple[list[Way], int]] = {}
        for t in reversed(range(first, after)):
            if t not in by_day:
                rest[t] = rest[t + 1]
                continue
            best = INF
            if self.hourly and rest[t + 1] < INF:
                price, ways = self._by_hour(by_day[t], stock)
                if price + rest[t + 1] < best:
                    best = price + rest[t + 1]
                    chosen[t] = ways, t + 1
            for leg in self.legs[t]:
                end = min(leg.end, after)
                cost = leg.cost if leg.least <= level else leg.cost * leg.least / level
                cost += rest[end]
                kind, n, _ = leg.way
                if kind == "hold":
                    cost += used[n][end - first] - used[n][t - first]
                if cost < best - 1e-12 and stock.most(leg.way) >= max(1, leg.least):
                    best = cost
                    chosen[t] = [leg.way], end
            rest[t] = best
        if rest[first] == INF:
            return None
        path: list[Way] = []
        t = first
        while t < after:
            ways, t = chosen[t] if t in by_day else ([], t + 1)
            path += ways
        return path

    def _busy_of(
        self, by_day: dict[int, list[int]], first: int, after: int
    ) -> dict[int, list[float]]:
        """Asset → [days since `first`] cost of using one node on the wanted slices until then."""
        sums = {}
        for a in self.owned:
            busy = self.data.assets[a].busy
            each = [0.0]
            for t in range(first, after):
                each.append(each[-1] + sum(busy[s] for s in by_day.get(t, ())))
            sums[a] = each
        return sums

    def _by_hour(self, slices: Sequence[int], stock: Stock) -> tuple[float, list[Way]]:
        price = 0.0
        ways: list[Way] = []
        for s in slices:
            best, way = INF, None
            for h in self.hourly:
                offer = self.data.hourly_offers[h]
                if offer.cost[s] < best and stock.most(("hourly", h, s)) >= 1:
                    best, way = offer.cost[s], h
            if way is None:
                return INF, []
            price += best * self.data.slices[s].hours
            ways.append(("hourly", way, s))
        return price, ways

    def _commit(
        self, path: Sequence[Way], level: int, left: list[int], bought: Bought, stock: Stock
    ) -> None:
        for way in path:
            kind, n, i = way
            nodes = level
            if kind == "hourly":
                offer = self.data.hourly_offers[n]
                bought.cost += offer.cost[i] * self.data.slices[i].hours * nodes
                left[i] = max(0, left[i] - nodes)
            elif kind == "start":
                nodes = max(level, self.data.term_offers[n].least)
                begin = self.data.term_offers[n].starts[i]
                bought.cost += begin.cost * nodes
                for t, _ in begin.cover:
                    for s in range(t * self.per_day, (t + 1) * self.per_day):
                        left[s] = max(0, left[s] - nodes)
            else:
                hold = self.data.assets[n].holds[i]
                bought.cost += hold.cost * nodes
                there = [0] * self.n_days
                for t, _ in hold.cover:
                    there[t] = nodes
                self._use_bought(n, there, left, bought)
            bought.nodes[way] += nodes
            stock.take(way, nodes)

    def _use_bought(self, a: int, there: Sequence[int], left: list[int], bought: Bought) -> None:
        for s, n in enumerate(left):
            used = min(n, there[s // self.per_day])
            if used:
                left[s] -= used
                bought.busy[a, s] += used
                bought.cost += self.data.assets[a].busy[s] * used


def _undominated(legs: Sequence[_Leg], limited: set[int]) -> list[_Leg]:
    """Without those that end no later and cost no less than one whose stock has no end."""
    kept: list[_Leg] = []
    cheapest: dict[int, float] = {}
    for leg in sorted(legs, key=lambda x: (-x.end, x.cost, x.way)):
        kind, n, _ = leg.way
        if kind == "hold":
            # Purchases compare only with the same asset: using them has its own price.
            if leg.cost < cheapest.get(n, INF):
                cheapest[n] = leg.cost
                kept.append(leg)
        elif leg.cost < cheapest.get(-1, INF):
            kept.append(leg)
            if n not in limited:
                cheapest[-1] = leg.cost
    return kept
