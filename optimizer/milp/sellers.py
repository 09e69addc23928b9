"""Few sellers: which ones, by branch and bound over them; with them given, the usual search.

That a seller is asked is one 0-or-1 column, and M times that bounds what is rented there. In the
relaxation a small part of it buys all that is wanted, so the model as it is proves little. Here
each branch says of sellers that they are in or out. Out means without their offers, which moves
the relaxation of the merged days far more; and once no more are left than may be asked, nothing
has to be counted.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, count, islice

from optimizer.milp.anytime import Known, Watch
from optimizer.milp.assemble import assemble
from optimizer.milp.encode import TINY
from optimizer.milp.fewer import only_sellers
from optimizer.milp.first import first_plan
from optimizer.milp.instance import INF, Choice, Instance, Solution
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.merge import merge_days
from optimizer.milp.solve import PERIOD_DAYS, NoSolution, SolveOptions, solve
from optimizer.milp.solver import run_solver
from optimizer.milp.variables import Variables

TRIES = 10
"""Sets of sellers with which a first plan is looked for."""
LEAF_SHARE = 0.6
"""Most of the time left that goes to one set of sellers."""


def solve_any(data: Instance, options: SolveOptions) -> Solution | NoSolution:
    """The cheapest plan of an exact instance, whether or not its sellers are counted."""
    sellers = [x for x, choice in enumerate(data.choices) if choice.counted]
    if data.limits.sellers >= len(sellers):
        return solve(only_sellers(data, sellers).instance if sellers else data, options)
    return _Search(data, options).run()


@dataclass(frozen=True, slots=True)
class _Node:
    """Sellers that are in, sellers that are out, and what no plan of that kind costs less than."""

    bound: float
    within: frozenset[int]
    out: frozenset[int]
    used: tuple[int, ...]
    """Sellers that the relaxation uses, those it pays most first."""


class _Leaf(Watch):
    """Passes on plans, which are plans of all; not bounds, which are those of a part."""

    def __init__(self, outer: Watch) -> None:
        def told(known: Known) -> None:
            outer.saw(objective=known.objective)

        super().__init__(told, all_or_nothing=outer.all_or_nothing)
        self.outer = outer

    @property
    def stopped(self) -> bool:
        return self.outer.stopped


class _Search:
    """The best plan and the branches that are left."""

    def __init__(self, data: Instance, options: SolveOptions) -> None:
        self.data = data
        self.options = options
        self.deadline = time.monotonic() + options.time_limit_s
        self.most = int(data.limits.sellers)
        self.sellers = frozenset(x for x, choice in enumerate(data.choices) if choice.counted)
        self.best: Solution | None = None
        self.closed: dict[frozenset[int], float] = {}
        """As many sellers as may be asked → proven: no plan with some of them costs less."""
        self.open: list[tuple[float, int, int, _Node]] = []
        """By bound; among equals those that are nearest to a set of sellers first."""
        self.numbers = count()

    def run(self) -> Solution | NoSolution:
        if self.options.watch:
            self.options.watch.begin()
        self._first()
        self.relaxation = _Relaxation(self.data, self.options, self.deadline)
        root = self._node(_Node(-INF, frozenset(), frozenset(), ()))
        self._push(root)
        if self.options.watch and root.bound < INF:
            self.options.watch.saw(bound=root.bound)
        if root.bound < self._enough:
            # The sellers that the relaxation pays most are as good a guess as there is.
            others = sorted(self.sellers - set(root.used))
            self._solved(frozenset([*root.used, *others][: self.most]), root.bound)
        while self.open and self.open[0][0] < self._enough and not self._late:
            node = heapq.heappop(self.open)[-1]
            left = self.sellers - node.out
            if len(left) <= self.most:
                self._solved(left, node.bound)
            elif len(node.within) == self.most:
                self._push(self._node(replace(node, out=self.sellers - node.within)))
            else:
                turned = next((x for x in node.used if x not in node.within), None)
                if turned is None:
                    turned = min(left - node.within)
                self._push(replace(node, within=node.within | {turned}))
                self._push(self._node(replace(node, out=node.out | {turned})))
        bound = min([*self.closed.values(), *(entry[0] for entry in self.open)])
        if self.best is None:
            return NoSolution(bound == INF, bound)
        return replace(self.best, bound=min(bound, self.best.objective))

    def _first(self) -> None:
        """A plan at once, with the first sellers that one is found with; those first who sell
        most."""

        def things(x: int) -> int:
            choice = self.data.choices[x]
            return len(choice.terms) + len(choice.hourly) + len(choice.apis)

        ranked = sorted(self.sellers, key=lambda x: (-things(x), x))
        for within in islice(combinations(ranked, self.most), TRIES):
            if self.best is not None or self._late:
                return
            fewer = only_sellers(self.data, within)
            found = first_plan(fewer.instance)
            if found is not None:
                self._found(fewer.widened(found))

    @property
    def _enough(self) -> float:
        """A branch that nothing costs less in has nothing better by more than the gap."""
        if self.best is None:
            return INF
        return self.best.objective - self.options.gap * abs(self.best.objective)

    @property
    def _late(self) -> bool:
        return self.options.stopped or time.monotonic() >= self.deadline

    def _found(self, found: Solution | None) -> None:
        if found is not None and (self.best is None or found.objective < self.best.objective):
            self.best = found
            if self.options.watch:
                self.options.watch.saw(objective=found.objective)

    def _push(self, node: _Node) -> None:
        decided = len(node.within) + len(node.out)
        heapq.heappush(self.open, (node.bound, -decided, next(self.numbers), node))

    def _node(self, node: _Node) -> _Node:
        """With the bound and the sellers of its relaxation; that of its parent where it holds."""
        if node.bound > -INF and not node.out & set(node.used):
            return node
        bound, used = self.relaxation.without(node.out)
        return replace(node, bound=max(node.bound, bound), used=used)

    def _solved(self, within: frozenset[int], least: float) -> None:
        """The best plan with these sellers, and what it proves."""
        if within in self.closed:
            return
        self.closed[within] = least
        left = self.deadline - time.monotonic()
        if least == INF or self._late:
            return
        watch = _Leaf(self.options.watch) if self.options.watch else None
        share = replace(self.options, time_limit_s=left * LEAF_SHARE, watch=watch)
        fewer = only_sellers(self.data, within)
        found = solve(fewer.instance, share)
        if isinstance(found, Solution):
            self._found(fewer.widened(found))
        elif found.infeasible:
            self.closed[within] = INF
            return
        self.closed[within] = max(least, found.bound)


class _Relaxation:
    """The linear relaxation of the merged days, in which sellers are left out but not counted."""

    def __init__(self, data: Instance, options: SolveOptions, deadline: float) -> None:
        fewer = only_sellers(data, {x for x, c in enumerate(data.choices) if c.counted})
        here = merge_days(fewer.instance, PERIOD_DAYS).instance
        self.model, v = assemble(here)
        self.model.whole = [False] * len(self.model.whole)
        self.columns = {
            x: list(_columns(here, v, choice))
            for x, choice in enumerate(data.choices)
            if choice.counted
        }
        self.options = replace(options, nodes=0)
        self.deadline = deadline

    def without(self, out: frozenset[int]) -> tuple[float, tuple[int, ...]]:
        """A bound of all plans without these sellers, and whom it pays, the most first."""
        upper = list(self.model.upper)
        for x in out:
            for column in self.columns[x]:
                upper[column] = 0.0
        model: LinearModel = replace(self.model, upper=upper)
        raw = run_solver(model, self.options, self.deadline)
        if raw.infeasible:
            return INF, ()
        if raw.values is None:
            return raw.bound, ()
        paid = {
            x: sum(self.model.costs[c] * raw.values[c] for c in columns)
            for x, columns in self.columns.items()
            if any(raw.values[c] > TINY for c in columns)
        }
        return raw.bound, tuple(sorted(paid, key=lambda x: (-paid[x], x)))


def _columns(data: Instance, v: Variables, choice: Choice) -> Iterator[int]:
    """All that is a seller's."""

    def by_hour(j: int, g: int) -> bool:
        return data.jobs[j].gangs[g].hourly in choice.hourly

    yield from (c for (o, _), c in v.start.items() if o in choice.terms)
    yield from (c for (h, _), c in v.hourly.items() if h in choice.hourly)
    yield from (c for (i, a, _), c in v.api.items() if (i, a) in choice.apis)
    yield from (c for (j, g, _), c in v.hours.items() if by_hour(j, g))
    yield from (c for c, run in v.whole_run.items() if by_hour(run.job, run.gang))
