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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from optimizer.milp.cuts import pool_prices
from optimizer.milp.linear_model import INF
from optimizer.milp.linear_program import LinearProgram, Stood
from optimizer.milp.relax import Relaxation
from optimizer.milp.solver import Raw, SolveOptions

WHOLE = 1e-6
"""How far from whole a level may be."""
TOGETHER = 2
"""Nodes that are solved side by side in one step"""
UP = 0.3
"""From this part on a level is first tried rounded up."""
ROOT_PRICINGS, LEAF_PRICINGS = 2, 8
"""Most linear programs in a row with more rows each time."""
PATIENCE = 12
"""After so many steps rows are looked for deeply at the best levels so far."""


@dataclass(frozen=True, slots=True)
class _Node:
    bound: float
    levels: dict[int, tuple[float, float]]
    stood: Stood | None = None
    """Where the program stood from which it leads on"""
    whole: bool = False
    """The levels of its relaxation came out whole."""


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
        self.program, *self._others = (
            LinearProgram(relaxed.loose(), options.watch) for _ in range(TOGETHER)
        )
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

    def run(self, until: float, enough: Callable[[], bool] = lambda: False) -> Iterator[Levelled]:
        """Relaxations with whole levels, each better than the last by more than the gap; the best.

        Looking for rows deeply takes long, so it waits until nothing else has a lower bound, or for
        some steps: its rows hold in all nodes.

        Args:
            until: when to end, on the monotonic clock.
            enough: whether the bounds told so far are.
        """
        given = looked = self._dive(until)
        if given is not None:
            yield given
        for n in count(1):
            if not self._open or self._late(until):
                break
            self._tell(self._open[0][0])
            if self._open[0][0] >= self._cutoff or enough():
                break
            if n >= PATIENCE and looked is not None:
                close = self._look_closely(looked, until)
                looked = None
                if close is not None:
                    yield close
            for found, children in self._step(until):
                for child in children:
                    self._keep(child)
                if found and not children:
                    self.best = min(self.best or found, found, key=lambda x: x.objective)
                elif found and (given is None or found.objective < self._less(given)):
                    given = looked = found
                    yield found
        self._tell(self._open[0][0] if self._open else INF)
        self.infeasible = self.best is None and not self._open and self._unsolved == INF
        if self.best is not None and (given is None or self.best.values != given.values):
            yield self.best

    def _step(self, until: float) -> list[tuple[Levelled | None, tuple[_Node, ...]]]:
        """The nodes with the least bounds, each in a program of its own, and what they lead to."""
        nodes: list[_Node] = []
        while self._open and len(nodes) < TOGETHER and self._open[0][0] < self._cutoff:
            nodes.append(heapq.heappop(self._open)[-1])
        programs = (self.program, *self._others)[: len(nodes)]

        def solved(program: LinearProgram, node: _Node) -> Raw:
            return program.solve(until, node.levels, node.stood)

        with ThreadPoolExecutor(min(self.options.threads or TOGETHER, TOGETHER)) as threads:
            raws = list(threads.map(solved, programs, nodes))
        return [
            self._children(node, program, *self._priced(node, program, raw, until))
            for program, node, raw in zip(programs, nodes, raws, strict=True)
        ]

    def _look_closely(self, found: Levelled, until: float) -> Levelled | None:
        """Add the rows that are broken where all levels are held as they were found.

        Returns:
            The relaxation there with these rows, if there are any.
        """
        held = {x: (round(found.values[x], 0),) * 2 for x in self.relaxed.levels}
        grown = False
        for _ in range(LEAF_PRICINGS):
            raw = self.program.solve(until, held)
            if not self.relaxed.price(raw, deep=True, late=lambda: self._late(until)):
                break
            grown = True
        return Levelled(raw.values, raw.objective) if grown and raw.values else None

    def _dive(self, until: float) -> Levelled | None:
        """Down to whole levels, each rounded; what is left aside on the way is kept."""
        node = _Node(-INF, {})
        while True:
            raw = self.program.solve(until, node.levels)
            raw, more = self._priced(node, self.program, raw, until)
            if not node.levels and not raw.infeasible:
                self._tell(raw.bound)
            found, children = self._children(node, self.program, raw, more)
            if not children:
                return None
            if found:
                self._keep(children[0])
                return found
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
        return self._less(self.best) if self.best else INF

    def _less(self, found: Levelled) -> float:
        return found.objective - self.options.gap * abs(found.objective)

    def _tell(self, bound: float) -> None:
        least = min(bound, self._least, self._unsolved)
        if least < INF:
            self.proved(least)

    def _keep(self, node: _Node) -> None:
        heapq.heappush(self._open, (node.bound, next(self._numbers), node))

    def _children(
        self, node: _Node, program: LinearProgram, raw: Raw, more: bool
    ) -> tuple[Levelled | None, tuple[_Node, ...]]:
        """The relaxation of a node where its levels are whole, and what is to be looked at next.

        That is two nodes, the one to look at first before the other; where levels are whole, the
        same node, more deeply, and nothing after that.
        """
        if raw.values is None:
            return None, ()
        level = self._most_open(raw.values)
        bound = max(node.bound, raw.bound)
        if level is None:
            same = _Node(bound, node.levels, program.stood, whole=True)
            return Levelled(raw.values, raw.objective), () if node.whole and not more else (same,)
        least, most = node.levels.get(level, (0.0, self.relaxed.model.upper[level]))
        below = math.floor(raw.values[level])
        down = _Node(bound, node.levels | {level: (least, float(below))}, program.stood)
        up = _Node(bound, node.levels | {level: (below + 1.0, most)}, program.stood)
        return None, (up, down) if raw.values[level] - below >= UP else (down, up)

    def _priced(
        self, node: _Node, program: LinearProgram, raw: Raw, until: float
    ) -> tuple[Raw, bool]:
        """The relaxation of a node, with rows added at the root and where its levels are whole.

        Returns:
            It, and whether there may be more rows to add.
        """
        more = False
        for _ in range(LEAF_PRICINGS if node.whole else 0 if node.levels else ROOT_PRICINGS):
            if raw.values is None or raw.bound >= self._cutoff or self._late(until):
                break
            if node.whole and self._most_open(raw.values) is not None:
                break
            more = self.relaxed.price(raw, deep=node.whole, late=lambda: self._late(until)) > 0
            if not more:
                break
            again = program.solve(until, node.levels)
            if again.values is None and not again.infeasible:
                break  # what was known of the node still holds
            raw = again
        if raw.values is None and not raw.infeasible:
            if self._late(until):
                self._keep(node)
            else:
                self._unsolved = min(self._unsolved, node.bound)
        return raw, more

    def _most_open(self, values: list[float]) -> int | None:
        """The level that is farthest from whole, dear nodes first; None: all are whole."""

        def distance(level: int) -> float:
            return abs(values[level] - round(values[level]))

        fractional = [level for level in self.relaxed.levels if distance(level) > WHOLE]
        return max(fractional, key=lambda x: (distance(x) * self._weight[x], -x), default=None)
