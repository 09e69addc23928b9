"""How far off an answer is to be expected, by what it rests on: ``data/sizing/training_errors``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from providers.bundled import data_path


@dataclass(frozen=True, slots=True)
class Expected:
    """Errors of rows that the constants were not fitted to; shares of the measured value."""

    rows: int
    median: float
    p90: float


@cache
def expected_errors() -> dict[tuple[str, str], Expected]:
    """By label (modelled, interpolated, memory) and method; `all` for all methods."""
    with data_path("sizing", "training_errors.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["label"], row["method"]): Expected(
                int(row["rows"]), float(row["median"]), float(row["p90"])
            )
            for row in csv.DictReader(file)
        }


def expected_error(label: str, method: str) -> Expected:
    """Of one answer. What was measured itself is as far off as two people's runs of one setting,
    which rows carried over from their neighbours bound from above."""
    known = expected_errors()
    if label == "measured":
        label = "interpolated"
    return known.get((label, method)) or known[label, "all"]
