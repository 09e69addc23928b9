"""A linear program that is solved again and again, each time from where it stood.

GLOP's dual simplex keeps its basis while bounds change and rows are added: a branch of a large
model takes a tenth of the time of its first solve. A branch that is taken up later goes on from
where the one before it stood: from elsewhere it takes two or three times as long.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from ortools.math_opt.python import mathopt

from optimizer.milp.anytime import Watch
from optimizer.milp.linear_model import INF, LinearModel
from optimizer.milp.solver import Raw, SolveOptions, ended, raw_of, run_solver, to_proto, waited

Bounds = Mapping[int, tuple[float, float]]
"""Column → least and most"""
Stood = tuple[bytes, bytes]
"""Status of each column and row in a basis"""
STATUS = {status.value: status for status in mathopt.BasisStatus}


class LinearProgram:
    """A model without whole columns; rows that are added to it later count from then on."""

    def __init__(self, model: LinearModel, watch: Watch | None = None) -> None:
        self.model = model
        self.watch = watch
        self._problem = mathopt.Model.from_model_proto(to_proto(model))
        self._columns = list(self._problem.variables())
        self._rows = list(self._problem.linear_constraints())
        self._solver = mathopt.IncrementalSolver(self._problem, mathopt.SolverType.GLOP)
        self._tightened: set[int] = set()
        self.stood: Stood | None = None
        """Where the last solve ended."""

    def solve(
        self, deadline: float, bounds: Bounds | None = None, stood: Stood | None = None
    ) -> Raw:
        """The least cost with the columns between other bounds.

        Args:
            deadline: on the monotonic clock.
            stood: to go on from; None: from where the last solve ended.
        """
        if ended(self.watch):
            return Raw(None, INF, -INF, infeasible=False)
        moved = self._grow() or (stood is not None and stood is not self.stood)
        self.stood = stood or self.stood
        self._tighten(bounds or {})
        raw = waited(lambda: self._solve(deadline, bounds or {}, moved=moved), self.watch)
        return raw or Raw(None, INF, -INF, infeasible=False)

    def _solve(self, deadline: float, bounds: Bounds, *, moved: bool) -> Raw:
        def parameters(presolve: mathopt.Emphasis | None = None) -> mathopt.SolveParameters:
            return mathopt.SolveParameters(
                lp_algorithm=mathopt.LPAlgorithm.DUAL_SIMPLEX,
                presolve=presolve,
                time_limit=timedelta(seconds=max(0.1, deadline - time.monotonic())),
            )

        begin = mathopt.ModelSolveParameters()
        first_time = self.stood is None
        if first_time:
            # Presolve is worth it once; what stands then in its place can be gone on with.
            first = self._solver.solve(params=parameters())
            self._stand(first)
            if self.stood is None:
                return raw_of(first, self._columns, self._rows)
        if moved or first_time:
            begin.initial_basis = self._basis()
        result = self._solver.solve(params=parameters(mathopt.Emphasis.OFF), model_params=begin)
        self._stand(result)
        raw = raw_of(result, self._columns, self._rows)
        if raw.infeasible or result.termination.reason == mathopt.TerminationReason.OPTIMAL:
            return raw
        if time.monotonic() >= deadline:
            return Raw(None, INF, raw.bound, infeasible=False)
        # Rows of very unlike sizes can leave GLOP with an answer it calls imprecise.
        model = replace(self.model, lower=list(self.model.lower), upper=list(self.model.upper))
        for column, (least, most) in bounds.items():
            model.lower[column], model.upper[column] = least, most
        return run_solver(model, SolveOptions(), deadline)

    def _grow(self) -> bool:
        """Add the rows that the model has got since; whether there were any."""
        model, known = self.model, len(self._rows)
        for r in range(known, len(model.row_names)):
            row = self._problem.add_linear_constraint(lb=model.row_lower[r], ub=model.row_upper[r])
            for column, x in model.entries[r].items():
                row.set_coefficient(self._columns[column], x)
            self._rows.append(row)
        return len(self._rows) > known

    def _tighten(self, bounds: Bounds) -> None:
        for column in self._tightened - bounds.keys():
            self._columns[column].lower_bound = self.model.lower[column]
            self._columns[column].upper_bound = self.model.upper[column]
        for column, (least, most) in bounds.items():
            self._columns[column].lower_bound = least
            self._columns[column].upper_bound = most
        self._tightened = set(bounds)

    def _stand(self, result: mathopt.SolveResult) -> None:
        basis = result.solutions[0].basis if result.solutions else None
        if basis is not None:
            columns, rows = basis.variable_status, basis.constraint_status
            self.stood = (
                bytes(columns[column].value for column in self._columns),
                bytes(rows[row].value for row in self._rows),
            )

    def _basis(self) -> mathopt.Basis | None:
        """Where it stood; rows that came later do not bind yet."""
        if self.stood is None:
            return None
        columns, rows = self.stood
        later = bytes([mathopt.BasisStatus.BASIC.value]) * (len(self._rows) - len(rows))
        return mathopt.Basis(
            {c: STATUS[x] for c, x in zip(self._columns, columns, strict=True)},
            {r: STATUS[x] for r, x in zip(self._rows, rows + later, strict=True)},
        )
