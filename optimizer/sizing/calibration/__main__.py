"""``make calibrate``: fit the constants and write them, with their errors, to ``data/sizing``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from optimizer.sizing.calibration.cases import Array, Case, Table, cases
from optimizer.sizing.calibration.fit import fit
from optimizer.sizing.calibration.validate import (
    HELD_OUT,
    by_class,
    held_out,
    in_scope,
    lookup_errors,
)
from providers.bundled import data_path

SOURCE = "data/measured/inference.csv, rows by `python -m optimizer.sizing.calibration`"


def main(day: str) -> None:
    """Write the three ``inference_*.csv``: constants, errors by class, and bands."""
    table = Table(cases())
    theta = fit(table, np.ones(len(table.cases), dtype=bool))
    folder = data_path("sizing")
    _write(folder / "inference_constants.csv", constant_rows(table, theta, day))
    scored = {key: held_out(table, key) for key in HELD_OUT}
    _write(folder / "inference_errors.csv", error_rows(table.cases, scored, day))
    _write(folder / "inference_bands.csv", band_rows(table, scored["source"], day))
    print("\n".join(markdown(table.cases, scored)))


def constant_rows(table: Table, theta: Array, day: str) -> Iterable[dict[str, object]]:
    """One line a constant, those of single studies left out: they describe no case to come."""
    pairs = {
        (row, column)
        for rows, columns in table.entries.values()
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    }
    informed = np.bincount([column for _, column in pairs], minlength=len(theta))
    for prior, value, rows in zip(table.priors, theta, informed, strict=True):
        if not prior.constant.startswith("source."):
            yield {
                "constant": prior.constant,
                "value": f"{np.exp(value):.4g}",
                "unit": prior.unit,
                "rows": int(rows),
                "prior": f"{prior.value:.4g}",
                "meaning": prior.basis,
                "source": f"fitted to {SOURCE}" if rows else "the prior: nothing was measured",
                "date": day,
            }


def error_rows(
    all_cases: Sequence[Case], scored: dict[str, Array], day: str
) -> Iterable[dict[str, object]]:
    """Errors by class, for each way of holding rows out."""
    for key, log_errors in scored.items():
        for name, found in by_class(all_cases, log_errors).items():
            yield {
                "held_out": key,
                "class": name,
                "rows": found.rows,
                "median": f"{found.median:.3f}",
                "p90": f"{found.ninetieth:.3f}",
                "source": SOURCE,
                "date": day,
            }


def markdown(all_cases: Sequence[Case], scored: dict[str, Array]) -> Iterable[str]:
    """The table of errors as docs/sizing.md prints it: median and 90th percentile in %."""
    classes = {key: by_class(all_cases, found) for key, found in scored.items()}
    for name, found in classes["source"].items():
        cells = (classes[key][name] for key in HELD_OUT)
        shown = " | ".join(f"{e.median * 100:.0f} / {e.ninetieth * 100:.0f}" for e in cells)
        yield f"| {name} | {found.rows} | {shown} |"


def band_rows(table: Table, log_errors: Array, day: str) -> Iterable[dict[str, object]]:
    """Where eight of ten measurements lie, as shares of the stated speed, by what it rests on."""
    inside = np.array([in_scope(case) for case in table.cases])
    tasks = np.array([case.task for case in table.cases])
    by_basis = {task: log_errors[inside & (tasks == task)] for task in sorted(set(tasks.tolist()))}
    for basis, found in (by_basis | lookup_errors(table)).items():
        low, high = np.percentile(np.exp(-found), (10, 90))
        yield {
            "basis": basis,
            "rows": len(found),
            "low": f"{low:.2f}",
            "high": f"{high:.2f}",
            "source": f"rows held out by source or looked up without themselves: {SOURCE}",
            "date": day,
        }


def _write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    lines = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else date.today().isoformat())
