"""Writes the constants of training and what they miss by to ``data/sizing``.

    python -m optimizer.sizing.training.calibrate

``training.csv`` holds the constants, fitted to all rows; ``training_held_out.csv`` what is
predicted for every row by constants fitted without its source: the errors to expect elsewhere;
``training_errors.csv`` sums them up by kind of answer.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from optimizer.sizing.training import fit_memory, fit_speed
from optimizer.sizing.training.cases import Case
from optimizer.sizing.training.constants import constants
from optimizer.sizing.training.nearest import carried
from optimizer.sizing.training.priors import MEMORY, SPEED
from optimizer.sizing.training.setup import METHODS
from optimizer.sizing.training.speed import chip
from providers.bundled import data_path


def held_out(
    rows: Sequence[Case],
    fit: Callable[[Sequence[Case]], dict[str, float]],
    errors: Callable[[Sequence[Case], Mapping[str, float]], fit_speed.Array],
    group: Callable[[Case], str] = lambda case: case.row.group,
) -> fit_speed.Array:
    """Relative error of each row, predicted by constants fitted without its group: its source."""
    missed = np.zeros(len(rows))
    for left in sorted({group(case) for case in rows}):
        inside = [n for n, case in enumerate(rows) if group(case) == left]
        known = fit([case for case in rows if group(case) != left])
        missed[inside] = errors([rows[n] for n in inside], known)
    return missed


def main() -> None:
    timed, peaks = fit_speed.timed(), fit_memory.peaks()
    speed = (fit_speed.fit, fit_speed.errors)
    fitted = fit_speed.fit(timed) | fit_memory.fit(peaks)
    used = fit_speed.used_by(timed)
    used |= {name: [case.row.date for case in peaks] for name in MEMORY}
    _write_constants(fitted, used)
    missed = [
        ("tokens_per_s", timed, held_out(timed, *speed)),
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
    modelled, memory = (list(zip(rows, e.tolist(), strict=True)) for _, rows, e in missed)
    constants.cache_clear()
    by_card = held_out(timed, *speed, lambda case: chip(case.gang.gpu)).tolist()
    by_model = held_out(timed, *speed, lambda case: case.card.id).tolist()
    _write_errors(
        {
            "modelled": modelled,
            "unseen_card": list(zip(timed, by_card, strict=True)),
            "unseen_model": list(zip(timed, by_model, strict=True)),
            "interpolated": _carried_errors(timed),
            "memory": memory,
        }
    )


def _carried_errors(rows: Sequence[Case]) -> list[tuple[Case, float]]:
    """Relative error of each row, carried over from its nearest neighbour."""
    found = []
    for case in rows:
        near = carried(case.card, case.setup, case.gang, without=case)
        if near is not None:
            found.append((case, near.tokens_per_s / (case.row.tokens_per_s or 1.0) - 1.0))
    return found


def _write_errors(missed: Mapping[str, Sequence[tuple[Case, float]]]) -> None:
    """``training_errors.csv``: per label and method, what to expect."""
    with data_path("sizing", "training_errors.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["label", "method", "rows", "median", "p90"])
        for label, entries in missed.items():
            for method in ("all", *METHODS):
                errors = [abs(e) for case, e in entries if method in ("all", case.row.method)]
                if errors:
                    middle, worst = np.quantile(errors, [0.5, 0.9])
                    table.writerow([label, method, len(errors), f"{middle:.3f}", f"{worst:.3f}"])


def _write_constants(fitted: Mapping[str, float], used: Mapping[str, list[str]]) -> None:
    with data_path("sizing", "training.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "value", "unit", "prior", "basis", "rows", "newest"])
        for name, prior in (SPEED | MEMORY).items():
            dates = used.get(name, [])
            facts = [f"{fitted[name]:.4g}", prior.unit, f"{prior.value:g}", prior.basis]
            table.writerow([name, *facts, len(dates), max(dates, default="")])


if __name__ == "__main__":
    main()
