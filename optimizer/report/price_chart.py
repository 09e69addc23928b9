"""What prices did, as a line of blocks for each purchase model: fits a terminal and a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from optimizer.report.tables import Column, render

if TYPE_CHECKING:
    from providers.store import PriceChange

BLOCKS = "▁▂▃▄▅▆▇█"
STEPS = 40
GAP = "·"
"""Nothing was on offer."""


def cheapest_by_model(
    changes: Sequence[PriceChange],
    hourly: Callable[[PriceChange], Decimal],
    first: datetime,
    last: datetime,
    title: str,
) -> str:
    """The cheapest GPU-hour over time, a row for each purchase model and tenor.

    Args:
        changes: in any order; those before `first` give the prices it starts with.
        hourly: price of a GPU-hour in the currency of the title.
    """
    by_terms: dict[str, list[PriceChange]] = {}
    for change in sorted(changes, key=lambda change: change.valid_from):
        offer = change.offer
        name = f"{offer.purchase_model} {offer.tenor}".strip()
        by_terms.setdefault(name, []).append(change)
    moments = [first + (last - first) * (step / STEPS) for step in range(1, STEPS + 1)]
    rows = []
    for name, group in sorted(by_terms.items()):
        prices = _cheapest(group, hourly, moments)
        known = [price for price in prices if price is not None]
        if not known:
            continue
        move = f"{known[-1] / known[0] - 1:+.1%}"
        rows.append([name, spark(prices), f"{known[0]:.3f}", f"{known[-1]:.3f}", move])
    columns: list[str | Column] = [
        "terms",
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d}",
        *(Column(title, right=True) for title in ("first", "last", "move")),
    ]
    return f"{title}\n{render(columns, rows)}" if rows else f"{title}: no price in that time"


def _cheapest(
    group: Sequence[PriceChange],
    hourly: Callable[[PriceChange], Decimal],
    moments: Sequence[datetime],
) -> list[Decimal | None]:
    """The least price in force at each moment; `group` is sorted by time."""
    offered: dict[tuple[str, str], Decimal] = {}
    prices, position = [], 0
    for moment in moments:
        while position < len(group) and group[position].valid_from <= moment:
            change = group[position]
            key = (change.adapter, change.offer.sku)
            if change.vanished:
                offered.pop(key, None)
            else:
                offered[key] = hourly(change)
            position += 1
        prices.append(min(offered.values(), default=None))
    return prices


def spark(prices: Sequence[Decimal | None]) -> str:
    """Blocks from the least price (low) to the greatest (high).

    >>> spark([Decimal(1), None, Decimal(2), Decimal(3)])
    '▁·▄█'
    """
    known = [price for price in prices if price is not None]
    if not known:
        return GAP * len(prices)
    low, span = min(known), max(known) - min(known)
    top = len(BLOCKS) - 1
    return "".join(
        GAP if price is None else BLOCKS[int((price - low) / span * top) if span else 0]
        for price in prices
    )
