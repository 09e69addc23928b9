"""What a plan spends, where no purchase can be weighed: signed for, bought, or paid by use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from optimizer.costs import Flow
from optimizer.finance.defaults import defaults
from optimizer.plans import Plan
from optimizer.problem import Problem
from optimizer.review.commitments import Commitment, commitments
from optimizer.review.memo.check import Check
from optimizer.review.memo.decision import Ends, price_ends
from optimizer.review.sides import Side
from optimizer.review.workbook.question import NothingToWeighError

ZERO = Decimal(0)
CAPITAL = ("purchase", "resale")
"""Lines of the bill that buy, and sell again."""


@dataclass(frozen=True, slots=True)
class Spending:
    plan: Plan
    why: NothingToWeighError
    """Why no purchase is weighed."""
    signed: tuple[Commitment, ...]
    bill: tuple[tuple[date, str, str, Decimal], ...]
    """(day, component, cause, amount), in the order of the days."""
    rate: Decimal
    """Discount rate a year, effective."""
    swing: Decimal
    """Share by which prices are moved, for want of data."""
    until: Ends
    checks: tuple[Check, ...]
    vat: str
    """ignore, recoverable or cost"""

    @property
    def committed(self) -> Decimal:
        """Owed once the terms are signed, used or not; undiscounted, as is all that follows."""
        return sum((each.cost for each in self.signed), ZERO)

    @property
    def bought(self) -> Decimal:
        """Purchases less what their sale brings."""
        return sum((line.amount for line in self.plan.ledger if line.component in CAPITAL), ZERO)

    @property
    def by_use(self) -> Decimal:
        """The rest: ends with the work."""
        return self.plan.total - self.committed - self.bought

    @property
    def dearer(self) -> Decimal:
        """What the plan costs more where all that is paid by use gets dearer by `swing`."""
        return self.by_use * self.swing

    @property
    def verdict(self) -> str:
        """buy, sign, use or free: the strongest tie that the plan makes."""
        if self.plan.bought:
            return "buy"
        if self.signed:
            return "sign"
        return "use" if self.plan.total else "free"

    def expired(self) -> bool:
        return self.until.day < self.plan.as_of


def make_spending(plan: Plan, problem: Problem, side: Side, why: NothingToWeighError) -> Spending:
    """
    Args:
        side: the plan with its bill (`plan_figures.plan_side`).
    """
    flows = sorted(side.bill, key=lambda item: (item[1].day, item[1].component, item[0]))
    return Spending(
        plan=plan,
        why=why,
        signed=commitments(plan, problem),
        bill=tuple(_line(side, cause, flow) for cause, flow in flows),
        rate=side.rate,
        swing=defaults()["risk.swing"].number,
        until=min(_ends(plan, problem), key=lambda end: end.day),
        checks=tuple(_checks(plan, side)),
        vat=problem.costs.money.vat,
    )


def _line(side: Side, cause: str, flow: Flow) -> tuple[date, str, str, Decimal]:
    return side.day(flow.day), flow.component, cause, flow.amount


def _ends(plan: Plan, problem: Problem) -> Iterator[Ends]:
    yield from price_ends(plan, problem)
    yield from (Ends(line.paid, "payment", line.node) for line in plan.bought)
    yield from (Ends(rental.start, "start", rental.offer) for rental in plan.rentals)
    yield Ends(plan.first_day, "begin", "")


def _checks(plan: Plan, side: Side) -> Iterator[Check]:
    """The bill put together again from decisions and prices, against the plan's own sums."""
    whole = abs(plan.total) or Decimal(1)

    def check(name: str, one: Decimal, other: Decimal) -> Check:
        return Check(name, abs(one - other) / whole)

    yield check("bill", plan.total, side.total)
    yield check("bill_worth", plan.npv, side.present_value)
    yield check("bill_months", plan.total, sum((paid for _, paid in plan.cash_flow), ZERO))
    rent = sum((line.amount for line in plan.ledger if line.component == "rent"), ZERO)
    yield check("bill_rentals", rent, sum((rental.cost for rental in plan.rentals), ZERO))
