"""Tax that a deduction saves, tax on a sale, and buying against renting after tax.

Off unless asked for: a tax rate is always given, never assumed. A deduction is worth something only
against taxable profit of that year; every figure here supposes there is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from optimizer.finance.depreciation import Deductions
from optimizer.finance.rates import annuity
from optimizer.finance.time_value import npv

_QUARTERS = 4


def shield(deductions: Deductions, tax_rate: Decimal) -> list[Decimal]:
    """Tax saved by year, undiscounted."""
    return [tax_rate * amount for amount in deductions.by_year]


def shield_value(
    deductions: Deductions, tax_rate: Decimal, rate: Decimal, *, quarterly: bool = False
) -> Decimal:
    """Present value of the tax saved: ``sum T D_k / (1+r) ** k``.

    Taken at the end of the tax year that deducts; `quarterly` where tax is prepaid in four parts.
    """
    saved = [Decimal(0), *shield(deductions, tax_rate)]
    worth = npv(rate, saved)
    if not quarterly:
        return worth
    quarter = (1 + rate) ** (Decimal(1) / _QUARTERS)
    earlier = sum((quarter**k for k in range(_QUARTERS)), Decimal(0)) / _QUARTERS
    return worth * earlier


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale against the book value for tax; nothing is left after full deduction."""

    price: Decimal
    basis: Decimal
    tax_rate: Decimal

    @property
    def gain(self) -> Decimal:
        """Below 0: a deductible loss."""
        return self.price - self.basis

    @property
    def tax(self) -> Decimal:
        return self.tax_rate * self.gain

    @property
    def proceeds(self) -> Decimal:
        return self.price - self.tax


def sale(deductions: Deductions, price: Decimal, tax_rate: Decimal) -> Sale:
    """A sale for so much after these deductions."""
    return Sale(price, deductions.left, tax_rate)


def buying_after_tax(
    deductions: Deductions,
    yearly_saving: Decimal,
    years: int,
    resale: Decimal,
    tax_rate: Decimal,
    rate: Decimal,
) -> Decimal:
    """NPV of buying instead of renting, after tax.

    ``-C + (rent - running)(1-T) a(n,r) + PV(T D) + (S - tax on the gain) / (1+r) ** n``, rent and
    running costs deducted when paid. The same flows at T = 0 are the figure before tax, which is
    shown beside it.
    """
    operating = yearly_saving * (1 - tax_rate) * annuity(Decimal(years), rate)
    sold = sale(deductions, resale, tax_rate).proceeds / (1 + rate) ** years
    return -deductions.cost + operating + shield_value(deductions, tax_rate, rate) + sold


def first_year_saving(deductions: Deductions, tax_rate: Decimal) -> Decimal:
    """Tax saved in the first tax year, undiscounted; 0 where nothing is deducted in it."""
    return next(iter(shield(deductions, tax_rate)), Decimal(0))


def after_tax_rate(rate: Decimal, tax_rate: Decimal) -> Decimal:
    """Cost of debt whose interest is deducted: ``r (1 - T)``."""
    return rate * (1 - tax_rate)
