"""Between the values of a model's columns and a `Solution` of its instance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from optimizer.milp.choices import is_made
from optimizer.milp.instance import Instance, Solution
from optimizer.milp.linear_model import LinearModel
from optimizer.milp.routing import routes
from optimizer.milp.variables import Variables

TINY = 1e-7
ROW_SLACK = 1e-6
"""Share of a row's size by which it may be missed, as solvers allow themselves."""
K = TypeVar("K")


def decode(
    data: Instance, v: Variables, x: Sequence[float], objective: float, bound: float
) -> Solution:
    """Values by index, whole numbers made exactly whole, zeros left out."""
    run, hours = whole(v.run, x), whole(v.hours, x)
    for column, way in v.whole_run.items():
        if round(x[column]):
            on_pool = not data.jobs[way.job].gangs[way.gang].by_hour
            for s, worked in way.shares:
                if on_pool:
                    run[way.job, way.gang, s] = 1
                else:
                    hours[way.job, way.gang, s] = round(worked)
    return Solution(
        objective=objective,
        bound=bound,
        start=whole(v.start, x),
        hourly=whole(v.hourly, x),
        hold=whole(v.hold, x),
        busy=_shares(v.busy, x),
        free=_shares(v.free, x),
        serve=whole(v.serve, x),
        api=_shares(v.api, x),
        run=run,
        hours=hours,
        moved=tuple(j for j, c in v.move.items() if round(x[c])),
    )


def whole(columns: Mapping[K, int], x: Sequence[float]) -> dict[K, int]:
    return {key: round(x[c]) for key, c in columns.items() if round(x[c])}


def positive(columns: Mapping[K, int], values: Sequence[float]) -> list[K]:
    return [key for key, column in columns.items() if values[column] > TINY]


def _shares(columns: Mapping[K, int], x: Sequence[float]) -> dict[K, float]:
    return {key: x[c] for key, c in columns.items() if x[c] > TINY}


def encode(data: Instance, model: LinearModel, v: Variables, found: Solution) -> list[float] | None:
    """The value of every column in a solution of an exact instance; None when one has no column."""
    values = [0.0] * len(model.names)
    contiguous = {j for j, job in enumerate(data.jobs) if job.contiguous}
    ways = {(way.job, way.gang, way.shares[0][0]): c for c, way in v.whole_run.items()}
    parts: tuple[tuple[Mapping[Any, int], Mapping[Any, float]], ...] = (
        (v.start, found.start),
        (v.hourly, found.hourly),
        (v.hold, found.hold),
        (v.busy, found.busy),
        (v.free, found.free),
        (v.serve, found.serve),
        (v.route, routes(data, found) if v.route else {}),
        (v.api, found.api),
        (v.run, {key: n for key, n in found.run.items() if key[0] not in contiguous}),
        (v.hours, {key: n for key, n in found.hours.items() if key[0] not in contiguous}),
        (v.move, dict.fromkeys(found.moved, 1)),
        (ways, _first_slices(found, contiguous)),
    )
    if not all(_put(values, columns, wanted) for columns, wanted in parts):
        return None
    for (j, g, _), n in found.hours.items():
        if (j, g) in v.total:
            values[v.total[j, g]] += n
    for (o, i), column in v.order.items():
        values[column] = float((o, i) in found.start)
    for x, column in v.choice.items():
        values[column] = float(is_made(data, data.choices[x], found))
    for (j, t), column in v.done.items():
        values[column] = float(t > _finished(data, found, j))
    for name, entries in zip(model.row_names, model.entries, strict=True):
        if name.startswith("active["):
            now, *others = entries
            values[now] = -sum(entries[c] * values[c] for c in others)
    return values


def _put(values: list[float], columns: Mapping[K, int], wanted: Mapping[K, float]) -> bool:
    """Whether all that is wanted has a column, which then has its value."""
    for key, value in wanted.items():
        if key not in columns:
            return False
        values[columns[key]] = float(value)
    return True


def _first_slices(found: Solution, jobs: set[int]) -> dict[tuple[int, int, int], int]:
    """(job, gang, first slice) → 1, of jobs that run without a pause."""
    firsts: dict[tuple[int, int], int] = {}
    for j, g, s in (*found.run, *found.hours):
        if j in jobs:
            firsts[j, g] = min(s, firsts.get((j, g), s))
    return {(j, g, s): 1 for (j, g), s in firsts.items()}


def _finished(data: Instance, found: Solution, j: int) -> int:
    """Day on which the work of a job is finished; after the last one if it is not."""
    by_day: dict[int, float] = defaultdict(float)
    for (job, g, s), on in found.run.items():
        if job == j:
            by_day[data.slices[s].period] += data.jobs[j].gangs[g].rate * data.slices[s].hours * on
    for (job, g, s), n in found.hours.items():
        if job == j:
            by_day[data.slices[s].period] += data.jobs[j].gangs[g].rate * n
    done = 0.0
    for t in sorted(by_day):
        done += by_day[t]
        if done >= data.jobs[j].work * (1 - 1e-9):
            return t
    return len(data.period_days)


def keeps_rows(model: LinearModel, values: Sequence[float]) -> bool:
    """Whether every row and every bound of a column holds."""
    for entries, low, high in zip(model.entries, model.row_lower, model.row_upper, strict=True):
        terms = [coefficient * values[c] for c, coefficient in entries.items()]
        total, slack = sum(terms), ROW_SLACK * max(1.0, *map(abs, terms)) if terms else ROW_SLACK
        if total < low - slack or total > high + slack:
            return False
    return all(
        low - ROW_SLACK <= x <= high + ROW_SLACK
        for x, low, high in zip(values, model.lower, model.upper, strict=True)
    )
