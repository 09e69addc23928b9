"""Defaults and published ranges of ``data/finance``: dated, with source and day of review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache

from optimizer.finance.refusal import FinanceError
from optimizer.finance.residual import Range, ResidualCurve
from providers.bundled import data_path
from providers.strict_table import Row, Table

_COLUMNS = (
    "id", "group", "value", "low", "high", "unit", "currency", "region", "applied", "observed_at",
    "review_after", "confidence", "source", "note",
)  # fmt: skip
_REQUIRED = {"id", "group", "applied", "observed_at", "review_after", "confidence", "source"}
_CURVE_COLUMNS = (
    "curve", "gpu", "months", "low", "high", "observed_at", "review_after", "confidence",
    "source", "note",
)  # fmt: skip
CONFIDENCES = ("A", "B", "C")


@dataclass(frozen=True, slots=True)
class Default:
    """A figure used, or offered, where a user gives none."""

    id: str
    group: str
    value: str
    """As it is used: a number or a word; empty where a user must give it."""
    low: Decimal | None
    high: Decimal | None
    unit: str
    currency: str
    region: str
    applied: bool
    """Whether it counts without being asked for."""
    observed_at: date
    review_after: date
    confidence: str
    source: str
    note: str = ""

    @property
    def number(self) -> Decimal:
        """The value as a number.

        Raises:
            FinanceError: it is a word, or must be given.
        """
        try:
            return Decimal(self.value)
        except InvalidOperation:
            if self.value:
                raise FinanceError(f"{self.id} is '{self.value}', not a number") from None
            raise FinanceError(f"{self.id} has no default and must be given") from None

    def age_days(self, as_of: date) -> int:
        return (as_of - self.observed_at).days

    def is_due(self, as_of: date) -> bool:
        """Whether the day to look at it again has passed."""
        return as_of > self.review_after


@cache
def defaults() -> dict[str, Default]:
    """All rows of ``data/finance/defaults.csv`` by id."""
    return read_defaults(data_path("finance", "defaults.csv").read_bytes(), "defaults.csv")


def read_defaults(data: bytes, name: str) -> dict[str, Default]:
    """Defaults of a table.

    Raises:
        DocumentError: with every fault of the file.
    """
    table = Table(data, name, _COLUMNS, _REQUIRED)
    found: dict[str, Default] = {}
    for row in table.rows:
        default = _default(row)
        if default.id in found:
            row.fault("id", f"'{default.id}' is there twice")
        found[default.id] = default
    table.check()
    return found


def _default(row: Row) -> Default:
    value, low, high = row.text("value"), row.maybe_number("low"), row.maybe_number("high")
    if low is not None and high is not None and low > high:
        row.fault("low", "low is above high")
    if value and (low is not None or high is not None):
        number = row.number("value")
        if (low is not None and number < low) or (high is not None and number > high):
            row.fault("value", f"{value} is outside its range")
    observed, review = _dates(row)
    return Default(
        id=row.text("id"),
        group=row.text("group"),
        value=value,
        low=low,
        high=high,
        unit=row.text("unit"),
        currency=row.text("currency"),
        region=row.text("region"),
        applied=bool(row.yes_no("applied")),
        observed_at=observed,
        review_after=review,
        confidence=row.word("confidence", CONFIDENCES, "C"),
        source=row.text("source"),
        note=row.text("note"),
    )


def _dates(row: Row) -> tuple[date, date]:
    observed, review = row.day("observed_at"), row.day("review_after")
    if review <= observed:
        row.fault("review_after", "review_after is not after observed_at")
    return observed, review


@dataclass(frozen=True, slots=True)
class NamedCurve:
    """A published residual curve of one GPU."""

    name: str
    gpu: str
    curve: ResidualCurve
    observed_at: date
    review_after: date
    confidence: str
    source: str
    note: str


@cache
def residual_curves() -> Mapping[str, NamedCurve]:
    """Published residual curves by name; they contradict each other, so none is a default.

    Raises:
        DocumentError: with every fault of the file.
    """
    name = "residuals.csv"
    table = Table(data_path("finance", name).read_bytes(), name, _CURVE_COLUMNS, _CURVE_COLUMNS)
    points: dict[str, dict[int, Range]] = {}
    last: dict[str, Row] = {}
    for row in table.rows:
        curve = row.text("curve")
        low, high = row.number("low"), row.number("high")
        if not 0 <= low <= high <= 1:
            row.fault("low", "a residual needs 0 <= low <= high <= 1")
        row.gpu()
        points.setdefault(curve, {})[row.count("months")] = Range(low, high)
        last[curve] = row
    found = {curve: _curve(row, points[curve]) for curve, row in last.items()}
    table.check()
    return found


def _curve(row: Row, points: dict[int, Range]) -> NamedCurve:
    observed, review = _dates(row)
    return NamedCurve(
        name=row.text("curve"),
        gpu=row.text("gpu"),
        curve=ResidualCurve(points),
        observed_at=observed,
        review_after=review,
        confidence=row.word("confidence", CONFIDENCES, "C"),
        source=row.text("source"),
        note=row.text("note"),
    )
