"""Assumptions that can be moved: the memo's sliders, its tornado, and where each flips the answer.

Nothing is optimised again: what is bought, and on which days, stays as the plan has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.finance.defaults import defaults
from optimizer.finance.risk import swing_of
from optimizer.finance.roots import bisect
from optimizer.review.memo.what_if import ONE, ZERO, Position, WhatIf

HIGHEST_RATE = Decimal(1)
"""Discount rates up to 100 % a year are looked at."""
NO_DATA = "no_data"
"""Source of a range that nobody has seen: a share either side."""


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


@dataclass(frozen=True, slots=True)
class Flip:
    """The value at which buying and renting cost the same, all else as it is."""

    lever: Lever
    value: Decimal
    left: Decimal
    """What remains of NPV when the value is put back, as a share of the purchases."""

    @property
    def change(self) -> Decimal:
        """Relative to the value now; infinite where that is 0."""
        return self.value / self.lever.now - 1 if self.lever.now else Decimal("Infinity")


def flips(what_if: WhatIf) -> list[Flip]:
    """Each lever that can flip the answer, the one with the smallest relative change first."""
    found = []
    for lever in levers(what_if):
        value = _even(what_if, lever)
        if value is None or value < lever.low or (lever.high is not None and value > lever.high):
            continue
        left = abs(_npv(what_if, lever, value)) / what_if.base.known("capex")
        found.append(Flip(lever, value, left))
    return sorted(found, key=lambda flip: abs(flip.change))


def _npv(what_if: WhatIf, lever: Lever, value: Decimal) -> Decimal:
    if lever.name == "rate":
        return what_if.base.npv_by_rate(value)
    return what_if.at(lever.at(value)).npv


def _even(what_if: WhatIf, lever: Lever) -> Decimal | None:
    """NPV is a straight line in every lever but the discount rate, and the horizon, where it jumps
    with each month that falls out and need not be 0 anywhere."""
    if lever.name == "rate":
        return bisect(what_if.base.npv_by_rate, ZERO, HIGHEST_RATE)
    if lever.name == "days":
        return None
    inside = lever.value(-1 if lever.least < 0 else 1)
    slope = (_npv(what_if, lever, inside) - what_if.base.npv) / (inside - lever.now)
    return lever.now - what_if.base.npv / slope if slope else None


@dataclass(frozen=True, slots=True)
class Tornado:
    """One assumption at the ends of its range."""

    name: str
    form: str
    now: Decimal
    low: Decimal
    high: Decimal
    npv_at_low: Decimal
    npv_at_high: Decimal
    source: str
    """Where the range comes from."""

    @property
    def span(self) -> Decimal:
        return abs(self.npv_at_high - self.npv_at_low)


def tornado(what_if: WhatIf) -> list[Tornado]:
    """The widest first. For want of ranges seen, a fifth either side, and labelled so."""
    share = defaults()["risk.swing"].number
    rows = []
    for lever in levers(what_if):
        low, high = swing_of(lever.now, share)
        low = max(low, lever.low)
        high = high if lever.high is None else min(high, lever.high)
        if lever.name == "days":
            low, high = low.to_integral_value(ROUND_CEILING), high.to_integral_value(ROUND_FLOOR)
        if low >= high:
            continue
        ends = (_npv(what_if, lever, low), _npv(what_if, lever, high))
        rows.append(Tornado(lever.name, lever.form, lever.now, low, high, *ends, NO_DATA))
    return sorted(rows, key=lambda row: -row.span)


USES = tuple(Decimal(n) / 10 for n in range(1, 11))
RENTS = tuple(Decimal(n) / 10 for n in (5, 7, 9, 10, 11, 13, 15))


@dataclass(frozen=True, slots=True)
class TwoWay:
    """NPV over utilisation (rows) and rental price (columns)."""

    uses: tuple[Decimal, ...]
    """Shares of all hours."""
    rents: tuple[Decimal, ...]
    """Mean price of a GPU-hour."""
    npv: tuple[tuple[Decimal, ...], ...]
    planned: int
    """Row of the planned utilisation."""
    quoted: int
    """Column of today's price."""


def two_way(what_if: WhatIf) -> TwoWay | None:
    """From a tenth of the hours to all of them, and the planned use; None: nothing is used."""
    base = what_if.base
    planned = base.known("utilisation")
    if not planned:
        return None
    widest = max(lot.use for lot in what_if.question.lots)
    uses = sorted({*(use for use in USES if use * widest / planned <= 1), planned})
    uses = [use for use in uses if use == planned or abs(use - planned) > Decimal("0.02")]
    npv = tuple(
        tuple(what_if.at(Position(rent=factor, use=use / planned)).npv for factor in RENTS)
        for use in uses
    )
    rents = tuple(base.mean_rent * factor for factor in RENTS)
    return TwoWay(tuple(uses), rents, npv, uses.index(planned), RENTS.index(ONE))
