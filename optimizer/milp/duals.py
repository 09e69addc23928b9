"""Prices by the dual values of the linear relaxation: what a little more of each thing costs there.

The relaxation takes nodes, terms, replicas and purchases in parts. Its optimum z(b) is convex in
the right sides b, and dual values y are a subgradient: z(b + d) >= z(b) + y d for *every* d,
however large. A plan is a point of the relaxation, so no plan of the changed schedule costs less
than z(b) + y d. That is claimed, and no more: not what the next whole node costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from optimizer.milp.constraints import FAMILIES, TIGHTENING, add_active
from optimizer.milp.constraints.choices import add_choice, add_least_use, add_sellers
from optimizer.milp.constraints.jobs import add_work, worked
from optimizer.milp.constraints.limits import add_minimum_order
from optimizer.milp.instance import Instance, Service
from optimizer.milp.linear_model import INF, LinearModel
from optimizer.milp.merge import merge_days
from optimizer.milp.solver import SolveOptions, run_solver
from optimizer.milp.variables import Variables, add_variables

LEFT_OUT = (
    *TIGHTENING,
    add_work,
    add_minimum_order,
    add_choice,
    add_sellers,
    add_least_use,
)
"""Rows that are about whole numbers, or whose coefficients may change with load and work."""
SINGLE_DAYS = 62
"""Up to so many days each has a price of its own; of more, equal neighbours share theirs."""
WEEK = 7


@dataclass(frozen=True, slots=True)
class DualPrices:
    """Present value of one unit more, in the relaxation; a saving is negative."""

    optimum: float
    """Of the relaxation: no plan costs less."""
    nodes: dict[tuple[int, int], float]
    """(pool, day) → one more node in use through the day; of pools and days on which a service
    may, or a job that holds its nodes for whole slices."""
    load: tuple[float, ...]
    """[service] → its whole load once more."""
    work: tuple[float, ...]
    """[job] → its whole work once more."""
    budget: tuple[float, ...]
    """[month] → one unit of currency more."""
    cash: float
    kilowatts: float
    rack_units: float
    bought: tuple[float, ...]
    """[asset] → one more node that may be bought."""


def dual_prices(data: Instance, options: SolveOptions, deadline: float) -> DualPrices | None:
    """Prices of all right sides of an exact instance from one linear program.

    None: there is no plan at all, or the time ended first.
    """
    alone = replace(data, jobs=tuple(replace(job, contiguous=False) for job in data.jobs))
    days = len(data.period_days)
    here = merge_days(alone, 1 if days <= SINGLE_DAYS else WEEK).instance
    model = relaxation(here)
    # HiGHS whatever plans are solved with: not every solver gives dual values.
    raw = run_solver(model, replace(options, solver="HIGHS", nodes=0), deadline)
    if raw.values is None or not raw.duals:
        return None
    return _read(here, model, raw.objective, raw.duals)


def relaxation(data: Instance) -> LinearModel:
    """The model with parts of everything, without rows and bounds that more load would move."""
    model = LinearModel()
    v = add_variables(model, replace(data, choices=()))
    active = add_active(model, v, data)
    for add_family in FAMILIES:
        if add_family not in LEFT_OUT:
            add_family(model, v, data, active)
    _add_work(model, v, data)
    model.whole = [False] * len(model.whole)
    for column in _implied(v, data):
        model.upper[column] = INF
    return model


def _add_work(model: LinearModel, v: Variables, data: Instance) -> None:
    """As the family of that name, with coefficients that stay as they are when the work grows."""
    done = worked(v, data)
    for j, job in enumerate(data.jobs):
        terms = [term for t in range(len(data.period_days)) for term in done[j, t]]
        model.row(f"work[{job.name}]", [(c, x / job.work) for c, x in terms], lower=1)


def _implied(v: Variables, data: Instance) -> Iterator[int]:
    """Columns whose upper bound other rows imply: it must not hold a dual value of its own."""
    yield from (*v.route.values(), *v.bought.values())
    yield from (c for (a, i), c in v.hold.items() if data.assets[a].holds[i].cover)


def _read(data: Instance, model: LinearModel, optimum: float, duals: Sequence[float]) -> DualPrices:
    rows = dict(zip(model.row_names, duals, strict=True))

    def total(family: str, of: Iterable[object]) -> float:
        """Rows that move together; one that always holds is not there, and costs nothing."""
        return sum(rows.get(f"{family}[{key}]", 0.0) for key in of)

    months = range(max(data.month_of_period, default=0) + 1)
    periods = range(len(data.period_days))
    return DualPrices(
        optimum=optimum,
        nodes=_nodes(data, rows),
        load=tuple(_load(data, service, rows) for service in data.services),
        work=tuple(total("work", [job.name]) for job in data.jobs),
        budget=tuple(total("budget", [month]) for month in months),
        cash=total("cash", months),
        kilowatts=total("site_power", periods),
        rack_units=total("site_rack", periods),
        bought=tuple(
            total("purchase_limit", (f"{asset.name},{t}" for t in periods)) for asset in data.assets
        ),
    )


def _nodes(data: Instance, rows: Mapping[str, float]) -> dict[tuple[int, int], float]:
    found: dict[tuple[int, int], float] = defaultdict(float)
    firsts = data.days_before()
    for p, pool in enumerate(data.pools):
        for s, point in enumerate(data.slices):
            dual = rows.get(f"capacity[{pool},{s}]")
            if dual is not None:
                # A row tells of the mean of its days: a node on one of them is one part in n.
                days = range(firsts[point.period], firsts[point.period + 1])
                for day in days:
                    found[p, day] += max(0.0, -dual) / len(days)
    return dict(found)


def _load(data: Instance, service: Service, rows: Mapping[str, float]) -> float:
    """Of a service with buckets: every bucket's right side is 1, its whole load."""
    if service.buckets:
        keys = product(range(len(service.buckets)), range(len(data.slices)))
        return sum(rows.get(f"bucket_demand[{service.name},{b},{s}]", 0.0) for b, s in keys)
    return sum(
        rows.get(f"demand[{service.name},{s}]", 0.0) * load for s, load in enumerate(service.load)
    )
