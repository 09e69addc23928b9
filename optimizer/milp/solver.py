"""The door to OR-Tools: a linear model in, values and a proven bound out."""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt
from ortools.math_opt.solvers.highs_pb2 import HighsOptionsProto

from optimizer.milp.anytime import Stopped, Watch
from optimizer.milp.highs import HighsFiles, column_name, figures
from optimizer.milp.linear_model import INF, LinearModel

POLL_S = 0.02
"""How often a watched run looks whether it should stop."""


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
    nodes: int = 0
    """Most nodes of the search tree, a limit that does not hang on the clock; 0: none."""
    money_gap: float = 1e-6
    """Absolute gap at which to stop."""
    watch: Watch | None = field(default=None, compare=False)
    """Hears what is known on the way, and may end the search early."""

    @property
    def stopped(self) -> bool:
        return self.watch is not None and self.watch.stopped

    def for_questions(self) -> SolveOptions:
        """For searches of which only the end is of use: one that is stopped raises `Stopped`."""
        return replace(self, watch=self.watch.for_questions()) if self.watch else self


@dataclass(frozen=True, slots=True)
class Raw:
    """What a solver says of a linear model."""

    values: list[float] | None
    objective: float
    bound: float
    infeasible: bool
    duals: Sequence[float] = ()
    """[row] dual values, of a model without whole columns"""


def run_solver(
    model: LinearModel,
    options: SolveOptions,
    deadline: float,
    *,
    start: Sequence[float] | None = None,
    counts: tuple[bool, bool] = (False, False),
) -> Raw:
    """Hand a linear model to OR-Tools (MathOpt) in one piece.

    A run that is watched ends soon after its watch is stopped, with the best it had; the solver's
    own thread then goes on until its time limit or the end of the process.

    Args:
        start: a value for each column to start from (HiGHS; others find their own).
        counts: whether a solution of this model is a plan, and whether its bound holds for all
            plans: only such figures are told to the watch.
    """
    if ended(options.watch):
        return Raw(None, INF, -INF, infeasible=False)
    problem = mathopt.Model.from_model_proto(to_proto(model, named=start is not None))
    parameters = mathopt.SolveParameters(
        relative_gap_tolerance=options.gap,
        absolute_gap_tolerance=options.money_gap,
        time_limit=timedelta(seconds=max(0.1, deadline - time.monotonic())),
        random_seed=options.seed,
    )
    run = _Run(problem, mathopt.SolverType[options.solver], parameters)
    if options.solver != "HIGHS":
        if options.threads:
            parameters.threads = options.threads
        if options.nodes:
            parameters.node_limit = options.nodes
        return _watched(run, options.watch, counts) if options.watch else run.answer()
    parameters.highs = HighsOptionsProto()
    if options.threads:
        # MathOpt's own parameter is refused for HiGHS; its option of that name is not.
        parameters.highs.int_options["threads"] = options.threads
    if options.nodes:
        parameters.highs.int_options["mip_max_nodes"] = options.nodes
    if options.watch is None and start is None:
        return run.answer()
    with tempfile.TemporaryDirectory(prefix="rentopt-", ignore_cleanup_errors=True) as folder:
        files = HighsFiles(Path(folder))
        if start is not None:
            files.write_start(parameters.highs, start)
        if options.watch is None:
            return run.answer()
        files.keep_better(parameters.highs)
        return _watched(run, options.watch, counts, files)


@dataclass(frozen=True, slots=True)
class _Run:
    """What MathOpt is asked."""

    problem: mathopt.Model
    solver: mathopt.SolverType
    parameters: mathopt.SolveParameters

    def answer(self, heard: Callable[[Sequence[str]], None] | None = None) -> Raw:
        """Solve, in this thread; the solver's log goes to `heard`."""
        result = mathopt.solve(self.problem, self.solver, params=self.parameters, msg_cb=heard)
        rows = list(self.problem.linear_constraints())
        return raw_of(result, list(self.problem.variables()), rows)


def raw_of(
    result: mathopt.SolveResult,
    columns: Sequence[mathopt.Variable],
    rows: Sequence[mathopt.LinearConstraint],
) -> Raw:
    """An answer of MathOpt, by the numbers of columns and rows."""
    reason = mathopt.TerminationReason
    bound = result.termination.objective_bounds.dual_bound
    if result.termination.reason in (reason.INFEASIBLE, reason.INFEASIBLE_OR_UNBOUNDED):
        return Raw(None, INF, INF, infeasible=True)
    if not result.has_primal_feasible_solution():
        return Raw(None, INF, bound, infeasible=False)
    by_variable = result.variable_values()
    values = [by_variable[x] for x in columns]
    objective = result.objective_value()
    duals: list[float] = []
    if result.has_dual_feasible_solution():
        by_row = result.dual_values()
        duals = [by_row[row] for row in rows]
    return Raw(values, objective, min(bound, objective), infeasible=False, duals=duals)


T = TypeVar("T")


def waited(work: Callable[[], T], watch: Watch | None) -> T | None:
    """What the work gives, done in a thread of its own; None when its watch is stopped first.

    Raises:
        Stopped: it was stopped, and part answers are worth nothing to it.
    """
    if watch is None:
        return work()
    outcome: Future[T] = Future()

    def done() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised again in the thread that waits
            outcome.set_exception(error)

    threading.Thread(target=done, name="solver", daemon=True).start()
    while not ended(watch):
        with contextlib.suppress(TimeoutError):
            return outcome.result(timeout=POLL_S)
    return None


def ended(watch: Watch | None) -> bool:
    """Whether a watch was stopped.

    Raises:
        Stopped: it was, and part answers are worth nothing to it.
    """
    if watch is None or not watch.stopped:
        return False
    if watch.all_or_nothing:
        raise Stopped
    return True


def _watched(
    run: _Run, watch: Watch, counts: tuple[bool, bool], files: HighsFiles | None = None
) -> Raw:
    """The answer of a run in a thread of its own, or what it had when the watch was stopped."""
    last = [INF, -INF]

    def heard(lines: Sequence[str]) -> None:
        for found in filter(None, map(figures, lines)):
            last[:] = found
            is_plan, is_bound = counts
            watch.saw(found[0] if is_plan else INF, found[1] if is_bound else -INF)

    answer = waited(lambda: run.answer(heard if files else None), watch)
    if answer is not None:
        return answer
    found = files.best(run.problem.get_num_variables()) if files else None
    if found is None:
        return Raw(None, INF, last[1], infeasible=False)
    objective, values = found
    return Raw(values, objective, min(last[1], objective), infeasible=False)


def to_proto(model: LinearModel, *, named: bool = False) -> model_pb2.ModelProto:
    proto = model_pb2.ModelProto()
    columns = proto.variables
    columns.ids.extend(range(len(model.names)))
    columns.lower_bounds.extend(model.lower)
    columns.upper_bounds.extend(model.upper)
    columns.integers.extend(model.whole)
    if named:
        columns.names.extend(column_name(i) for i in range(len(model.names)))
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
