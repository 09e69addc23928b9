"""The terms on which capacity is sold: purchase model, billing increment, tenor, tier."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class PurchaseModel(StrEnum):
    """How the seller names the deal."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED = "reserved"
    SAVINGS_PLAN = "savings_plan"
    COMMITTED_USE = "committed_use"
    CAPACITY_BLOCK = "capacity_block"
    PREPAID = "prepaid"


class Increment(StrEnum):
    """The unit a bill is rounded up to; a tenor of several is billed one by one."""

    SECOND = "second"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Tier(StrEnum):
    """What kind of seller stands behind the machine. Prices of two tiers are two products."""

    HYPERSCALER = "hyperscaler"
    SPECIALIST = "specialist"
    MARKETPLACE = "marketplace"
    WHOLESALE = "wholesale"
    OWN_QUOTE = "own_quote"


HOURS_IN_BILLED_MONTH = 730
"""A bill's month; January has 744 hours."""


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True, order=True)
class Tenor:
    """How long a commitment runs; nothing (0, 0) for what can be given back at once."""

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if min(self.months, self.days) < 0 or (self.months and self.days):
            raise ValueError(f"a tenor is months or days, got {self.months} and {self.days}")

    @classmethod
    def parse(cls, text: str) -> Tenor:
        """From an ISO 8601 duration of whole days, weeks, months or years: P7D, P1W, P3M, P1Y.

        Raises:
            ValueError: anything else.
        """
        factors = {"D": (0, 1), "W": (0, 7), "M": (1, 0), "Y": (12, 0)}
        number, unit = text[1:-1], text[-1:]
        if not text.startswith("P") or unit not in factors or not number.isdecimal():
            raise ValueError(f"'{text}' is not a tenor such as P1D, P7D, P1M, P1Y")
        months, days = factors[unit]
        return cls(months * int(number), days * int(number))

    def __str__(self) -> str:
        if self.months:
            return f"P{self.months // 12}Y" if self.months % 12 == 0 else f"P{self.months}M"
        return f"P{self.days}D" if self.days else ""

    def __bool__(self) -> bool:
        return bool(self.months or self.days)

    def end(self, start: date) -> date:
        """First day after the term that starts on `start`; months are calendar months."""
        return add_months(start, self.months) if self.months else start + timedelta(self.days)

    @property
    def about_days(self) -> float:
        """Mean length in days (a month is 365/12), for sorting and comparing only."""
        return self.months * 365 / 12 + self.days
