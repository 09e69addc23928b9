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
    taxed_at_year_end: bool = False
    """Tax on payments in advance is saved at the end of the year they are for, not with them."""
    upkeep: Decimal = Decimal(0)
    """A year, at its end, before tax: what an owner pays and the lease includes."""
    purchase_option: Decimal = Decimal(0)
    """Price at which the lessee takes the machine over at the end; from then on it is worth its
    residual to them, as to a buyer. 0: it goes back."""

    @property
    def discount_rate(self) -> Decimal:
        """After-tax cost of debt."""
        return after_tax_rate(self.debt_rate, self.tax_rate)

    @property
    def cost_of_buying(self) -> Decimal:
        """Price and upkeep less what deductions save and what the sale brings after tax."""
        shielded = shield_value(self.deductions, self.tax_rate, self.discount_rate)
        sold = sale(self.deductions, self.residual, self.tax_rate).proceeds
        later = (1 + self.residual_rate) ** self.years
        kept = self._worth(self.upkeep * (1 - self.tax_rate))
        return self.deductions.cost + kept - shielded - sold / later

    @property
    def cost_of_leasing(self) -> Decimal:
        """Payments after tax, and what it takes to own the machine at the end where one may."""
        paid = self._worth(self.lease_payment, advance=self.in_advance)
        late = self.in_advance and not self.taxed_at_year_end
        saved = self._worth(self.lease_payment * self.tax_rate, advance=late)
        return paid - saved + self._taken_over

    @property
    def _taken_over(self) -> Decimal:
        """The option's price less the residual that the machine then has after tax."""
        if not self.purchase_option:
            return Decimal(0)
        later = (1 + self.residual_rate) ** self.years
        gain = self.residual - self.purchase_option
        return (self.purchase_option - self.residual + self.tax_rate * gain) / later

    def _worth(self, yearly: Decimal, *, advance: bool = False) -> Decimal:
        value = annuity_due if advance else annuity
        return yearly * value(Decimal(self.years), self.discount_rate)

    @property
    def net_advantage(self) -> Decimal:
        """``NAL = PV(buy) - PV(lease)``: above 0 lease, below 0 buy."""
        return self.cost_of_buying - self.cost_of_leasing

    def even_payment(self) -> Decimal:
        """Lease payment a year at which both cost the same."""
        per_unit = (self.cost_of_leasing - self._taken_over) / self.lease_payment
        return (self.cost_of_buying - self._taken_over) / per_unit
