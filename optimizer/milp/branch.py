"""Branch and bound over whole levels: which of them is cheapest, and what nothing costs less than.

Only levels are branched on (`levels`), and each branch is a linear program solved from where the
last one stood, so that thousands of columns are no hindrance. Where all levels are whole, rows for
what whole nodes can do (`hull`) are added until none is broken; they hold everywhere else too.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from optimizer.milp.cuts import pool_prices
from optimizer.milp.linear_model import INF
from optimizer.milp.linear_program import LinearProgram
from optimizer.milp.relax import Relaxation
from optimizer.milp.solver import Raw, SolveOptions

WHOLE = 1e-6
"""How far from whole a level may be."""
UP = 0.3
"""From this part on a level is first tried rounded up."""
ROOT_PRICINGS, LEAF_PRICINGS = 2, 8
"""Most linear programs in a row with more rows each time."""


@dataclass(frozen=True, slots=True)
class _Node:
    bound: float
    levels: dict[int, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Levelled:
    """A relaxation in which all levels are whole."""

    values: list[float]
    objective: float


class LevelSearch:
    """Relaxations in which all levels are whole, and a bound that grows."""

    def __init__(
        self, relaxed: Relaxation, options: SolveOptions, proved: Callable[[float], None]
    ) -> None:
        """
        Args:
            proved: hears every better bound of the daily model.
        """
        self.relaxed = relaxed
        self.options = options
        self.proved = proved
        self.program = LinearProgram(relaxed.loose(), options.watch)
        self.best: Levelled | None = None
        self.infeasible = False
        self._unsolved = INF
        """Least bound of nodes whose program was given up."""
        self._open: list[tuple[float, int, _Node]] = []
        self._numbers = count()
        prices = pool_prices(relaxed.merged.instance)[1]
        self._weight = {
            level: prices[pool] for level, pool in zip(relaxed.levels, relaxed.pools, strict=True)
        }

    def run(self, until: float) -> Iterator[Levelled]:
        """A first relaxation with whole levels, soon; the best one at the end.

        Args:
            until: when to end, on the monotonic clock.
        """
        first = self._dive(until)
        if first is not None:
            yield first
        while self._open and not self._late(until):
            self._tell(self._open[0][0])
            if self._open[0][0] >= self._cutoff:
                break
            node = heapq.heappop(self._open)[-1]
            raw = self._solved(node, until, deep=True)
            children = self._children(node, raw)
            if not children and raw.values is not None and raw.objective < self._least:
                self.best = Levelled(raw.values, raw.objective)
            for child in children:
                self._keep(child)
        self._tell(self._open[0][0] if self._open else INF)
        self.infeasible = self.best is None and not self._open and self._unsolved == INF
        if self.best is not None and (first is None or self.best.values != first.values):
            yield self.best

    def _dive(self, until: float) -> Levelled | None:
        """Down to whole levels, each rounded; what is left aside on the way is kept."""
        node = _Node(-INF, {})
        while True:
            raw = self._solved(node, until, deep=False)
            if not node.levels and not raw.infeasible:
                self._tell(raw.bound)
            if raw.values is None:
                return None
            children = self._children(node, raw)
            if not children:
                self._keep(_Node(raw.bound, node.levels))
                return Levelled(raw.values, raw.objective)
            node, other = children
            self._keep(other)

    def _late(self, until: float) -> bool:
        return self.options.stopped or time.monotonic() > until

    @property
    def _least(self) -> float:
        return INF if self.best is None else self.best.objective

    @property
    def _cutoff(self) -> float:
        """Nothing that costs as much is better by more than the gap."""
        return self._least - self.options.gap * abs(self._least) if self.best else INF

    def _tell(self, bound: float) -> None:
        least = min(bound, self._least, self._unsolved)
        if least < INF:
            self.proved(least)

    def _keep(self, node: _Node) -> None:
        heapq.heappush(self._open, (node.bound, next(self._numbers), node))

    def _children(self, node: _Node, raw: Raw) -> tuple[_Node, ...]:
        """Two nodes, the one to look at first before the other; none where levels are whole."""
        if raw.values is None:
            return ()
        level = self._most_open(raw.values)
        bound = max(node.bound, raw.bound)
        if level is None:
            return ()
        least, most = node.levels.get(level, (0.0, self.relaxed.model.upper[level]))
        below = math.floor(raw.values[level])
        down = _Node(bound, node.levels | {level: (least, float(below))})
        up = _Node(bound, node.levels | {level: (below + 1.0, most)})
        return (up, down) if raw.values[level] - below >= UP else (down, up)

    def _solved(self, node: _Node, until: float, *, deep: bool) -> Raw:
        """The relaxation of a node, with rows added at the root and where its levels are whole.

        Args:
            deep: look for prices at which rows are broken (`Hull.add_rows`).
        """
        raw = self.program.solve(until, node.levels)
        for n in range(LEAF_PRICINGS):
            if raw.values is None or raw.bound >= self._cutoff or self._late(until):
                break
            leaf = self._most_open(raw.values) is None
            if not leaf and (node.levels or n >= ROOT_PRICINGS):
                break
            if not self.relaxed.price(raw, deep=leaf and deep):
                break
            again = self.program.solve(until, node.levels)
            if again.values is None and not again.infeasible:
                break  # what was known of the node still holds
            raw = again
        if raw.values is None and not raw.infeasible:
            if self._late(until):
                self._keep(node)
            else:
                self._unsolved = min(self._unsolved, node.bound)
        return raw

    def _most_open(self, values: list[float]) -> int | None:
        """The level that is farthest from whole, dear nodes first; None: all are whole."""

        def distance(level: int) -> float:
            return abs(values[level] - round(values[level]))

        fractional = [level for level in self.relaxed.levels if distance(level) > WHOLE]
        return max(fractional, key=lambda x: (distance(x) * self._weight[x], -x), default=None)
