"""How a market stands: how many offers there are of a kind, and how their prices spread.

The cheapest ask of a market place is often one bad host; what a month of work will pay is nearer to
the tenth part of the way up, or to the middle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from optimizer.report.tables import Column
from providers.offers import Offer

COLUMNS: tuple[str | Column, ...] = (
    "GPU",
    "provider",
    "billing",
    Column("offers", right=True),
    Column("least", right=True),
    Column("p10", right=True),
    Column("median", right=True),
    Column("most", right=True),
    Column("oldest d", right=True),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Offers of one GPU and count, by one provider on one kind of terms."""

    gpu: str
    gpu_count: int
    provider: str
    terms: str
    hourly: tuple[Decimal, ...]
    """Prices of a GPU-hour, least first."""
    oldest_days: int

    @property
    def cells(self) -> list[str]:
        prices = (self.hourly[0], quantile(self.hourly, Decimal("0.1")), median(self.hourly))
        return [
            f"{self.gpu_count}x {self.gpu}",
            self.provider,
            self.terms,
            f"{len(self.hourly)}",
            *(f"{price:.4f}" for price in (*prices, self.hourly[-1])),
            f"{self.oldest_days}",
        ]


def quantile(values: Sequence[Decimal], share: Decimal) -> Decimal:
    """Between the two nearest of sorted values, in proportion (Hyndman and Fan's type 7).

    >>> quantile([Decimal(1), Decimal(2), Decimal(4)], Decimal("0.75"))
    Decimal('3.00')
    """
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


def summary(
    offers: Iterable[Offer], hourly: Callable[[Offer], Decimal], age: Callable[[Offer], int]
) -> list[Group]:
    """Offers in groups, the cheapest group first.

    Args:
        hourly: price of a GPU-hour in the currency asked for.
        age: of a price, in days.
    """
    groups: dict[tuple[str, int, str, str], list[Offer]] = defaultdict(list)
    for offer in offers:
        terms = f"{offer.purchase_model} {offer.tenor}".strip()
        groups[offer.gpu, offer.gpu_count, offer.provider, terms].append(offer)
    rows = [
        Group(*key, tuple(sorted(map(hourly, group))), max(map(age, group)))
        for key, group in groups.items()
    ]
    return sorted(rows, key=lambda row: (row.hourly[0], row.gpu, row.provider, row.terms))
