"""All break-even rows of a plan, within a time that is given."""

from __future__ import annotations

import time

from optimizer.breakeven.pairs import pair_rows
from optimizer.breakeven.rows import Row, row
from optimizer.breakeven.whole import QUANTITIES, whole_rows
from optimizer.formulate import Formulation
from optimizer.milp.instance import Solution
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem

SMALL_COLUMNS = 2500
"""Whole-plan points are worth a try within a plan's own time up to so many columns."""


def breakeven_rows(
    problem: Problem,
    made: Formulation,
    solution: Solution,
    options: SolveOptions,
    *,
    budget_s: float,
) -> list[Row]:
    """Rows for a plan: every pair, and the whole plan where the time is likely to do.

    Args:
        made, solution: the plan, whose use of the hardware the pairs are held against.
        budget_s: wall time for the whole-plan points; 0 leaves them out.
    """
    began = time.monotonic()
    rows = pair_rows(problem, made, solution)
    if not problem.purchases:
        return rows
    if budget_s > 0 and columns(made) <= SMALL_COLUMNS:
        rows += whole_rows(problem, options, began + budget_s)
        return rows
    words = "run `rentopt breakeven` for the exact points of the whole plan"
    rows += [
        row(
            "whole", "the plan", quantity, "", words, proven=False, answer="open",
            against="buying nothing",
        )
        for quantity in QUANTITIES[:1]
    ]  # fmt: skip
    return rows


def columns(made: Formulation) -> int:
    """About how many columns the daily model has."""
    data = made.instance
    starts = sum(len(o.starts) for o in data.term_offers) + sum(len(a.holds) for a in data.assets)
    wide = sum(len(s.replicas) + len(s.apis) for s in data.services)
    wide += len(data.hourly_offers) + len(data.assets) + sum(len(j.gangs) for j in data.jobs)
    return starts + wide * len(data.slices)
