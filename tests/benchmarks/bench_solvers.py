"""Our search against the plain daily model on three solvers, in the same run.

    python tests/benchmarks/bench_solvers.py [--quick] [--limit 60] [--output FILE]

Every measurement is a process of its own, with a limit of time and its own greatest memory. The
plain model has one column for each offer, day and hour, and no rows that only tighten it. Prints
Markdown tables; fails if a bound is above a plan, and asserts nothing about seconds. Seconds are
those of the processor, all threads together, so that a busy machine counts little; the limit is by
the clock.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from bench_plan import machine
from families import Family
from ortools.math_opt.python import mathopt
from per_task import per_task_cost

from optimizer.api import prices_for
from optimizer.formulate import formulate
from optimizer.milp.anytime import Known, Watch
from optimizer.milp.assemble import assemble
from optimizer.milp.constraints import TIGHTENING
from optimizer.milp.first import first_plan
from optimizer.milp.instance import INF, Instance, Solution
from optimizer.milp.solve import SolveOptions, solve
from optimizer.milp.solver import run_solver, to_proto
from optimizer.problem import gather
from optimizer.schedule.load import load_schedule

ROOT = Path(__file__).parents[2]
GAPS = (0.01, 0.005, 0.001)
OURS = "rentopt"
PLAIN = {"HiGHS": "HIGHS", "SCIP": "GSCIP", "CP-SAT": "CP_SAT"}
TABLE = (
    Family(30, 5, 1, 16),
    Family(90, 5, 2, 32),
    Family(90, 10, 2, 64, noisy=True),
    Family(365, 5, 2, 32),
    Family(365, 10, 3, 96),
    Family(365, 20, 3, 96),
    Family(365, 10, 3, 500, 4),
    Family(365, 40, 5, 96),
    Family(365, 100, 10, 96, 0),
    Family(1095, 10, 3, 96),
    Family(1095, 20, 5, 96),
)
QUICK = (
    Family(30, 5, 1, 16),
    Family(90, 10, 2, 64, noisy=True),
    Family(365, 10, 3, 96),
    Family(1095, 20, 5, 96),
)
EXAMPLES = ("startup-cny", "team-eur", "starters/mixed", "starters/training", "starters/inference")


@dataclass(frozen=True)
class Measured:
    """Processor seconds to a first plan and to each gap; INF where the limit came first."""

    first_s: float
    to_gap_s: tuple[float, ...]
    objective: float
    bound: float
    peak_mib: float = 0.0

    @property
    def gap(self) -> float:
        known = self.objective < INF and self.bound > -INF
        return (self.objective - self.bound) / abs(self.objective) if known else INF


def ours(data: Instance, limit: float) -> Measured:
    began = time.process_time()
    told: list[tuple[float, Known]] = []
    watch = Watch(lambda known: told.append((time.process_time() - began, known)))
    found = solve(data, SolveOptions(gap=GAPS[-1], time_limit_s=limit, watch=watch))
    seconds = time.process_time() - began
    if not isinstance(found, Solution):
        return Measured(INF, (INF,) * len(GAPS), INF, -INF)
    told.append((seconds, Known(found.objective, found.bound)))
    firsts = [s for s, known in told if known.objective < INF]
    reached = tuple(min((s for s, k in told if k.gap <= gap), default=INF) for gap in GAPS)
    return Measured(firsts[0], reached, found.objective, found.bound)


def plain(data: Instance, solver: str, limit: float) -> Measured:
    """The daily model as it is, three times: to a first plan, and if there is one, to each gap."""
    began = time.process_time()
    model, _ = assemble(data, without=TIGHTENING)
    built = time.process_time() - began
    problem = mathopt.Model.from_model_proto(to_proto(model))
    one = mathopt.SolveParameters(
        solution_limit=1, time_limit=timedelta(seconds=limit), random_seed=1
    )
    began = time.process_time()
    found = mathopt.solve(problem, mathopt.SolverType[solver], params=one)
    first = built + time.process_time() - began if found.has_primal_feasible_solution() else INF
    seconds, objective, bound = [], INF, -INF
    for gap in GAPS if first < INF else ():
        began = time.process_time()
        options = SolveOptions(gap=gap, time_limit_s=limit, solver=solver)
        raw = run_solver(model, options, time.monotonic() + limit)
        took = built + time.process_time() - began
        objective, bound = min(objective, raw.objective), max(bound, raw.bound)
        there = (
            raw.objective < INF and raw.objective - raw.bound <= gap * abs(raw.objective) * 1.0001
        )
        seconds.append(took if there else INF)
        if not there:
            break
    seconds += [INF] * (len(GAPS) - len(seconds))
    return Measured(first, tuple(seconds), objective, bound)


# -- one measurement, one process ------------------------------------------------------------


def measured(family: Family, who: str, limit: float) -> Measured | None:
    """In a process of its own; None when it died or went far beyond its limit."""
    command = [sys.executable, __file__, "--one", json.dumps(asdict(family)), "--who", who]
    process = subprocess.Popen([*command, "--limit", str(limit)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        text = process.communicate(timeout=limit * 5 + 120)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None
    if process.returncode:
        return None
    answer = json.loads(text.splitlines()[-1])
    return Measured(**{**answer, "to_gap_s": tuple(answer["to_gap_s"])})


def one(family: Family, who: str, limit: float) -> Measured:
    import resource

    data = family.instance()
    found = ours(data, limit) if who == OURS else plain(data, PLAIN[who], limit)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return replace(found, peak_mib=usage.ru_maxrss / 1024)


# -- tables ----------------------------------------------------------------------------------


def seconds(value: float) -> str:
    return "-" if value == INF else f"{value:.1f}"


def solver_table(families: tuple[Family, ...], limit: float) -> list[str]:
    lines = [
        f"| at most {limit:.0f} s | who | first plan | 1 % | 0.5 % | 0.1 % | proven | MiB |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    mine: list[tuple[Family, Measured]] = []
    for family in families:
        best_bound, plans = -INF, []
        for who in (OURS, *PLAIN):
            found = measured(family, who, limit)
            name = family.name if who == OURS else ""
            if found is None:
                lines.append(f"| {name} | {who} | ended without an answer | | | | | |")
                continue
            if who == OURS:
                mine.append((family, found))
            best_bound = max(best_bound, found.bound)
            plans.append(found.objective)
            times = " | ".join(seconds(s) for s in (found.first_s, *found.to_gap_s))
            proven = "no plan" if found.objective == INF else f"{found.gap:.2%}"
            lines.append(f"| {name} | {who} | {times} | {proven} | {found.peak_mib:.0f} |")
            print(lines[-1], file=sys.stderr)
        least = min(plans, default=INF)
        if best_bound > least * (1 + 1e-6):
            raise SystemExit(f"{family.name}: a bound of {best_bound} is above a plan of {least}")
    return [*lines, "", *growth(mine)]


def growth(found: list[tuple[Family, Measured]]) -> list[str]:
    """Exponents of our time to 1 % by days and by jobs, other things about equal."""
    lines = []
    for what, measure in (("days", lambda f: f.days), ("jobs", lambda f: f.jobs)):
        points = [(measure(f), m.to_gap_s[0]) for f, m in found if m.to_gap_s[0] < INF]
        if len({x for x, _ in points}) > 1:
            x = [math.log(size) for size, _ in points]
            y = [math.log(s) for _, s in points]
            slope = statistics.linear_regression(x, y).slope
            lines.append(f"Time to 1 % grows with {what} to the power {slope:.1f} in this table.")
    return lines


def per_task_table(limit: float) -> list[str]:
    lines = [
        "| schedule | each task alone, cheapest on demand | rentopt | ratio |",
        "|---|---:|---:|---:|",
    ]
    for name in EXAMPLES:
        schedule = load_schedule(ROOT / "data" / "schedules" / f"{name}.yaml")
        data = formulate(gather(schedule, prices_for(schedule))).instance
        found = solve(data, SolveOptions(gap=0.005, time_limit_s=limit))
        alone = per_task_cost(data)
        if isinstance(found, Solution):
            cost = found.objective - data.constant
            ratio = f"{alone / cost:.2f}" if alone < INF else "no resource on demand for a task"
            lines.append(f"| `{name}` | {alone:,.0f} | {cost:,.0f} | {ratio} |")
    return lines


def heuristic_table(limit: float, count: int) -> list[str]:
    """How far the first plan is above the best bound."""
    gaps = []
    for seed in range(count):
        data = replace(Family(30, 4, 2, 32), seed=seed).instance()
        first, best = first_plan(data), solve(data, SolveOptions(gap=0.005, time_limit_s=limit))
        if first is None or not isinstance(best, Solution):
            raise SystemExit(f"seed {seed}: no plan")
        gaps.append((first.objective - best.bound) / first.objective)
    gaps.sort()
    quartiles = " / ".join(f"{q:.1%}" for q in statistics.quantiles(gaps, n=4))
    return [
        f"First plan above the least bound, {count} instances of 30 days: quartiles {quartiles}, "
        f"largest {gaps[-1]:.1%}."
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer instances")
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--who", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(asdict(one(Family(**json.loads(chosen.one)), chosen.who, chosen.limit))))
        return
    load = os.getloadavg()[0]
    lines = [
        f"{machine()}; load average {load:.1f} at the start.",
        "",
        *solver_table(QUICK if chosen.quick else TABLE, chosen.limit),
        "",
        *heuristic_table(chosen.limit, 12 if chosen.quick else 40),
        "",
        *per_task_table(chosen.limit),
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if chosen.output:
        chosen.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
