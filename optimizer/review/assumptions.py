"""Every default of the product in one list, with value, source, age and day of review.

Rules, published ranges and what schedules take come from ``data/finance``; running costs and
exchange rates from their tables; constants of the sizing formulas from the tables and the module
that the formulas read, so that the list cannot say something else than the program does.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from optimizer.finance.defaults import Default, NamedCurve, defaults, residual_curves
from optimizer.finance.presets import Method, Preset, presets, vat_rates
from optimizer.sizing import constants
from providers.bundled import data_path
from providers.fx import bundled_fx
from providers.price_table import read_running_costs

PRICE_DAYS = 90
"""Running costs and exchange rates are due for a look after so many days, as prices are."""
_SIZING = "sizing.constants"
_FITTED = {"speed": "inference_constants.csv", "memory": "memory.csv", "training": "training.csv"}
"""Tables of ``data/sizing`` that `make calibrate` writes, by what they are for."""


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a default is due to be looked at again, as of a day."""

    default: Default
    age_days: int
    due: bool


def assumptions() -> list[Default]:
    """All of them, by group and id.

    Raises:
        DocumentError: a bundled table is faulty.
    """
    listed = [*defaults().values(), *_rules(), *_vat(), *_curves(), *_running_costs(), *_rates()]
    listed += _sizing(defaults()[_SIZING])
    return sorted(listed, key=lambda row: (row.group, row.id))


def reviewed(as_of: date) -> list[Due]:
    """The same with their age on a day."""
    return [Due(row, row.age_days(as_of), row.is_due(as_of)) for row in assumptions()]


def _offered(id: str, group: str, value: str, unit: str, dates: tuple[date, date]) -> Default:
    """A row that counts only where it is named."""
    observed, review = dates
    return Default(
        id=id, group=group, value=value, low=None, high=None, unit=unit, currency="", region="",
        applied=False, observed_at=observed, review_after=review, confidence="B", source="",
    )  # fmt: skip


def _rules() -> Iterator[Default]:
    for rule in presets().values():
        row = _offered(
            f"depreciation.{rule.name}", "depreciation", _rule_words(rule), "",
            (rule.checked_on, rule.review_after),
        )  # fmt: skip
        until = f" to {rule.valid_to}" if rule.valid_to else ""
        note = f"holds from {rule.valid_from}{until}; {rule.note}"
        region, currency = rule.country.lower(), rule.currency
        yield replace(row, region=region, currency=currency, source=rule.source, note=note)


def _rule_words(rule: Preset) -> str:
    if rule.method is Method.STRAIGHT_LINE:
        return f"straight line over {rule.years} years to {rule.residual_share:.0%}"
    if rule.method is Method.TABLE:
        return " / ".join(f"{percent:f}" for percent in rule.percents) + " %"
    if rule.method is Method.POOL:
        first = f"{rule.first_year_share:.0%} at first, then " if rule.first_year_share else ""
        return f"{first}{rule.writing_down_share:.0%} of the balance a year"
    return "all in the first year"


def _vat() -> Iterator[Default]:
    for rate in vat_rates().values():
        dates = rate.checked_on, rate.review_after
        row = _offered(f"vat.{rate.id}", "vat", f"{rate.rate:f}", "share", dates)
        yield replace(row, region=rate.country.lower(), source=rate.source, note=rate.note)


def _curves() -> Iterator[Default]:
    for curve in residual_curves().values():
        dates = curve.observed_at, curve.review_after
        row = _offered(
            f"residual.{curve.name}", "residual", _curve_words(curve), "share of the price", dates
        )
        yield replace(
            row, confidence=curve.confidence, source=curve.source,
            note=f"{curve.gpu}; {curve.note}",
        )  # fmt: skip


def _curve_words(curve: NamedCurve) -> str:
    points = sorted(curve.curve.points.items())
    return ", ".join(f"{m} months: {span.low:f}-{span.high:f}" for m, span in points)


def _running_costs() -> Iterator[Default]:
    for cost in read_running_costs(data_path("hardware", "running_costs.csv")):
        place = "" if cost.region == "any" else f".{cost.region}"
        name = cost.item.replace("(", "").replace(")", "").replace(" ", "_")
        due = cost.observed_at + timedelta(days=PRICE_DAYS)
        row = _offered(
            f"running.{name}{place}.{cost.value.currency.lower()}", "hardware",
            f"{cost.value.amount:f}", cost.unit, (cost.observed_at, due),
        )  # fmt: skip
        yield replace(
            row, currency=cost.value.currency, region=cost.region, confidence=cost.confidence,
            source=cost.source, note=cost.note,
        )  # fmt: skip


def _rates() -> Iterator[Default]:
    """The last day of the bundled table; a price store or a schedule goes before it."""
    table = bundled_fx()
    day = max(table.per_pivot)
    for currency, value in sorted(table.per_pivot[day].items()):
        dates = day, day + timedelta(days=PRICE_DAYS)
        unit = f"{currency} for 1 {table.pivot}"
        row = _offered(f"fx.{table.pivot}{currency}".lower(), "fx", f"{value:f}", unit, dates)
        yield replace(row, applied=True, confidence="C", source=table.source)


def _sizing(like: Default) -> Iterator[Default]:
    """Rules of the sizing module, and every fitted constant."""
    for name, found in vars(constants).items():
        if not name.isupper() or name.startswith("_") or name in ("GB", "GIB"):
            continue
        for id, value in _numbers(f"sizing.{name.lower()}", found):
            yield replace(like, id=id, value=value, note="")
    for use, table in _FITTED.items():
        with data_path("sizing", table).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name = (row.get("name") or row["constant"]).replace(" ", "_")
                basis = "fitted" if int(row["rows"]) else "no measurements, its prior"
                note = f"{basis}: data/sizing/{table}"
                yield replace(
                    like,
                    id=f"sizing.{use}.{name}",
                    value=row["value"],
                    unit=row["unit"],
                    note=note,
                )


def _numbers(id: str, found: object) -> Iterator[tuple[str, str]]:
    if isinstance(found, bool):
        yield id, str(found).lower()
    elif isinstance(found, int | float):
        yield id, f"{Decimal(repr(found)).normalize():f}"
    elif isinstance(found, dict):
        for key, value in found.items():
            name = "-".join(map(str, key)) if isinstance(key, tuple) else str(key)
            yield from _numbers(f"{id}.{name}", value)
    elif isinstance(found, tuple):
        yield id, ", ".join(str(part) for part in found)
    elif is_dataclass(found):
        for field in fields(found):
            yield from _numbers(f"{id}.{field.name}", getattr(found, field.name))
