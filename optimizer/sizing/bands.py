"""How far from an answer the truth usually lies, from the errors on rows that were held out."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from providers.bundled import data_path

BATCHED_USERS = 64
"""Beyond, a modelled answer counts as saturated serving."""


@dataclass(frozen=True, slots=True)
class Band:
    """Where eight of ten measurements lie, as shares of the stated speed."""

    low: float
    high: float

    @property
    def words(self) -> str:
        return f"x {self.low:.2f} to x {self.high:.2f}"


CERTAIN = Band(1.0, 1.0)
"""Of a rate that the user measured on his own workload."""


def widest(found: Iterable[Band]) -> Band:
    """The band that holds all of them."""
    every = [CERTAIN, *found]
    return Band(min(band.low for band in every), max(band.high for band in every))


@cache
def bands() -> dict[str, Band]:
    """By what an answer rests on, from ``data/sizing/inference_bands.csv``."""
    with data_path("sizing", "inference_bands.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["basis"]: Band(float(row["low"]), float(row["high"]))
            for row in csv.DictReader(file)
        }


def modelled_basis(users: float) -> str:
    """The class of errors of a modelled pace at so many users."""
    if users <= 1:
        return "single stream"
    return "batched decode" if users <= BATCHED_USERS else "saturated serving"
