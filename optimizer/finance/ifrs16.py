"""Leases in the books (IFRS 16): the schedule, and flags for the accountant who decides.

IFRS 16 paragraphs 9 and B9-B31 (identifying a lease; B14-B19 substitution), 26 (liability at the
present value of payments), 31-32 (depreciation), 36 (interest), 5-6 and appendix A (short-term:
12 months or less and no purchase option). Cash, and so NPV, is the same whatever the books say.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from optimizer.finance.rates import MONTHS_IN_YEAR, annuity, annuity_due, per_period
from optimizer.finance.refusal import FinanceError

SHORT_TERM_MONTHS = 12


@dataclass(frozen=True, slots=True)
class LeaseMonth:
    month: int
    """From 1."""
    opening: Decimal
    interest: Decimal
    payment: Decimal
    closing: Decimal
    depreciation: Decimal

    @property
    def expense(self) -> Decimal:
        """Below EBITDA; the fee of a service contract would stand above it."""
        return self.interest + self.depreciation


@dataclass(frozen=True, slots=True)
class LeaseSchedule:
    """Liability and right of use, month by month."""

    liability: Decimal
    right_of_use: Decimal
    months: tuple[LeaseMonth, ...]
    payments_a_year: int = MONTHS_IN_YEAR

    def year(self, number: int) -> tuple[LeaseMonth, ...]:
        """Months of a lease year, from 1."""
        each = self.payments_a_year
        return self.months[(number - 1) * each : number * each]

    def interest(self, year: int) -> Decimal:
        return sum((m.interest for m in self.year(year)), Decimal(0))

    def expense(self, year: int) -> Decimal:
        return sum((m.expense for m in self.year(year)), Decimal(0))

    @property
    def total_expense(self) -> Decimal:
        """All payments and direct costs, in the end: only timing and line differ."""
        return sum((m.expense for m in self.months), Decimal(0))


def lease_schedule(
    payment: Decimal,
    months: int,
    borrowing_rate: Decimal,
    *,
    in_advance: bool = False,
    direct_costs: Decimal = Decimal(0),
    incentives: Decimal = Decimal(0),
    final_payment: Decimal = Decimal(0),
    payments_a_year: int = MONTHS_IN_YEAR,
) -> LeaseSchedule:
    """Equal payments at the incremental borrowing rate (annual effective).

    ``L = P a(n, i) + F / (1+i) ** n``; interest on what is open, depreciation in equal parts.
    Payments in advance leave only the final one to pay at the end.

    Args:
        months: periods of the lease; months unless `payments_a_year` says otherwise.
        incentives: received from the lessor, off the right of use.
        final_payment: at the end: a residual that is guaranteed, or a purchase option that is
            reasonably certain to be taken.

    Raises:
        FinanceError: no month to pay for.
    """
    if months < 1:
        raise FinanceError("a lease needs at least one month")
    rate = per_period(borrowing_rate, payments_a_year)
    value = annuity_due if in_advance else annuity
    liability = payment * value(Decimal(months), rate) + final_payment / (1 + rate) ** months
    right = liability + direct_costs - incentives
    rows: list[LeaseMonth] = []
    balance = liability
    for month in range(1, months + 1):
        bearing = balance - payment if in_advance else balance
        interest = bearing * rate
        closing = balance + interest - payment - (final_payment if month == months else 0)
        rows.append(LeaseMonth(month, balance, interest, payment, closing, right / months))
        balance = closing
    return LeaseSchedule(liability, right, tuple(rows), payments_a_year)


@dataclass(frozen=True, slots=True)
class Contract:
    """What decides whether renting is a lease; None: the contract does not say."""

    name: str
    term_months: int
    identified_asset: bool | None = None
    """A named machine, not so much capacity of a pool."""
    substantially_all_benefits: bool | None = True
    directs_use: bool | None = None
    supplier_may_substitute: bool | None = False
    """A substantive right: the supplier can swap the machine and gains by it."""
    purchase_option: bool = False


@dataclass(frozen=True, slots=True)
class Flags:
    """For the accountant; None: cannot be told from the contract."""

    is_lease: bool | None
    short_term_election: bool
    on_balance_sheet: bool | None
    questions: tuple[str, ...]
    """What to ask, one sentence each."""


_ASKED = {
    "identified_asset": "Is a particular machine named, or only so much capacity?",
    "substantially_all_benefits": "Does nobody else use that machine?",
    "directs_use": "Do you decide how and for what the machine is used?",
    "supplier_may_substitute": "May the supplier swap the machine, and would it gain by it?",
}


def accounting_flags(contract: Contract) -> Flags:
    """Identified asset, all benefits, right to direct use, no substantive substitution.

    When substitution is not known it counts as not substantive (B19), and the question is asked.
    """
    asked = tuple(text for name, text in _ASKED.items() if getattr(contract, name) is None)
    tests = (
        contract.identified_asset,
        contract.substantially_all_benefits,
        contract.directs_use,
        not contract.supplier_may_substitute,
    )
    lease: bool | None = None
    if False in tests:
        lease = False
    elif None not in tests:
        lease = True
    short = contract.term_months <= SHORT_TERM_MONTHS and not contract.purchase_option
    booked = False if lease is False or (lease and short) else lease
    return Flags(lease, bool(lease and short), booked, asked)
