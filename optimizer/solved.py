"""A problem with its numbers and their solution."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from optimizer.extract import Extract, extract
from optimizer.formulate import Formulation, formulate
from optimizer.milp.instance import Solution
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.problem import Problem, PurchaseOption


@dataclass(frozen=True, slots=True)
class Solved:
    """A problem with its numbers and their solution."""

    problem: Problem
    made: Formulation
    solution: Solution

    @property
    def nodes_bought(self) -> int:
        """Without those that were bought before today."""
        options = self.made.assets
        open_ = {
            a for a, x in enumerate(options) if isinstance(x, PurchaseOption) and x.paid is None
        }
        return sum(nodes for (a, _), nodes in self.solution.hold.items() if a in open_)

    @property
    def parts(self) -> Extract:
        return extract(self.problem, self.made, self.solution)

    def value(self, parts: Extract) -> tuple[Decimal, Decimal]:
        """Exact total and present value of the bill."""
        total = sum((flow.amount for _, flow in parts.bill), Decimal(0))
        return total, self.problem.costs.present_value(flow for _, flow in parts.bill)


def solve_problem(problem: Problem, options: SolveOptions) -> Solved | NoSolution:
    return solve_made(problem, formulate(problem), options)


def solve_made(problem: Problem, made: Formulation, options: SolveOptions) -> Solved | NoSolution:
    """As `solve_problem`, for numbers that were changed after they were made."""
    found = solve_any(made.instance, options)
    return found if isinstance(found, NoSolution) else Solved(problem, made, found)
