"""The regime map: how many nodes the best plan owns, over rental prices and load."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

from optimizer.breakeven.rows import Row, row
from optimizer.breakeven.scale import with_load, with_rent
from optimizer.formulate import formulate
from optimizer.milp.instance import Solution
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import SolveOptions
from optimizer.problem import Problem

RENT_FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
LOAD_FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)


def regime_rows(problem: Problem, options: SolveOptions, deadline: float) -> list[Row]:
    """One row a point of the grid, the middle first and outwards, until the time is up."""
    data = formulate(problem).instance
    names = [asset.name for asset in data.assets]
    grid = [(rent, load) for load in LOAD_FACTORS for rent in RENT_FACTORS]
    rows: dict[tuple[float, float], Row] = {}
    for rent, load in sorted(grid, key=lambda at: abs(at[0] - 1) + abs(at[1] - 1)):
        left = deadline - time.monotonic()
        where = f"rental prices x {rent:g}, load x {load:g}"
        more: dict[str, Any] = {"rent_factor": f"{rent:g}", "load_factor": f"{load:g}"}
        if left <= 0:
            rows[rent, load] = row(
                "regime", "the plan", "nodes owned", "nodes", f"{where}: not solved in time",
                answer="open", proven=False, **more,
            )  # fmt: skip
            continue
        asked = replace(options, time_limit_s=min(options.time_limit_s, left))
        found = solve_any(with_load(with_rent(data, rent), load), asked)
        if not isinstance(found, Solution):
            why = "no plan exists" if found.infeasible else "not solved in time"
            rows[rent, load] = row(
                "regime", "the plan", "nodes owned", "nodes", f"{where}: {why}",
                answer="none", proven=found.infeasible, **more,
            )  # fmt: skip
            continue
        bought: Counter[str] = Counter()
        for (a, _), nodes in found.hold.items():
            bought[names[a]] += nodes
        owned = sum(bought.values())
        what = (
            ", ".join(f"{n} x {name.removeprefix('buy ')}" for name, n in sorted(bought.items()))
            or "nothing bought"
        )
        words = f"{where}: {what} (gap {found.gap:.2%})"
        rows[rent, load] = row(
            "regime", "the plan", "nodes owned", "nodes", words, now=float(owned),
            proven=found.gap <= options.gap, answer="none", nodes=owned, gap=f"{found.gap:.6f}",
            total=f"{found.objective:.2f}", **more,
        )  # fmt: skip
    return [rows[at] for at in grid]
