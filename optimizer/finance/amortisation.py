"""A purchase spread over its hours, as a cost table with commitments shows it (FOCUS 1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from optimizer.finance.refusal import FinanceError


@dataclass(frozen=True, slots=True)
class CostRow:
    charge: str
    """Purchase, Used or Unused."""
    billed: Decimal
    effective: Decimal


@dataclass(frozen=True, slots=True)
class Amortisation:
    """The purchase is billed and has no effective cost; used and unused hours have no bill, and
    their effective cost adds up to the bill. A resale is a credit of its own, not a reduction.
    """

    billed: Decimal
    hours: Decimal
    """Over which it is spread."""
    used_hours: Decimal

    def __post_init__(self) -> None:
        if self.hours <= 0 or not 0 <= self.used_hours <= self.hours:
            raise FinanceError(f"{self.used_hours} of {self.hours} hours cannot be in use")

    @property
    def per_hour(self) -> Decimal:
        return self.billed / self.hours

    def rows(self) -> tuple[CostRow, CostRow, CostRow]:
        """Purchase, used hours, unused hours."""
        used, nothing = self.billed * self.used_hours / self.hours, Decimal(0)
        return (
            CostRow("Purchase", self.billed, nothing),
            CostRow("Used", nothing, used),
            CostRow("Unused", nothing, self.billed - used),
        )
