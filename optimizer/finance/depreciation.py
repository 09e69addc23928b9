"""Deductions of a purchase over tax years, by method. Which method applies is in `presets`.

Deductions are positive amounts by tax year, 1 being the one in which use begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from optimizer.finance.rates import MONTHS_IN_YEAR, ONE
from optimizer.finance.refusal import FinanceError

HALF = Decimal("0.5")
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Deductions:
    """What is deducted each tax year, and what is left of the cost afterwards."""

    cost: Decimal
    by_year: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        return sum(self.by_year, Decimal(0))

    @property
    def left(self) -> Decimal:
        """Book value for tax that remains: residual, or a pool not yet written down."""
        return self.cost - self.total

    def written_off(self, year: int) -> Deductions:
        """The same with what is left deducted in that tax year, at disposal or scrapping."""
        years = list(self.by_year) + [Decimal(0)] * (year - len(self.by_year))
        years[year - 1] += self.left
        return Deductions(self.cost, tuple(years))


def straight_line(
    cost: Decimal, years: int, residual_share: Decimal = Decimal(0), months_in_first_year: int = 12
) -> Deductions:
    """Equal parts of cost less residual, by the month: ``(C - S) / n``.

    Args:
        months_in_first_year: of the tax year of first use in which it runs; what the first year
            misses falls in one more year at the end. China counts from the month after first use.
    """
    if not 0 <= months_in_first_year <= MONTHS_IN_YEAR:
        raise FinanceError("a tax year has from 0 to 12 months of depreciation")
    months = years * MONTHS_IN_YEAR
    monthly = cost * (1 - residual_share) / months
    by_year: list[Decimal] = []
    left, part = months, months_in_first_year
    while left > 0:
        taken = min(left, part)
        by_year.append(monthly * taken)
        left, part = left - taken, MONTHS_IN_YEAR
    return Deductions(cost, tuple(by_year))


def months_after_start(first_month: int) -> int:
    """Months of the first calendar year when depreciation begins the month after first use.

    >>> months_after_start(6)
    6
    """
    return MONTHS_IN_YEAR - first_month


def at_once(cost: Decimal) -> Deductions:
    """All in the first tax year: one-off deduction, 100 % bonus, full expensing, one-year life."""
    return Deductions(cost, (cost,))


def from_table(cost: Decimal, percents: Sequence[Decimal]) -> Deductions:
    """By a statutory table of percentages."""
    return Deductions(cost, tuple(cost * percent / HUNDRED for percent in percents))


def declining_table(life: int, first_year: Decimal, factor: Decimal = Decimal(2)) -> list[Decimal]:
    """Percentages of MACRS: declining balance, straight line once that gives more.

    Rates are ``factor / life`` of the balance; the first year holds the share `first_year` of a
    year (0.5 half-year convention; 0.875, 0.625, 0.375, 0.125 mid-quarter), and what it misses
    falls in one more year. Rounded to two decimals each year. Presets read the table itself; this
    is its check.
    """
    cent = Decimal("0.01")
    left, elapsed = Decimal(HUNDRED), Decimal(0)
    percents: list[Decimal] = []
    for year in range(life + 1):
        share = first_year if year == 0 else min(ONE, life - elapsed)
        declining = left * factor / life * share
        straight = left / (life - elapsed) * share
        taken = max(declining, straight).quantize(cent, ROUND_HALF_UP)
        if year == life:
            taken = left
        percents.append(taken)
        left, elapsed = left - taken, elapsed + share
    return percents


def until_sold(percents: Sequence[Decimal], cost: Decimal, year: int) -> Deductions:
    """A table up to a sale in that tax year, whose own deduction is halved (half-year rule)."""
    kept = [*percents[: year - 1], percents[year - 1] * HALF]
    return from_table(cost, kept)


def pool(cost: Decimal, first_share: Decimal, writing_down: Decimal, years: int) -> Deductions:
    """A first-year allowance, then a reducing balance: what is left when `years` end stays left.

    Without an allowance (`first_share` 0) the writing down begins in year 1.
    """
    by_year = [cost * first_share] if first_share else []
    left = cost - sum(by_year, Decimal(0))
    while len(by_year) < years:
        taken = left * writing_down
        by_year.append(taken)
        left -= taken
    return Deductions(cost, tuple(by_year))
