"""Time the main job, and compare the solver's road with the plain daily model in the same run.

    python tests/benchmarks/bench_plan.py [SCHEDULE] [--runs 3] [--limit 120] [--output FILE]

Prints a Markdown table; asserts nothing, because seconds belong to a machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from optimizer.api import prices_for
from optimizer.formulate import formulate
from optimizer.milp.assemble import assemble
from optimizer.milp.constraints import TIGHTENING
from optimizer.milp.instance import Instance, Solution
from optimizer.milp.solve import SolveOptions, solve
from optimizer.milp.solver import run_solver
from optimizer.problem import gather
from optimizer.schedule.load import load_schedule

RENTOPT = Path(sys.executable).with_name("rentopt")
SCHEDULE = Path("data/schedules/startup-cny.yaml")
GAPS = (0.005, 0.001)


@dataclass(frozen=True)
class Run:
    seconds: float
    peak_mib: float


def run_process(arguments: list[str]) -> Run:
    """One whole process: its time by the clock, and the most memory it held."""
    began = time.monotonic()
    process = subprocess.Popen([RENTOPT, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"rentopt {' '.join(arguments)} ended with {process.returncode}")
    return Run(time.monotonic() - began, usage.ru_maxrss / 1024)


def median(runs: list[Run]) -> Run:
    return Run(statistics.median(r.seconds for r in runs), max(r.peak_mib for r in runs))


@dataclass(frozen=True)
class Proof:
    seconds: float
    objective: float
    bound: float

    @property
    def gap(self) -> float:
        return (self.objective - self.bound) / abs(self.objective)


def ours(data: Instance, options: SolveOptions) -> Proof:
    began = time.monotonic()
    found = solve(data, options)
    seconds = time.monotonic() - began
    if not isinstance(found, Solution):
        raise SystemExit("no plan was found in time; give a longer --limit")
    return Proof(seconds, found.objective, found.bound)


def plain(data: Instance, options: SolveOptions) -> Proof:
    """The daily model as it is, without the rows that only tighten it."""
    began = time.monotonic()
    model, _ = assemble(data, without=TIGHTENING)
    raw = run_solver(model, options, began + options.time_limit_s)
    return Proof(time.monotonic() - began, raw.objective, raw.bound)


def compared(schedule: Path, limit: float) -> list[str]:
    """Rows of the table for each gap: our road, the plain model, and how many times faster."""
    loaded = load_schedule(schedule)
    data = formulate(gather(loaded, prices_for(loaded))).instance
    return [
        line for gap in GAPS for line in _compared(data, SolveOptions(gap=gap, time_limit_s=limit))
    ]


def _compared(data: Instance, options: SolveOptions) -> list[str]:
    limit = options.time_limit_s
    mine, theirs = ours(data, options), plain(data, options)
    in_time = theirs.gap <= options.gap * (1 + 1e-6)
    ratio = theirs.seconds / mine.seconds
    theirs_in_words = (
        f"{theirs.seconds:.1f} s" if in_time else f"not in {limit:.0f} s ({reached(theirs)})"
    )
    more = "" if in_time else "more than "
    return [
        f"| the best mix, to {options.gap:.1%} | {mine.seconds:.1f} s "
        f"(proven within {mine.gap:.2%}) |",
        f"| the plain daily model on HiGHS, to {options.gap:.1%} | {theirs_in_words} |",
        f"| ratio at {options.gap:.1%} | {more}{ratio:.1f} |",
    ]


def reached(proof: Proof) -> str:
    if proof.objective == float("inf"):
        return "no plan found"
    return f"within {proof.gap:.2%}"


def machine() -> str:
    names = [
        line.split(":", 1)[1].strip()
        for line in _lines(Path("/proc/cpuinfo"))
        if line.startswith("model name")
    ]
    cpu = names[0] if names else platform.processor() or platform.machine()
    cores = os.cpu_count() or 1
    return (
        f"{cores} cores ({cpu}), {platform.system()}, Python {platform.python_version()}, "
        f"OR-Tools {version('ortools')}"
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("schedule", nargs="?", type=Path, default=SCHEDULE)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120.0)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    command = ["plan", str(chosen.schedule)]
    helped = median([run_process(["--help"]) for _ in range(chosen.runs)])
    planned = median([run_process(command) for _ in range(chosen.runs)])
    lines = [
        f"| `{chosen.schedule}` | {machine()} |",
        "|---|---|",
        f"| `rentopt --help`, whole process, median of {chosen.runs} | {helped.seconds:.2f} s |",
        f"| `rentopt plan`, whole process, median of {chosen.runs} | {planned.seconds:.1f} s |",
        f"| most memory it held | {planned.peak_mib:.0f} MiB |",
        *compared(chosen.schedule, chosen.limit),
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if chosen.output:
        chosen.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
