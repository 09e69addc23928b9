"""Sweeps of the bundled one-week schedule, for tests."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import date
from pathlib import Path

from optimizer.sweep.backends import Backend, Here
from optimizer.sweep.cases import Cases, PriceChoice
from optimizer.sweep.load import Sweep, load_sweep
from optimizer.sweep.results import open_results
from optimizer.sweep.rows import Row
from optimizer.sweep.run import count, run

TINY = Path(__file__).parents[2] / "data" / "schedules" / "tiny.yaml"
DAY = date(2026, 11, 22)
HEAD = "rentopt_sweep: 1\nschedule: tiny.yaml\n"
FAST = "options: {gap: 1 %, time_limit: 60 s, breakeven: false}\n"


def write_sweep(folder: Path, axes: str, more: str = FAST) -> Path:
    """A sweep file beside a copy of the schedule."""
    shutil.copy(TINY, folder / "tiny.yaml")
    path = folder / "sweep.yaml"
    path.write_text(f"{HEAD}{more}axes:\n{axes}", encoding="utf-8")
    return path


def sweep_of(folder: Path, axes: str, more: str = FAST) -> Sweep:
    return load_sweep(write_sweep(folder, axes, more))


def planned(
    sweep: Sweep, results: Path, backend: Backend | None = None, **options: object
) -> tuple[list[Row | None], int, int]:
    """(rows, found among the results, planned now)."""
    with open_results(results) as kept:
        cases = Cases(sweep, PriceChoice(DAY, exactly=True, store=""))
        counted = count(cases, kept)
        before = counted.tally.kept
        rows = run(cases, kept, backend or Here(), counted, **options)
        return rows, before, len(counted.tally.planned)


def kept_rows(path: Path) -> dict[str, Row]:
    """Key → row, read as another program would."""
    with sqlite3.connect(path, timeout=60) as connection:
        found = connection.execute("SELECT key, row FROM result").fetchall()
    connection.close()
    return {key: json.loads(row) for key, row in found}


def comparable(row: Row) -> Row:
    """Without what a clock decides."""
    return {key: value for key, value in row.items() if key != "seconds"}
