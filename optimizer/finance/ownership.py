r"""What owning a fleet costs a year, line by line.

$$own(u) = \frac{C - S (1+r)^{-n}}{a(n,r)} + operations + m C + hosting + staff + insurance
    + 8760\,(u P_{busy} + (1-u) P_{idle})\, PUE\, tariff$$

r = 0 is the accounting view (straight line), r > 0 the economic one (capital recovery). Where
owning and renting meet is worked out in `optimizer.breakeven`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from optimizer.finance.energy import yearly_kwh
from optimizer.finance.rates import MONTHS_IN_YEAR
from optimizer.finance.refusal import FinanceError
from optimizer.finance.time_value import equivalent_annual_cost


@dataclass(frozen=True, slots=True)
class Staff:
    """People come in steps, not in proportion: the ninth node may need the next half post."""

    salary: Decimal
    """Of a full post a year, with what the employer adds."""
    nodes_per_step: int
    """Nodes that one step of staff looks after."""
    step: Decimal = Decimal(1)
    """Posts in a step."""

    def posts(self, nodes: int) -> Decimal:
        return self.step * -(-nodes // self.nodes_per_step)

    def cost(self, nodes: int) -> Decimal:
        return self.posts(nodes) * self.salary


@dataclass(frozen=True, slots=True)
class Hosting:
    """Colocation by the kilowatt and month."""

    per_kw_month: Decimal
    includes_energy: bool
    """Whether the price covers electricity: never guessed, it moves the cost by a third."""
    kw: Decimal
    """What is paid for, busy power as a rule."""

    @property
    def cost(self) -> Decimal:
        return self.per_kw_month * self.kw * MONTHS_IN_YEAR


@dataclass(frozen=True, slots=True)
class Fleet:
    """Owned nodes of one kind, in one currency; figures of the whole fleet."""

    nodes: int
    gpus: int
    price: Decimal
    """Of all nodes at work, without spares."""
    years: Decimal
    """From delivery to sale."""
    residual: Decimal
    """Share of what was paid that the sale brings, net of its cost."""
    busy_kw: Decimal = Decimal(0)
    idle_kw: Decimal = Decimal(0)
    pue: Decimal = Decimal(1)
    tariff: Decimal = Decimal(0)
    """A kWh."""
    operations: Decimal = Decimal(0)
    """A year, whatever the use."""
    maintenance: Decimal = Decimal(0)
    """Share of what was paid a year."""
    insurance: Decimal = Decimal(0)
    """Share of what was paid a year."""
    spares: Decimal = Decimal(0)
    """Share of the nodes at work, bought on top; from `reliability.spares_needed` or by custom."""
    hosting: Hosting | None = None
    staff: Staff | None = None
    always_on: bool = True
    """Whether idle nodes draw power."""
    other_capex: Decimal = field(default=Decimal(0))
    """Network, storage, racks: kept as long as the nodes."""

    def __post_init__(self) -> None:
        if self.gpus < 1 or self.years <= 0:
            raise FinanceError("a fleet needs at least one GPU and some time in use")
        if not 0 <= self.residual <= 1:
            raise FinanceError(f"a residual of {self.residual:%} of the price is not one")

    @property
    def capex(self) -> Decimal:
        return self.price * (1 + self.spares) + self.other_capex

    def capital(self, rate: Decimal) -> Decimal:
        """Loss of value a year: depreciation, with interest where the rate is not 0."""
        return equivalent_annual_cost(self.capex, self.capex * self.residual, self.years, rate)

    def energy(self, use: Decimal) -> Decimal:
        """0 where hosting covers it."""
        if self.hosting is not None and self.hosting.includes_energy:
            return Decimal(0)
        idle = self.idle_kw if self.always_on else Decimal(0)
        return yearly_kwh(use, self.busy_kw, idle, self.pue) * self.tariff

    def lines(self, use: Decimal, rate: Decimal = Decimal(0)) -> dict[str, Decimal]:
        """A year's costs by name; they add up to `total`."""
        return {
            "capital": self.capital(rate),
            "operations": self.operations,
            "maintenance": self.maintenance * self.capex,
            "insurance": self.insurance * self.capex,
            "hosting": self.hosting.cost if self.hosting else Decimal(0),
            "staff": self.staff.cost(self.nodes) if self.staff else Decimal(0),
            "electricity": self.energy(use),
        }

    def total(self, use: Decimal, rate: Decimal = Decimal(0)) -> Decimal:
        return sum(self.lines(use, rate).values(), Decimal(0))


def nodes_for(work: Decimal, per_node: Decimal, use: Decimal) -> int:
    """Whole nodes that serve `work` when each serves `per_node` at full use, `use` on average.

    >>> nodes_for(Decimal(100), Decimal(40), Decimal("0.7"))
    4
    """
    return int((work / (per_node * use)).to_integral_value(ROUND_CEILING))
