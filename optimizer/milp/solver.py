"""The door to OR-Tools: a linear model in, values and a proven bound out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from ortools.math_opt.solvers.highs_pb2 import HighsOptionsProto

from optimizer.milp.linear_model import INF, LinearModel


@dataclass(frozen=True, slots=True)
class SolveOptions:
    gap: float = 0.005
    """Relative gap at which to stop."""
    time_limit_s: float = 60.0
    solver: str = "HIGHS"
    """HIGHS, GSCIP or CP_SAT."""
    seed: int = 1
    threads: int = 0
    """Threads the solver may use; 0: as many as it likes. HiGHS keeps to the first number it is
    given for as long as the process lives."""


@dataclass(frozen=True, slots=True)
class Raw:
    """What a solver says of a linear model."""

    values: list[float] | None
    objective: float
    bound: float
    infeasible: bool


def run_solver(model: LinearModel, options: SolveOptions, deadline: float) -> Raw:
    """Hand a linear model to OR-Tools (MathOpt) in one piece."""
    proto = _to_proto(model)
    problem = mathopt.Model.from_model_proto(proto)
    parameters = mathopt.SolveParameters(
        relative_gap_tolerance=options.gap,
        absolute_gap_tolerance=1e-6,
        time_limit=timedelta(seconds=max(0.1, deadline - time.monotonic())),
        random_seed=options.seed,
    )
    if options.threads and options.solver == "HIGHS":
        # MathOpt's own parameter is refused for HiGHS; its option of that name is not.
        parameters.highs = HighsOptionsProto(int_options={"threads": options.threads})
    elif options.threads:
        parameters.threads = options.threads
    result = mathopt.solve(problem, mathopt.SolverType[options.solver], params=parameters)
    reason = mathopt.TerminationReason
    bound = result.termination.objective_bounds.dual_bound
    if result.termination.reason in (reason.INFEASIBLE, reason.INFEASIBLE_OR_UNBOUNDED):
        return Raw(None, INF, INF, infeasible=True)
    if not result.has_primal_feasible_solution():
        return Raw(None, INF, bound, infeasible=False)
    by_variable = result.variable_values()
    values = [by_variable[problem.get_variable(i)] for i in range(len(model.names))]
    objective = result.objective_value()
    return Raw(values, objective, min(bound, objective), infeasible=False)


def _to_proto(model: LinearModel) -> model_pb2.ModelProto:
    proto = model_pb2.ModelProto()
    columns = proto.variables
    columns.ids.extend(range(len(model.names)))
    columns.lower_bounds.extend(model.lower)
    columns.upper_bounds.extend(model.upper)
    columns.integers.extend(model.whole)
    costs = [(i, cost) for i, cost in enumerate(model.costs) if cost]
    proto.objective.linear_coefficients.ids.extend(i for i, _ in costs)
    proto.objective.linear_coefficients.values.extend(cost for _, cost in costs)
    proto.objective.offset = model.offset
    rows = proto.linear_constraints
    rows.ids.extend(range(len(model.row_names)))
    rows.lower_bounds.extend(model.row_lower)
    rows.upper_bounds.extend(model.row_upper)
    matrix = proto.linear_constraint_matrix
    for r, entries in enumerate(model.entries):
        for c in sorted(entries):
            matrix.row_ids.append(r)
            matrix.column_ids.append(c)
            matrix.coefficients.append(entries[c])
    return proto
