"""Net advantage to leasing: buying on borrowed money against a lease of the same machine.

Brealey, Myers, Allen, Principles of Corporate Finance, chapter on leasing; Myers, Dill, Bautista
1976, Journal of Finance 31, 799-819: contractual flows are discounted at the after-tax cost of
debt, the residual, which is nobody's promise, at the project's rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from optimizer.finance.depreciation import Deductions
from optimizer.finance.rates import annuity, annuity_due
from optimizer.finance.tax import after_tax_rate, sale, shield_value


@dataclass(frozen=True, slots=True)
class LeaseOrBuy:
    deductions: Deductions
    """Of the purchase; its cost is the price."""
    lease_payment: Decimal
    """A year."""
    years: int
    residual: Decimal
    debt_rate: Decimal
    """Before tax."""
    residual_rate: Decimal
    tax_rate: Decimal = Decimal(0)
    in_advance: bool = False
    """Lease payments at the start of each year."""

    @property
    def discount_rate(self) -> Decimal:
        """After-tax cost of debt."""
        return after_tax_rate(self.debt_rate, self.tax_rate)

    @property
    def cost_of_buying(self) -> Decimal:
        """Price less what deductions save and what the sale brings after tax."""
        shielded = shield_value(self.deductions, self.tax_rate, self.discount_rate)
        sold = sale(self.deductions, self.residual, self.tax_rate).proceeds
        later = (1 + self.residual_rate) ** self.years
        return self.deductions.cost - shielded - sold / later

    @property
    def cost_of_leasing(self) -> Decimal:
        value = annuity_due if self.in_advance else annuity
        after_tax = self.lease_payment * (1 - self.tax_rate)
        return after_tax * value(Decimal(self.years), self.discount_rate)

    @property
    def net_advantage(self) -> Decimal:
        """``NAL = PV(buy) - PV(lease)``: above 0 lease, below 0 buy."""
        return self.cost_of_buying - self.cost_of_leasing

    def even_payment(self) -> Decimal:
        """Lease payment a year at which both cost the same."""
        return self.lease_payment * self.cost_of_buying / self.cost_of_leasing
