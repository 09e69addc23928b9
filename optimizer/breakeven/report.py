"""All break-even rows of a plan, within a time that is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress

from optimizer.breakeven.ladder import ladder_rows
from optimizer.breakeven.pairs import pair_rows
from optimizer.breakeven.regime import regime_rows
from optimizer.breakeven.rows import Row, row
from optimizer.breakeven.whole import QUANTITIES, whole_rows
from optimizer.formulate import Formulation
from optimizer.milp.anytime import Stopped
from optimizer.milp.instance import Solution
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem

SMALL_COLUMNS = 150
"""Up to so many columns the whole-plan points take a moment, well within a plan's own time; a plan
must not depend on how fast the computer is."""


def breakeven_rows(
    problem: Problem,
    made: Formulation,
    solution: Solution,
    options: SolveOptions,
    *,
    budget_s: float,
) -> list[Row]:
    """Rows for a plan: the main ones of every pair, and of the whole plan where time will do.

    Args:
        made, solution: the plan, whose use of the hardware the pairs are held against.
        budget_s: wall time for the whole-plan points; 0 leaves them out.
    """
    began = time.monotonic()
    rows = headlines(pair_rows(problem, made, solution))
    if not problem.purchases:
        return rows
    if budget_s > 0 and columns(made) <= SMALL_COLUMNS:
        whole = whole_rows(problem, options, began + budget_s)
        if all(found["answer"] != "open" for found in whole):
            return rows + whole
    words = "run `rentopt breakeven` for the exact points of the whole plan"
    return [
        *rows,
        row(
            "whole", "the plan", "rental price", "x all rental prices", words, now=1.0,
            proven=False, answer="open", against="buying nothing",
        ),
    ]  # fmt: skip


HEADLINES = ("utilisation", "rental price", "purchase price", "payback with resale",
             "electricity price", "residual value", "discount rate")  # fmt: skip


def headlines(rows: list[Row]) -> list[Row]:
    """Of each purchase against its first rental: one row a quantity, the economic view."""
    kept: dict[tuple[str, str], Row] = {}
    first: dict[str, str] = {}
    for found in rows:
        subject, quantity = found["subject"], found["quantity"]
        if quantity not in HEADLINES or found["against"] != first.setdefault(
            subject, found["against"]
        ):
            continue
        known = kept.get((subject, quantity))
        if known is None or (known["basis"], known["unit"]) == ("accounting", found["unit"]):
            kept[subject, quantity] = found
    return list(kept.values())


def columns(made: Formulation) -> int:
    """About how many columns the daily model has."""
    data = made.instance
    starts = sum(len(o.starts) for o in data.term_offers) + sum(len(a.holds) for a in data.assets)
    wide = sum(len(s.replicas) + len(s.apis) for s in data.services)
    wide += len(data.hourly_offers) + len(data.assets) + sum(len(j.gangs) for j in data.jobs)
    return starts + wide * len(data.slices)


def study(
    problem: Problem,
    made: Formulation,
    solution: Solution,
    options: SolveOptions,
    *,
    quantities: Collection[str] = (),
    with_ladder: bool = True,
    with_regime: bool = False,
    time_limit_s: float = 60.0,
    progress: Callable[[str], None] = lambda step: None,
) -> list[Row]:
    """All rows there are: every pair, the whole plan, the ladders, the regime map if asked.

    Of a part that is stopped half-way (`SolveOptions.watch`) there are none.

    Args:
        quantities: only these, by the name in the rows; all when empty.
        time_limit_s: wall time for what is solved exactly, shared by its parts.
    """
    deadline = time.monotonic() + time_limit_s
    wanted = tuple(quantities)
    rows = [r for r in pair_rows(problem, made, solution) if _asked(r["quantity"], wanted)]
    steps: list[tuple[str, Callable[[float], list[Row]]]] = []
    whole = tuple(q for q in QUANTITIES if _asked(q, wanted))
    if whole:
        steps.append(("the whole plan", lambda until: whole_rows(problem, options, until, whole)))
    if with_ladder:
        steps.append(("the ladder", lambda until: ladder_rows(problem, options, until)))
    if with_regime:
        steps.append(("the regime map", lambda until: regime_rows(problem, options, until)))
    for number, (words, work) in enumerate(steps if problem.purchases else []):
        if options.stopped:
            break
        progress(f"break-even points: {words}")
        now = time.monotonic()
        with suppress(Stopped):
            rows += work(now + max(0.0, deadline - now) / (len(steps) - number))
    return rows


def _asked(quantity: str, wanted: tuple[str, ...]) -> bool:
    """``payback`` asks for all the paybacks."""
    return not wanted or any(name in quantity for name in wanted)
