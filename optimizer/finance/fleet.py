"""How many cards to own for a demand that varies: each card has its own break-even.

The newsvendor's problem (Arrow, Harris, Marschak 1951, Econometrica 19, 250-272): the k-th card is
worth owning when it is used on more than ``own / (rent - energy)`` of the days. A closed form for
one kind of card; the plan itself is optimised with everything in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CardDay:
    """Costs of one card for a day."""

    own: Decimal
    """Whether used or not."""
    rent: Decimal
    energy: Decimal
    """Of a day in use, when owned."""

    @property
    def critical_share(self) -> Decimal:
        """Of the days, above which owning a card pays."""
        return self.own / (self.rent - self.energy)

    def cost(self, demand: Sequence[int], owned: int) -> Decimal:
        """Of all days with so many cards owned and the rest rented."""
        used = sum(min(day, owned) for day in demand)
        rented = sum(max(day - owned, 0) for day in demand)
        return len(demand) * owned * self.own + used * self.energy + rented * self.rent

    def marginal_saving(self, demand: Sequence[int], card: int) -> Decimal:
        """What the k-th card saves: ``days_used_k (rent - energy) - days own``."""
        return days_used(demand, card) * (self.rent - self.energy) - len(demand) * self.own

    def best(self, demand: Sequence[int]) -> int:
        """How many to own."""
        return sum(
            1
            for card in range(1, max(demand, default=0) + 1)
            if self.marginal_saving(demand, card) > 0
        )


def days_used(demand: Sequence[int], card: int) -> int:
    """Days on which at least so many cards are needed."""
    return sum(1 for day in demand if day >= card)
