"""What must hold of a memo, whatever it weighs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

TOLERANCE = Decimal("1e-6")
"""Of checks, as a share of the purchases, or of the bill where nothing is bought."""


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold, and by how much it does not."""

    name: str
    apart: Decimal
    """Difference, as a share of what `TOLERANCE` is one of."""

    @property
    def holds(self) -> bool:
        return self.apart <= TOLERANCE
