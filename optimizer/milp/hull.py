"""Rows that cut a relaxation's nodes off from what whole nodes can do (Fenchel cuts).

In one slice the nodes that are there, beside those that jobs hold, must carry all services on whole
replicas. The relaxation is content with a mean of nodes that cannot. Any prices give a true row:
nodes cost at least the cheapest whole supply. Two kinds of prices make rows that cut something off:
those at which the relaxation is content (its duals, cheap to try), and those that tell its nodes
apart from every whole supply, if they are not in the convex hull of them (looked for).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from optimizer.milp.constraints.capacity import Active, gang_uses
from optimizer.milp.constraints.services import nodes_there
from optimizer.milp.cuts import MOST_NODES, MOST_S, pool_prices, supply_model
from optimizer.milp.instance import Instance, Service
from optimizer.milp.linear_model import LinearModel, Term
from optimizer.milp.solver import Raw, SolveOptions, run_solver
from optimizer.milp.variables import Variables

DIGITS = 4
"""Prices are rounded, which leaves their row as true: its right side is of the rounded ones."""
CLOSE = 1 - 1e-4
"""Share of the least cost below which nodes are cut off at the relaxation's own prices."""
APART = 1 - 1e-3
"""The same at prices looked for."""
SUPPLIES = 40
"""Most whole supplies looked for to tell one point apart."""
LEAN = 0.05
"""Of usual prices, added so that a supply has no nodes that cost nothing."""
Loads = tuple[float, ...]
Nodes = tuple[int, ...]
Prices = tuple[float, ...]
Row = tuple[Prices, float]
"""[pool] prices, and the least that whole nodes cost at them"""


@dataclass(frozen=True, slots=True)
class _Point:
    """What a relaxation has in a slice, beside its jobs."""

    s: int
    loads: Loads
    brings: Sequence[Sequence[Term]]
    """[pool] what brings nodes"""
    anyway: Sequence[float]
    """[pool] nodes that are there anyway"""
    there: Sequence[float]
    """[pool] nodes that are there"""


