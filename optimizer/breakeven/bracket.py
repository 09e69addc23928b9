"""The factor at which the better of two answers changes, between two points that are proven."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from optimizer.milp.instance import INF

FARTHEST = 32.0
"""Factors from 1/32 to 32 are looked at."""
FIRST_STEP = 1.1
BEYOND = 1.03
"""So far past the crossing that two points foretell the next one is taken."""
TOLERANCE = 0.01
"""Relative width at which a bracket is narrow enough."""
LONGEST_STEP = 1.6
"""Far from the known plans, other plans are better, and the crossing is nearer than it seems."""
MOST_POINTS = 40


@dataclass(frozen=True, slots=True)
class Cost:
    """What the best plan of one kind costs: between the proven bound and a plan that was found."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return self.high if self.low == -INF else (self.low + self.high) / 2

    @property
    def gap(self) -> float:
        return (self.high - self.low) / max(abs(self.high), 1e-9) if self.high < INF else 0.0

    def times(self, factor: float) -> Cost:
        return Cost(self.low * factor, self.high * factor)


NONE_AT_ALL = Cost(INF, INF)
"""Proven: no plan of this kind exists."""


@dataclass(frozen=True, slots=True)
class Point:
    """Both answers at one factor."""

    factor: float
    rent: Cost
    own: Cost
    slope: float | None = None
    """Of the lead, as far as the plans found so far tell."""

    @property
    def verdict(self) -> str:
        """``rent`` or ``buy`` when proven, else ``open``."""
        slack = 1e-7 * min(abs(self.rent.high), abs(self.own.high), 1e12)
        if self.own.low > self.rent.high + slack:
            return "rent"
        if self.rent.low > self.own.high + slack:
            return "buy"
        return "open"

    @property
    def lead(self) -> float:
        """By how much buying is cheaper."""
        if self.rent.high == INF or self.own.high == INF:
            return 0.0
        return self.rent.middle - self.own.middle


Judge = Callable[[float], Point]


@dataclass(slots=True)
class Bracket:
    """What a search found out."""

    rent: Point | None = None
    """The point nearest to the change at which renting is proven better."""
    buy: Point | None = None
    between: list[Point] = field(default_factory=list)
    """Points that could not be settled."""
    seen: int = 0
    out_of_time: bool = False

    @property
    def ends(self) -> tuple[float, float] | None:
        if self.rent is None or self.buy is None:
            return None
        ends = (self.rent.factor, self.buy.factor)
        return min(ends), max(ends)

    @property
    def narrow(self) -> bool:
        ends = self.ends
        return ends is not None and ends[1] - ends[0] <= TOLERANCE * ends[1]


def search(at: Judge, *, up: bool, deadline: float, settled_if_impossible: bool = True) -> Bracket:
    """Bracket the change between renting and buying, from factor 1 outwards, then inwards.

    Args:
        at: both answers at a factor.
        up: whether a larger factor speaks for buying.
        deadline: on the monotonic clock; what is proven by then is returned.
        settled_if_impossible: where one of the two answers does not exist, no factor brings it.
    """
    found = Bracket()
    points: list[Point] = []

    def look(factor: float) -> str:
        if time.monotonic() >= deadline or found.seen >= MOST_POINTS:
            found.out_of_time = True
            return "late"
        point = at(factor)
        points.append(point)
        found.seen += 1
        if point.verdict == "rent":
            found.rent = point
        elif point.verdict == "buy":
            found.buy = point
        else:
            found.between.append(point)
        return point.verdict

    if look(1.0) == "late":
        return found
    if settled_if_impossible and NONE_AT_ALL in (points[0].rent, points[0].own):
        return found
    for wanted, outwards in (("buy", up), ("rent", not up)):
        farthest = 1.0
        while (found.buy if wanted == "buy" else found.rent) is None:
            if farthest >= FARTHEST:
                break
            farthest = _farther(points, farthest, outwards)
            if look(farthest if outwards else 1 / farthest) == "late":
                return found
    if found.ends is not None:
        _narrow(found, look)
        low, high = found.ends
        found.between = [p for p in found.between if low < p.factor < high]
    return found


def _farther(points: list[Point], farthest: float, up: bool) -> float:
    """The next step outwards: just past where the lead seems to reach 0."""
    last = points[-1]
    slope = last.slope
    if slope is None and len(points) > 1 and points[-2].factor != last.factor:
        slope = (last.lead - points[-2].lead) / (last.factor - points[-2].factor)
    if slope and last.lead:
        crossing = last.factor - last.lead / slope
        outside = crossing if up else 1 / crossing if crossing > 0 else FARTHEST
        if farthest < outside <= FARTHEST:
            near = max(outside * BEYOND, farthest * (1 + TOLERANCE))
            return min(near, farthest * LONGEST_STEP, FARTHEST)
    if last.slope is not None and last.lead:
        # The plans that are known never cross: the end tells whether any do, and what lies between.
        return FARTHEST
    return FIRST_STEP if farthest == 1.0 else min(farthest * 2, FARTHEST)


def _narrow(found: Bracket, look: Callable[[float], str]) -> None:
    """Halve, guided by where the two costs seem to cross; around points that stay open, from
    both sides until what is left of each side is narrow."""
    turn = 0
    while not found.narrow and found.rent is not None and found.buy is not None:
        low, high = found.ends or (0.0, 0.0)
        inside = sorted(p.factor for p in found.between if low < p.factor < high)
        if inside:
            sides = [(low, inside[0]), (inside[-1], high)]
            low, high = max(sides, key=lambda side: side[1] - side[0])
            if high - low <= TOLERANCE * high:
                return
            guess = (low + high) / 2
        else:
            guess = _guess(found.rent, found.buy, turn)
        if look(guess) == "late":
            return
        turn += 1


def _guess(rent: Point, buy: Point, turn: int) -> float:
    """Where a straight line between the leads is 0, a little to the side of each in turn."""
    low, high = sorted((rent.factor, buy.factor))
    if turn % 3 == 2 or rent.lead >= 0 or buy.lead <= 0:
        return (low + high) / 2
    share = -rent.lead / (buy.lead - rent.lead)
    crossing = rent.factor + share * (buy.factor - rent.factor)
    aside = 0.4 * TOLERANCE * crossing * (1 if turn % 3 == 0 else -1)
    width = high - low
    return min(max(crossing + aside, low + 0.02 * width), high - 0.02 * width)
