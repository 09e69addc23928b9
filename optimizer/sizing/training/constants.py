"""The fitted constants of training, from ``data/sizing/training.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache

from providers.bundled import data_path

Constants = Mapping[str, float]


@cache
def constants() -> Constants:
    """Value by name; unit, prior, rows and date stand beside it in the file."""
    with data_path("sizing", "training.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(file)}
