"""Depreciation and VAT presets: dated rules that a user names, and may overrule.

Rules of ``data/finance``, each with its source, the days it holds for and the day to look at it
again. Decision support, not advice; nothing here is on unless it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache

from optimizer.finance.depreciation import (
    Deductions,
    at_once,
    from_table,
    months_after_start,
    pool,
    straight_line,
)
from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.refusal import FinanceError
from optimizer.finance.vat import Supply
from providers.bundled import data_path
from providers.strict_table import Row, Table, near

POOL_YEARS = 25
"""A reducing balance never ends; at 14 % a year about 2 % is left after so many."""

_PRESET_COLUMNS = (
    "preset", "country", "method", "years", "residual_share", "first_year_share",
    "writing_down_share", "start", "table", "quarter", "unit_cap", "yearly_cap", "currency", "used",
    "valid_from", "valid_to", "checked_on", "review_after", "source", "note",
)  # fmt: skip
_TABLE_COLUMNS = ("table", "year", "percent", "checked_on", "source")
_VAT_COLUMNS = (
    "id", "country", "supply", "rate", "valid_from", "valid_to", "checked_on", "review_after",
    "source", "note",
)  # fmt: skip


class Method(StrEnum):
    STRAIGHT_LINE = "straight_line"
    AT_ONCE = "at_once"
    TABLE = "table"
    POOL = "pool"


class Allowed(StrEnum):
    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"


@dataclass(frozen=True, slots=True)
class Asset:
    """What is bought, as far as a rule asks."""

    unit_cost: Decimal
    """Of one machine: caps are tested by unit, not by order."""
    units: int
    currency: str
    in_use: date
    used: bool = False
    """Second-hand."""

    @property
    def cost(self) -> Decimal:
        return self.unit_cost * self.units

    @property
    def quarter(self) -> int:
        """Of the year, in which use begins."""
        return (self.in_use.month + 2) // 3


@dataclass(frozen=True, slots=True)
class Preset:
    """One rule of one country."""

    name: str
    country: str
    method: Method
    years: int
    residual_share: Decimal
    first_year_share: Decimal
    writing_down_share: Decimal
    start: str
    """month_of or month_after first use; empty where it does not matter."""
    percents: tuple[Decimal, ...]
    quarter: int | None
    """Of the year in which use begins, where the rule is for one quarter only."""
    unit_cap: Decimal | None
    yearly_cap: Decimal | None
    currency: str
    used: Allowed
    valid_from: date
    valid_to: date | None
    checked_on: date
    review_after: date
    source: str
    note: str

    @property
    def monthly(self) -> bool:
        """Whether it deducts at once, or in equal parts from the month after first use."""
        equal = self.method is Method.STRAIGHT_LINE and self.start == "month_after"
        return equal or self.method is Method.AT_ONCE

    def refusal(self, asset: Asset) -> str:
        """Why the rule does not apply, in one sentence; empty where it does."""
        if asset.in_use < self.valid_from or (self.valid_to and asset.in_use > self.valid_to):
            end = f"to {self.valid_to}" if self.valid_to else "on"
            return f"{self.name} holds from {self.valid_from} {end}, not on {asset.in_use}"
        if self.quarter not in (None, asset.quarter):
            when = f"quarter {self.quarter}, not {asset.quarter}"
            return f"{self.name} is for machines whose use begins in {when}"
        if asset.used and self.used is Allowed.NO:
            return f"{self.name} is for new and unused machines only"
        for what, cap, amount in (
            ("a machine", self.unit_cap, asset.unit_cost),
            ("all purchases of a year", self.yearly_cap, asset.cost),
        ):
            if cap is None:
                continue
            if asset.currency != self.currency:
                return f"{self.name} has a limit in {self.currency}; convert {asset.currency} first"
            if amount > cap:
                said = f"{amount:,f} {self.currency}"
                return f"{self.name} allows {cap:,f} {self.currency} for {what}, not {said}"
        return ""

    def warnings(self, asset: Asset, as_of: date) -> list[str]:
        """What to look at before relying on it."""
        found = []
        if asset.used and self.used is Allowed.CONDITIONAL:
            found.append(f"{self.name} covers only some used machines: {self.note}")
        if as_of > self.review_after:
            found.append(f"{self.name} was to be looked at again by {self.review_after}")
        return found

    def deductions(self, asset: Asset, *, force: bool = False) -> Deductions:
        """What is deducted each tax year (calendar year), the first being that of first use.

        Args:
            force: also where the rule does not apply, for a what-if.

        Raises:
            FinanceError: the rule does not apply; says why.
        """
        refused = self.refusal(asset)
        if refused and not force:
            raise FinanceError(refused)
        if self.method is Method.AT_ONCE:
            return at_once(asset.cost)
        if self.method is Method.TABLE:
            return from_table(asset.cost, self.percents)
        if self.method is Method.POOL:
            share, down = self.first_year_share, self.writing_down_share
            return pool(asset.cost, share, down, POOL_YEARS)
        months = months_after_start(asset.in_use.month)
        if self.start == "month_of":
            months = min(MONTHS_IN_YEAR, months + 1)
        return straight_line(asset.cost, self.years, self.residual_share, months)


@cache
def presets() -> dict[str, Preset]:
    """All depreciation rules by name.

    Raises:
        DocumentError: with every fault of the files.
    """
    tables = depreciation_tables()
    table = _open("depreciation.csv", _PRESET_COLUMNS, {"preset", "country", "currency"})
    found = {}
    for row in table.rows:
        preset = _preset(row, tables)
        if preset.name in found:
            row.fault("preset", f"preset '{preset.name}' is there twice")
        found[preset.name] = preset
    table.check()
    return found


def preset(name: str) -> Preset:
    """A rule by its name.

    Raises:
        FinanceError: there is none of that name.
    """
    known = presets()
    if name not in known:
        raise FinanceError(f"'{name}' is no depreciation preset; {near(name, list(known))}")
    return known[name]


def _preset(row: Row, tables: dict[str, tuple[Decimal, ...]]) -> Preset:
    method = row.choice("method", Method)
    if method is Method.STRAIGHT_LINE and not row.has("years"):
        row.fault("years", "years is empty; straight line needs them")
    if method is Method.TABLE and row.text("table") not in tables:
        row.fault("table", f"'{row.text('table')}' is no table of depreciation_tables.csv")
    zero = Decimal(0)
    checked, review = row.day("checked_on"), row.day("review_after")
    if review <= checked:
        row.fault("review_after", "review_after is not after checked_on")
    return Preset(
        name=row.text("preset"),
        country=row.text("country"),
        method=method,
        years=row.count("years", 1),
        residual_share=row.number("residual_share", zero),
        first_year_share=row.number("first_year_share", zero),
        writing_down_share=row.number("writing_down_share", zero),
        start=row.word("start", ("month_of", "month_after", ""), ""),
        percents=tables.get(row.text("table"), ()),
        quarter=row.maybe_count("quarter"),
        unit_cap=row.maybe_number("unit_cap"),
        yearly_cap=row.maybe_number("yearly_cap"),
        currency=row.text("currency"),
        used=row.choice("used", Allowed),
        valid_from=row.day("valid_from"),
        valid_to=row.maybe_day("valid_to"),
        checked_on=checked,
        review_after=review,
        source=row.text("source"),
        note=row.text("note"),
    )


@cache
def depreciation_tables() -> dict[str, tuple[Decimal, ...]]:
    """Statutory percentages by table, year by year; each adds up to 100."""
    table = _open("depreciation_tables.csv", _TABLE_COLUMNS, set(_TABLE_COLUMNS))
    found: dict[str, list[Decimal]] = {}
    last: dict[str, Row] = {}
    for row in table.rows:
        percents = found.setdefault(row.text("table"), [])
        if row.count("year") != len(percents) + 1:
            row.fault("year", f"year {len(percents) + 1} of the table is missing")
        percents.append(row.number("percent"))
        last[row.text("table")] = row
    for name, row in last.items():
        if (total := sum(found[name], Decimal(0))) != 100:
            row.fault("percent", f"table {name} adds up to {total} %, not 100 %")
    table.check()
    return {name: tuple(percents) for name, percents in found.items()}


@dataclass(frozen=True, slots=True)
class VatRate:
    """A VAT rate of one country for one kind of supply."""

    id: str
    country: str
    supply: Supply
    rate: Decimal
    valid_from: date
    valid_to: date | None
    checked_on: date
    review_after: date
    source: str
    note: str


@cache
def vat_rates() -> dict[str, VatRate]:
    """All VAT presets by id."""
    table = _open("vat.csv", _VAT_COLUMNS, set(_VAT_COLUMNS) - {"valid_to", "note"})
    found = {
        row.text("id"): VatRate(
            id=row.text("id"),
            country=row.text("country"),
            supply=row.choice("supply", Supply),
            rate=row.number("rate"),
            valid_from=row.day("valid_from"),
            valid_to=row.maybe_day("valid_to"),
            checked_on=row.day("checked_on"),
            review_after=row.day("review_after"),
            source=row.text("source"),
            note=row.text("note"),
        )
        for row in table.rows
    }
    table.check()
    return found


def _open(name: str, columns: tuple[str, ...], required: set[str]) -> Table:
    return Table(data_path("finance", name).read_bytes(), name, columns, required)
