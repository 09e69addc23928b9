"""Dated exchange rates. Every conversion says at which rate, of which day."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from providers.bundled import data_path
from providers.errors import PriceError
from providers.money import Money


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `base` costs `value` units of `quote`."""

    base: str
    quote: str
    value: Decimal
    day: date
    source: str


@dataclass(frozen=True, slots=True)
class FxTable:
    """Rates against one pivot currency by day; a fixed rate, when set, wins over all of them."""

    pivot: str
    per_pivot: Mapping[date, Mapping[str, Decimal]]
    """Day → currency → units of it for one unit of the pivot."""
    source: str
    fixed: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    days: tuple[date, ...] = field(init=False, repr=False, compare=False)
    """All that are known, in order."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", tuple(sorted(self.per_pivot)))

    def rate(self, base: str, quote: str, on: date) -> Rate:
        """The rate of the last known day not after `on`, else of the first known day.

        Raises:
            PriceError: the table does not know one of the currencies.
        """
        if base == quote:
            return Rate(base, quote, Decimal(1), on, "same currency")
        if (base, quote) in self.fixed:
            return Rate(base, quote, self.fixed[base, quote], on, "fixed in the schedule")
        if (quote, base) in self.fixed:
            return Rate(base, quote, 1 / self.fixed[quote, base], on, "fixed in the schedule")
        day = self.days[max(0, bisect_right(self.days, on) - 1)]
        units = {self.pivot: Decimal(1), **self.per_pivot[day]}
        for currency in (base, quote):
            if currency not in units:
                known = ", ".join(sorted(units))
                raise PriceError(f"no exchange rate for {currency} on {day}; known: {known}")
        return Rate(base, quote, units[quote] / units[base], day, self.source)

    def convert(self, money: Money, to: str, on: date) -> Money:
        """`money` in currency `to`, exact to the Decimal context (28 digits)."""
        if money.currency == to:
            return money
        return Money(money.amount * self.rate(money.currency, to, on).value, to)


def bundled_fx() -> FxTable:
    """The rates in ``data/fx/rates.csv``."""
    table: dict[date, dict[str, Decimal]] = {}
    source = ""
    with data_path("fx", "rates.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            table.setdefault(date.fromisoformat(row["day"]), {})[row["currency"]] = Decimal(
                row["per_eur"]
            )
            source = row["source"]
    return FxTable("EUR", table, source)
