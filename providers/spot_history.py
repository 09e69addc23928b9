"""Histories of spot prices, zone by zone, as one price of a region."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal


def cheapest_now(points: Iterable[tuple[str, str, Decimal]]) -> tuple[Decimal, str] | None:
    """The newest price of the cheapest zone, with what the other zones ask; None without any.

    Args:
        points: zone, moment (texts that sort by time) and price of each.
    """
    newest: dict[str, tuple[str, Decimal]] = {}
    for zone, moment, price in points:
        newest[zone] = max(newest.get(zone, ("", price)), (moment, price))
    if not newest:
        return None
    # A zone without a price is listed with 0: last, and never the cheapest.
    by_price = sorted((price <= 0, price, zone) for zone, (_, price) in newest.items())
    _, cheapest, zone = by_price[0]
    others = [f"{'no price' if none else price} in {other}" for none, price, other in by_price[1:]]
    return cheapest, "; ".join([f"in zone {zone}", *others])
