"""Assumptions that the memo's sliders move. What is bought, and on which days, stays as planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.review.memo.what_if import ONE, ZERO, Position, WhatIf

HIGHEST_RATE = Decimal(1)
"""Discount rates up to 100 % a year are looked at."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One assumption: what it is now, how far it can go, and how a question looks with it."""

    name: str
    """rent, use, price, tariff, days, rate, residual"""
    form: str
    """How a value is shown: rent, share, amount, price, days."""
    now: Decimal
    step: Decimal
    """Of the slider; its positions are ``now + k step`` for whole k."""
    least: int
    """Lowest k."""
    most: int
    low: Decimal
    """Lowest value that makes sense."""
    high: Decimal | None
    """Highest; None: there is none."""
    at: Callable[[Decimal], Position]
    """The position with this value, all else as it is."""

    def value(self, k: int) -> Decimal:
        return self.now + k * self.step


def levers(what_if: WhatIf) -> list[Lever]:
    """Those that this question has, in the order of the memo.

    A factor has no meaning where what it multiplies is 0: no use, or no value at resale.
    """
    q, base = what_if.question, what_if.base
    use, rent = base.known("utilisation"), base.mean_rent
    capex = base.known("capex")
    found = [_scaled("rent", "rent", rent, -60, 100, None, lambda f: Position(rent=f))]
    if use:
        widest = max(lot.use for lot in q.lots)
        point = Decimal("0.01")
        found.append(
            Lever(
                "use", "share", use, point, -_floor(use / point),
                _floor((use / widest - use) / point), ZERO, use / widest,
                lambda v: Position(use=v / use),
            )
        )  # fmt: skip
    found.append(_scaled("price", "amount", capex, -60, 100, None, lambda f: Position(price=f)))
    found += [_tariff(q.tariff), _horizon(what_if), _rate(q.rate)]
    share = _resale_share(what_if)
    if share:
        point = Decimal("0.01")
        most = min(ONE, share / max(lot.residual for lot in q.lots))
        found.append(
            Lever(
                "residual", "share", share, point, _floor(-share / point) + 1,
                _floor((most - share) / point), ZERO, most,
                lambda v: Position(residual=v / share),
            )
        )  # fmt: skip
    return found


def _scaled(
    name: str, form: str, now: Decimal, least: int, most: int, high: Decimal | None,
    at: Callable[[Decimal], Position],
) -> Lever:  # fmt: skip
    return Lever(name, form, now, now / 100, least, most, ZERO, high, lambda v: at(v / now))


def _tariff(now: Decimal) -> Lever:
    step = now / 20 if now else Decimal("0.05")
    return Lever("tariff", "price", now, step, -20 if now else 0, 40, ZERO, None,
                 lambda v: Position(tariff=v))  # fmt: skip


def _rate(now: Decimal) -> Lever:
    step = Decimal("0.005")
    return Lever("rate", "share", now, step, _floor(-now / step) + (1 if now % step else 0), 40,
                 ZERO, HIGHEST_RATE, lambda v: Position(rate=v))  # fmt: skip


def _horizon(what_if: WhatIf) -> Lever:
    """By months; never before something is there to be used, at most twice as long."""
    q = what_if.question
    first = max(lot.usable for lot in q.lots) + 1
    step = max(ONE, min(MEAN_DAYS_IN_MONTH, Decimal(q.days) / 12)).to_integral_value()
    least = -int(((q.days - first) / step).to_integral_value(ROUND_FLOOR))
    most = int((q.days / step).to_integral_value(ROUND_FLOOR))
    return Lever("days", "days", Decimal(q.days), step, least, most, Decimal(first),
                 Decimal(2 * q.days), lambda v: Position(days=int(v)))  # fmt: skip


def _floor(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_FLOOR))


def _resale_share(what_if: WhatIf) -> Decimal:
    """Of all prices together, before the cost of a sale."""
    lots = what_if.question.lots
    prices = sum((lot.nodes * lot.price for lot in lots), ZERO)
    return sum((lot.nodes * lot.price * lot.residual for lot in lots), ZERO) / prices
