r"""One owned node against one rental: costs a year, and where the two meet, in closed form.

With C the price of the node, S what it brings when sold after n years, u the share of hours in
use, G its GPUs and p the rent of a GPU-hour:

$$own(u) = \frac{C - S (1+r)^{-n}}{a(n,r)} + fixed + m C
    + 8760\,(u P_{busy} + (1-u) P_{idle})\, PUE\, tariff, \qquad rent(u) = 8760\, G\, u\, p$$

r = 0 is the accounting view (straight line), r > 0 the economic one (capital recovery). Energy
depends on use: taking the rated power for all hours moves the break-even by a tenth and more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from optimizer.finance.energy import HOURS_IN_YEAR, yearly_kwh
from optimizer.finance.rates import MONTHS_IN_YEAR, annuity, monthly_rate
from optimizer.finance.roots import bisect

MOST_MONTHS = 120
"""Paybacks are looked for so far; hardware does not last longer."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An owned node and the rental it would replace, in one currency."""

    gpus: int
    capex: Decimal
    """Of the node."""
    years: Decimal
    """It is kept, from delivery to resale."""
    residual: Decimal
    """Share of the capex that the resale brings then, net of its cost."""
    busy_kw: Decimal
    idle_kw: Decimal
    """0 when the node is switched off while nothing runs."""
    pue: Decimal
    tariff: Decimal
    """A kWh, mean over the day."""
    fixed: Decimal
    """Hosting and operations a year."""
    maintenance: Decimal
    """Share of the capex a year."""
    rent: Decimal
    """Of what replaces one of its GPUs, for an hour."""
    use: Decimal
    """Share of the hours in which the node is busy, or rented instead."""
    rate: Decimal = Decimal(0)
    """Annual effective; 0 is the accounting view."""
    payments: int = MONTHS_IN_YEAR
    """Payments a year: running costs and rent are due at the end of each period."""

    # -- costs -----------------------------------------------------------------------------

    @property
    def annuity(self) -> Decimal:
        """Present value of one unit a year, in `payments` parts, over the years kept."""
        return annuity(self.years, self.rate, self.payments)

    @property
    def resale(self) -> Decimal:
        return self.capex * self.residual

    @property
    def capital(self) -> Decimal:
        """What the node loses a year: depreciation, with interest when the rate is not 0."""
        return (self.capex - self.resale / (1 + self.rate) ** self.years) / self.annuity

    @property
    def fixed_costs(self) -> Decimal:
        """A year of owning without electricity."""
        return self.capital + self.fixed + self.maintenance * self.capex

    @property
    def kwh(self) -> Decimal:
        """A year's electricity, at the meter."""
        return yearly_kwh(self.use, self.busy_kw, self.idle_kw, self.pue)

    @property
    def own(self) -> Decimal:
        """A year of owning."""
        return self.fixed_costs + self.kwh * self.tariff

    @property
    def rented(self) -> Decimal:
        """A year of renting the same hours."""
        return HOURS_IN_YEAR * self.gpus * self.use * self.rent

    @property
    def difference(self) -> Decimal:
        """Present value of owning less that of renting; 0 at every break-even."""
        return (self.own - self.rented) * self.annuity

    @property
    def per_gpu_hour(self) -> Decimal:
        """Cost of an hour of one GPU that is really used."""
        return self.own / (HOURS_IN_YEAR * self.gpus * self.use)

    @property
    def monthly_saving(self) -> Decimal:
        """Rent that is not paid, less the running costs of owning."""
        running = self.fixed + self.maintenance * self.capex + self.kwh * self.tariff
        return (self.rented - running) / MONTHS_IN_YEAR

    # -- where owning and renting cost the same ----------------------------------------------

    def even_use(self) -> Decimal | None:
        """Share of the hours; above 1 renting always wins. None: an hour of rent costs no more
        than the electricity of an hour, so no use pays the node back."""
        idle = HOURS_IN_YEAR * self.idle_kw * self.pue * self.tariff
        busy = HOURS_IN_YEAR * self.busy_kw * self.pue * self.tariff
        each = HOURS_IN_YEAR * self.gpus * self.rent - (busy - idle)
        return (self.fixed_costs + idle) / each if each > 0 else None

    def even_rent(self) -> Decimal | None:
        """Rent of a GPU-hour: what an hour in use costs when owned. None: it is never used."""
        return self.per_gpu_hour if self.use > 0 else None

    def even_capex(self) -> Decimal:
        """Price of the node; below 0 renting wins even against a gift."""
        share = (1 - self.residual / (1 + self.rate) ** self.years) / self.annuity
        return (self.rented - self.fixed - self.kwh * self.tariff) / (share + self.maintenance)

    def even_tariff(self) -> Decimal | None:
        """Price of a kWh; below 0 renting wins even with free electricity."""
        return (self.rented - self.fixed_costs) / self.kwh if self.kwh else None

    def even_residual(self) -> Decimal:
        """Share of the price that the resale must bring; above 1 no resale is enough, below 0
        owning wins even when the node ends as scrap."""
        running = self.fixed + self.maintenance * self.capex + self.kwh * self.tariff
        owed = self.capex - (self.rented - running) * self.annuity
        return owed * (1 + self.rate) ** self.years / self.capex

    def even_rate(self) -> Decimal | None:
        """Discount rate at which the purchase breaks even: its internal rate of return.

        Bisection on the closed form, between -99 % and 1000 % a year. None: nowhere in between.
        """
        return bisect(lambda r: replace(self, rate=r).difference, Decimal("-0.99"), Decimal(10))

    # -- months ------------------------------------------------------------------------------

    def advantage(self, months: Decimal, resale: Decimal, delay: Decimal = Decimal(0)) -> Decimal:
        """Present value of buying less renting over `months`, used from month `delay` on.

        Args:
            resale: money that the node brings at the end.
            delay: months from payment to delivery, in which the rent goes on.
        """
        kept = _months_annuity(months, self.rate) - _months_annuity(delay, self.rate)
        discounted = resale / (1 + self.rate) ** (months / MONTHS_IN_YEAR)
        return -self.capex + self.monthly_saving * kept + discounted

    def payback(self) -> Decimal | None:
        """Months until the savings have paid the price, nothing sold. None: never."""
        saving, per_month = self.monthly_saving, monthly_rate(self.rate)
        if saving <= 0:
            return None
        if not self.rate:
            return self.capex / saving
        left = 1 - self.capex * per_month / saving
        return -left.ln() / (1 + per_month).ln() if left > 0 else None

    def payback_with_resale(self, resale: Callable[[Decimal], Decimal]) -> Decimal | None:
        """Months from which on buying has paid for itself if the node is sold at that age.

        The last crossing within `MOST_MONTHS`: a resale price that is still high at age 0 must
        not be taken for a payback. None: not paid back by then.

        Args:
            resale: share of the price by age in months, net of the cost of the sale.
        """

        def ahead(months: Decimal) -> Decimal:
            return self.advantage(months, self.capex * resale(months))

        late = Decimal(MOST_MONTHS)
        if ahead(late) < 0:
            return None
        for month in range(MOST_MONTHS - 1, -1, -1):
            if ahead(Decimal(month)) < 0:
                return bisect(ahead, Decimal(month), Decimal(month + 1))
        return Decimal(0)

    def even_delay(self) -> Decimal | None:
        """Months of delay, within the time kept, that use up the gain of buying. None: no gain."""
        months = self.years * MONTHS_IN_YEAR
        saving, gain = self.monthly_saving, self.advantage(months, self.resale)
        if gain < 0 or saving <= 0:
            return None
        if not self.rate:
            return gain / saving
        per_month = monthly_rate(self.rate)
        left = 1 - gain / saving * per_month
        return -left.ln() / (1 + per_month).ln() if left > 0 else None


def _months_annuity(months: Decimal, rate: Decimal) -> Decimal:
    return annuity(months / MONTHS_IN_YEAR, rate, MONTHS_IN_YEAR) * MONTHS_IN_YEAR


def commitment_even_use(committed: Decimal, on_demand: Decimal) -> Decimal:
    """Share of the hours of a term above which a committed price beats paying by the hour.

    >>> commitment_even_use(Decimal("1.43"), Decimal("2.2"))
    Decimal('0.65')
    """
    return committed / on_demand
