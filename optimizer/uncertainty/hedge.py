"""What a study of scenarios found, in domain terms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from optimizer.plans import Plan

Range = tuple[Decimal, Decimal]
"""Proven: not below the first, not above the second."""


@dataclass(frozen=True, slots=True)
class Signing:
    """One thing that is agreed before it is known what comes."""

    action: Literal["rent", "buy"]
    name: str
    """The offer, or the purchase option."""
    provider: str
    """Empty for a purchase."""
    node: str
    nodes: int
    day: date
    """Of the first day rented, or of the payment."""
    until: date | None
    """First day no longer rented; null for a purchase: the sale is decided later."""
    cost: Decimal
    """Undiscounted: all bills of the term, or the price."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one scenario costs, in present value."""

    scenario: str
    changes: str
    """What it changes, in words."""
    chance: Decimal
    cost: Decimal
    """With what is signed in every scenario."""
    least: Decimal
    """Best plan found for this scenario alone, had it been known."""
    least_bound: Decimal
    """Proven: nothing costs less in this scenario."""
    deterministic: Decimal | None
    """With what the plan for the mean of all scenarios signs; null: that leaves no plan here."""
    plan: Plan

    @property
    def regret(self) -> Decimal:
        """More than if it had been known."""
        return self.cost - self.least

    @property
    def deterministic_regret(self) -> Decimal | None:
        return None if self.deterministic is None else self.deterministic - self.least


@dataclass(frozen=True, slots=True)
class Hedge:
    """The decision for today, and what it is worth."""

    name: str
    scenarios_name: str
    scenarios_sha256: str
    schedule_sha256: str
    currency: str
    as_of: date
    known_from: date
    committed_days: int
    level: Decimal
    weight: Decimal
    """Of CVaR in the objective; 0: expected cost alone."""
    signed: tuple[Signing, ...]
    deterministic_signed: tuple[Signing, ...] | None
    """What the plan for the mean of all scenarios signs; null: there is no such plan, or it was not
    looked for because of an early stop."""
    outcomes: tuple[Outcome, ...]
    expected: Decimal
    cvar: Decimal
    objective: Decimal
    """(1 - weight) · expected + weight · CVaR."""
    bound: Decimal
    """Proven: no decision of today has a lower objective."""
    vss: Decimal | None
    """Value of the stochastic solution: what signing for the mean costs more; null: it leaves
    some scenario without any plan."""
    vss_proven: Range | None
    evpi: Decimal
    """Expected value of perfect information: what knowing the scenario today would save."""
    evpi_proven: Range
    method: str
    """How the bound was found."""
    stopped_early: bool = False
    """The search was ended from outside: the best decision so far."""
    drawn_from: str = ""
    """Whose past the rents of the scenarios were drawn from; empty: they were written."""

    @property
    def gap(self) -> float:
        """Share by which the objective may at most be too high."""
        if self.objective <= self.bound:
            return 0.0
        return float((self.objective - self.bound) / max(abs(self.objective), Decimal("1e-9")))
