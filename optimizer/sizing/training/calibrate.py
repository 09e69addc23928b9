"""Writes the constants of training and what they miss by to ``data/sizing``.

    python -m optimizer.sizing.training.calibrate

``training.csv`` holds the constants, fitted to all rows. ``training_held_out.csv`` holds what is
predicted for every row by constants fitted without its source: the errors to expect elsewhere.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from optimizer.sizing.training import fit_memory, fit_speed
from optimizer.sizing.training.cases import Case
from optimizer.sizing.training.priors import MEMORY, SPEED
from providers.bundled import data_path


def held_out(
    rows: Sequence[Case],
    fit: Callable[[Sequence[Case]], dict[str, float]],
    errors: Callable[[Sequence[Case], Mapping[str, float]], fit_speed.Array],
) -> fit_speed.Array:
    """Relative error of each row, predicted by constants fitted without its source."""
    missed = np.zeros(len(rows))
    for group in sorted({case.row.group for case in rows}):
        inside = [n for n, case in enumerate(rows) if case.row.group == group]
        known = fit([case for case in rows if case.row.group != group])
        missed[inside] = errors([rows[n] for n in inside], known)
    return missed


def main() -> None:
    timed, peaks = fit_speed.timed(), fit_memory.peaks()
    fitted = fit_speed.fit(timed) | fit_memory.fit(peaks)
    used = fit_speed.used_by(timed)
    used.update({name: len(peaks) for name in MEMORY})
    _write_constants(fitted, used, max(case.row.date for case in timed))
    missed = [
        ("tokens_per_s", timed, held_out(timed, fit_speed.fit, fit_speed.errors)),
        ("peak_memory_gb", peaks, held_out(peaks, fit_memory.fit, fit_memory.errors)),
    ]
    with data_path("sizing", "training_held_out.csv").open("w", encoding="utf-8", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        table.writerow(["id", "metric", "measured", "predicted_without_its_source"])
        for metric, rows, errors in missed:
            for case, error in zip(rows, errors.tolist(), strict=True):
                measured = getattr(case.row, metric)
                table.writerow(
                    [case.row.id, metric, f"{measured:.5g}", f"{measured * (1 + error):.5g}"]
                )


def _write_constants(fitted: Mapping[str, float], used: Counter[str], newest: str) -> None:
    with data_path("sizing", "training.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "value", "unit", "prior", "basis", "rows", "newest"])
        for name, prior in (SPEED | MEMORY).items():
            count = used[name]
            facts = [f"{fitted[name]:.4g}", prior.unit, f"{prior.value:g}", prior.basis]
            table.writerow([name, *facts, count, newest if count else ""])


if __name__ == "__main__":
    main()
