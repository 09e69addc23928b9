"""What a change of the schedule does to the least cost, narrowed down from both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from optimizer.explain.as_it_is import as_it_is, with_commitments
from optimizer.formulate import Formulation
from optimizer.milp.instance import INF
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem
from optimizer.solved import Solved, solve_made

NARROW = 0.0005
"""Share of the cost that is not worth another solve."""


@dataclass(slots=True)
class Changed:
    """A schedule with one change, and by how much its least cost differs, as far as is known."""

    base: Solved
    """The plan without the change, with the bound of all plans."""
    dearer: bool
    """More work never costs less; else a limit is eased, which never costs more."""
    least: float = -INF
    """Proven."""
    most: float = INF
    """Proven."""
    extra: float = INF
    """Of the best plan found; INF: none was."""
    impossible: bool = False
    asked: bool = False
    """Whether anything was optimised again."""

    def __post_init__(self) -> None:
        if self.dearer:
            self.least = 0.0
        else:  # the plan is still one
            self.most = self.extra = 0.0

    @property
    def narrow(self) -> bool:
        """Optimising again would hardly tell more."""
        width = self.most - self.least
        return self.impossible or width <= NARROW * abs(self.base.solution.objective)

    def costs_at_least(self, cost: float) -> None:
        """No plan with the change costs less."""
        self.least = max(self.least, cost - self.base.solution.objective)

    def keep_all(self, made: Formulation) -> None:
        """The plan as it is, where it will do."""
        cost = as_it_is(self.base.made.instance, made.instance, self.base.solution)
        if cost is not None:
            self._found(cost)

    def keep_commitments(self, problem: Problem, made: Formulation, options: SolveOptions) -> None:
        """The best plan with the long terms and purchases of the plan: soon found, mostly good."""
        few = with_commitments(self.base.made.instance, made.instance, self.base.solution)
        found = solve_made(problem, replace(made, instance=few), options)
        self.asked = True
        if isinstance(found, Solved):
            self._found(found.solution.objective)

    def optimise(self, problem: Problem, made: Formulation, options: SolveOptions) -> None:
        """The best plan of all."""
        found = solve_made(problem, made, options)
        self.asked = True
        if isinstance(found, Solved):
            self._found(found.solution.objective)
            self.costs_at_least(found.solution.bound)
        elif found.infeasible:
            self.impossible = True
        else:
            self.costs_at_least(found.bound)

    def _found(self, cost: float) -> None:
        self.extra = min(self.extra, cost - self.base.solution.objective)
        self.most = min(self.most, cost - self.base.solution.bound)
