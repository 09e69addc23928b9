"""What `split` finds: plain values, for tables and data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum

WIDE = Context(prec=100)
"""For sums of amounts of up to 28 digits each: no digit is lost, so that parts add up exactly."""


class Cause(StrEnum):
    """In the order in which they are put in, each with all earlier ones there already."""

    FX = "FX"
    PRICE = "price"
    ASSUMPTION = "assumption"
    OPTIMISER = "optimiser"
    """Other decisions for the same work at the same prices: what pays now, or a smaller gap."""
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Amount:
    """Of money: undiscounted, and as present value."""

    total: Decimal = Decimal(0)
    present_value: Decimal = Decimal(0)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(
            WIDE.subtract(self.total, other.total),
            WIDE.subtract(self.present_value, other.present_value),
        )

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            WIDE.add(self.total, other.total), WIDE.add(self.present_value, other.present_value)
        )

    def __bool__(self) -> bool:
        return bool(self.total or self.present_value)


def added(amounts: Iterable[Amount]) -> Amount:
    whole = Amount()
    for amount in amounts:
        whole = whole + amount
    return whole


@dataclass(frozen=True, slots=True)
class Item:
    """A named share of a part."""

    name: str
    """An offer, a purchase, a rate, a key of the schedule, a line of the bill."""
    before: str
    after: str
    total: Decimal
    """Undiscounted."""
    present_value: Decimal | None
    """None: of a workload, whose share in what is used together has none of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one cause changes."""

    cause: Cause
    amount: Amount
    unsure: Decimal
    """Present value by which plans behind it may miss their best: 0 where nothing is decided."""
    items: tuple[Item, ...]
    """They add up to the part, undiscounted; their present values do where they have one."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """One of the two plans."""

    name: str
    file: str
    as_of: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class Difference:
    currency: str
    before: Made
    after: Made
    parts: tuple[Part, ...]
    """They add up to the difference; one for each cause."""

    @property
    def amount(self) -> Amount:
        return self.after.amount - self.before.amount