@dataclass(slots=True)
class Hull:
    """Whole supplies by load, and prices that tell a relaxation's nodes apart from all of them."""

    data: Instance
    workers: int = 1
    """Slices that are looked at side by side"""
    services: Sequence[Service] = field(init=False)
    pools: Sequence[int] = field(init=False)
    """Pools that services can use; prices and nodes are listed in their order."""
    usual: Sequence[Prices] = field(init=False)
    """Prices by the hour and on the cheapest terms, the dearest at 1."""
    supplies: dict[Loads, dict[Nodes, None]] = field(init=False)
    """Whole nodes that carry the loads"""
    cheapest: dict[tuple[Loads, Prices], tuple[float, Nodes | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.services = [service for service in self.data.services if not service.apis]
        self.pools = sorted({r.pool for service in self.services for r in service.replicas})
        self.supplies = defaultdict(dict)
        vectors = [[prices[p] for p in self.pools] for prices in pool_prices(self.data)]
        self.usual = [_scaled(vector) for vector in vectors]

    def add_rows(
        self,
        model: LinearModel,
        v: Variables,
        active: Active,
        raw: Raw,
        *,
        deep: bool,
        late: Callable[[], bool] = lambda: False,
    ) -> int:
        r"""Rows ``hull[s]`` that the solution of a linear relaxation breaks.

        $$\sum_p price_{p,s} \Bigl(nodes_{p,s} - \sum_{j,g} n_g\, run_{j,g,s}\Bigr) \ge
          W_s(load_{\cdot,s})$$

        W is the price of the cheapest whole supply. Jobs hold whole nodes, so what they leave is
        whole too. Source: Boyd, "Fenchel cutting planes for integer programs", Operations
        Research 42 (1994).

        Args:
            deep: look for prices where the relaxation's own make no row.
            late: whether to leave it at the rows found so far.

        Returns:
            How many rows were added.
        """
        if not self.services or raw.values is None:
            return 0
        duals = self._duals(model, raw.duals)
        points = list(self._points(v, active, raw.values))
        rows = self._rows(points, lambda point: self._at(duals[point.s], point), late)
        if deep and not rows:
            rows = self._rows(points, self._apart, late)
        for point, (prices, least) in rows:
            terms = [
                (c, price * x / least)
                for price, brings in zip(prices, point.brings, strict=True)
                for c, x in brings
            ]
            model.row(f"hull[{point.s}]", terms, lower=1 - _cost(prices, point.anyway) / least)
        return len(rows)

    def _points(self, v: Variables, active: Active, values: Sequence[float]) -> Iterator[_Point]:
        jobs: dict[int, dict[int, list[Term]]] = defaultdict(lambda: defaultdict(list))
        for j, g, s, (column, nodes) in gang_uses(v, self.data):
            jobs[s][self.data.jobs[j].gangs[g].pool].append((column, -nodes))
        for s in range(len(self.data.slices)):
            loads = tuple(service.load[s] for service in self.services)
            if any(loads):
                pairs = [self._nodes(v, active, s, p, jobs[s]) for p in self.pools]
                there = tuple(
                    round(n + sum(x * values[c] for c, x in brings), DIGITS) for brings, n in pairs
                )
                yield _Point(s, loads, [x for x, _ in pairs], [n for _, n in pairs], there)

    def _rows(
        self,
        points: Sequence[_Point],
        row_of: Callable[[_Point], Row | None],
        late: Callable[[], bool],
    ) -> list[tuple[_Point, Row]]:
        """Rows by slice. Points of the same loads share what is known; others are side by side."""
        alike: dict[Loads, list[_Point]] = defaultdict(list)
        for point in points:
            alike[point.loads].append(point)

        def look(group: Sequence[_Point]) -> list[tuple[_Point, Row]]:
            rows = ((point, row_of(point)) for point in group if not late())
            return [(point, row) for point, row in rows if row is not None]

        with ThreadPoolExecutor(self.workers) as threads:
            found = [pair for group in threads.map(look, alike.values()) for pair in group]
        return sorted(found, key=lambda pair: pair[0].s)

    def _nodes(
        self, v: Variables, active: Active, s: int, pool: int, jobs: Mapping[int, list[Term]]
    ) -> tuple[list[Term], float]:
        """What brings nodes of a pool beside the jobs, and how many are there anyway."""
        one = [float(p == pool) for p in range(len(self.data.pools))]
        terms, anyway = nodes_there(v, self.data, active, s, one)
        return [term for term in terms if term[1]] + jobs.get(pool, []), anyway

    def _duals(self, model: LinearModel, duals: Sequence[float]) -> dict[int, Prices]:
        """Slice → prices of nodes there, by the dual values of ``capacity[p,s]``."""
        found: dict[int, list[float]] = defaultdict(lambda: [0.0] * len(self.pools))
        index = {self.data.pools[pool]: n for n, pool in enumerate(self.pools)}
        for name, dual in zip(model.row_names, duals, strict=False):
            if name.startswith("capacity["):
                pool, s = name.removeprefix("capacity[").removesuffix("]").rsplit(",", 1)
                if pool in index:
                    found[int(s)][index[pool]] = abs(dual)
        return defaultdict(tuple, {s: _scaled(prices) for s, prices in found.items()})

    def _at(self, prices: Prices, point: _Point) -> Row | None:
        """The row at given prices, where it cuts the nodes off."""
        if not any(prices):
            return None
        least, _ = self._cheapest(point.loads, prices)
        cut_off = least > 0 and _cost(prices, point.there) < least * CLOSE
        return (prices, least) if cut_off else None

    def _apart(self, point: _Point) -> Row | None:
        """The row at prices that tell nodes apart from all whole supplies; None: there are none.

        Prices that tell them apart from the supplies known so far are tried on all of them: either
        they hold, or a supply that is cheaper is known from now on.
        """
        loads, there = point.loads, point.there
        supplies = self.supplies[loads]
        for prices in self.usual if not supplies else ():
            self._cheapest(loads, prices)
        for _ in range(SUPPLIES):
            telling = self._telling(list(supplies), there)
            if telling is None:
                return None
            known = len(supplies)
            for share in (LEAN, 0.0):
                prices = _scaled(
                    [p + share * u for p, u in zip(telling, self.usual[0], strict=True)]
                )
                least, _ = self._cheapest(loads, prices)
                if least > 0 and _cost(prices, there) < least * APART:
                    return prices, least
                if len(supplies) > known:
                    break
            else:
                return None
        return None

    def _cheapest(self, loads: Loads, prices: Prices) -> tuple[float, Nodes | None]:
        """A bound of the price of whole nodes that carry the loads, and such nodes."""
        key = (loads, prices)
        if key not in self.cheapest:
            by_pool = [0.0] * len(self.data.pools)
            for pool, price in zip(self.pools, prices, strict=True):
                by_pool[pool] = price
            model, _ = supply_model(self.services, loads, by_pool)
            options = SolveOptions(gap=1e-4, nodes=MOST_NODES, solver="GSCIP", threads=1)
            raw = run_solver(model, options, time.monotonic() + MOST_S)
            nodes = None
            if raw.values is not None:
                found = dict(zip(model.names, raw.values, strict=True))
                nodes = tuple(round(found.get(f"nodes[{p}]", 0.0)) for p in self.pools)
                self.supplies[loads][nodes] = None
            self.cheapest[key] = (raw.bound if nodes else 0.0, nodes)
        return self.cheapest[key]

    def _telling(self, supplies: Sequence[Nodes], there: Sequence[float]) -> Prices | None:
        """Prices at which the supplies cost more than the nodes there, by most; None: none."""
        model = LinearModel()
        for x in there:
            model.column("price", upper=1.0, cost=max(x, 1e-6))
        for supply in supplies:
            model.row("supply", list(enumerate(map(float, supply))), lower=1.0)
        raw = run_solver(model, SolveOptions(), time.monotonic() + MOST_S)
        return tuple(raw.values) if raw.values and raw.objective < APART else None


def _scaled(prices: Sequence[float]) -> Prices:
    """The dearest at 1."""
    most = max(prices, default=0.0)
    return tuple(round(x / most, DIGITS) for x in prices) if most > 0 else (0.0,) * len(prices)


def _cost(prices: Prices, nodes: Sequence[float]) -> float:
    return sum(p * n for p, n in zip(prices, nodes, strict=True))
