"""What a study of sensitivity finds: plain values, for tables, charts and JSON.

NPV is always that of buying less renting, in the question's currency: above 0 buying is cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Basis(StrEnum):
    """What a range rests on."""

    HISTORY = "price history"
    DATED = "dated prices"
    PUBLISHED = "published range"
    ASSUMED = "assumed range"
    NO_DATA = "no data"


NOTABLE = Decimal("0.05")
"""Share of NPV that an assumption may move without a source."""


@dataclass(frozen=True, slots=True)
class Span:
    """An assumption with the range it may turn out in."""

    driver: str
    title: str
    unit: str
    base: Decimal
    low: Decimal
    high: Decimal
    basis: Basis
    source: str
    """In words: how many prices of which days, or who published the range."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One assumption at both ends of its range, all others as they are."""

    span: Span
    npv_low: Decimal
    npv_high: Decimal
    flip: Decimal | None
    """Value at which NPV is 0 and the answer turns; None: at none that makes sense."""

    @property
    def width(self) -> Decimal:
        return abs(self.npv_high - self.npv_low)

    @property
    def flips(self) -> bool:
        """Whether the answer turns inside the range."""
        return (self.npv_low > 0) != (self.npv_high > 0)


@dataclass(frozen=True, slots=True)
class Tornado:
    npv: Decimal
    """With all assumptions as they are."""
    bars: tuple[Bar, ...]
    """The widest first."""

    @property
    def decisive(self) -> Bar | None:
        """The assumption whose flip value is nearest to it, as a share of its value."""
        near = [bar for bar in self.bars if bar.flip is not None and bar.span.base]
        return min(near, key=lambda bar: abs(_share(bar)), default=None)

    @property
    def unsourced(self) -> tuple[Bar, ...]:
        """Assumptions whose range rests on nothing published or seen, and that move NPV notably."""
        return tuple(
            bar
            for bar in self.bars
            if bar.span.basis in (Basis.NO_DATA, Basis.ASSUMED)
            and bar.width > NOTABLE * abs(self.npv)
        )


def _share(bar: Bar) -> Decimal:
    return ((bar.flip or Decimal(0)) - bar.span.base) / bar.span.base


@dataclass(frozen=True, slots=True)
class Scenario:
    """Some assumptions at other values, with a probability."""

    name: str
    probability: Decimal
    values: tuple[tuple[str, Decimal], ...]
    """Driver → value; drivers not named stay as they are."""
    npv: Decimal


@dataclass(frozen=True, slots=True)
class ScenarioTable:
    scenarios: tuple[Scenario, ...]
    how: str
    """Where scenarios and probabilities come from."""
    expected: Decimal
    deviation: Decimal
    """Standard."""
    buying_wins: Decimal
    """Probability that NPV is above 0."""
    regret_of_buying: Decimal
    """The most that renting would have been better by."""
    regret_of_renting: Decimal


@dataclass(frozen=True, slots=True)
class TwoWay:
    """NPV for every pair of utilisation and rental price."""

    uses: tuple[Decimal, ...]
    """Shares of the time owned."""
    rents: tuple[Decimal, ...]
    """Of a GPU-hour, today."""
    npv: tuple[tuple[Decimal, ...], ...]
    """[use][rent]"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """How an assumption is drawn."""

    driver: str
    title: str
    how: str
    """The distribution with its figures, in words."""
    basis: Basis
    source: str


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    seed: int
    draws: int
    drawn: tuple[Drawn, ...]
    correlations: tuple[tuple[str, str, float], ...]
    """(driver, driver, correlation); pairs not named are independent."""
    mean: float
    deviation: float
    """Standard."""
    standard_error: float
    """Of the mean."""
    quantiles: tuple[tuple[float, float], ...]
    """(share, NPV below which this share of the draws is)"""
    buying_wins: float
    """Share of the draws in which NPV is above 0."""
    level: float
    """Of the tail: 0.95 looks at the worst twentieth."""
    cvar_regret_buying: float
    """Mean regret of having bought, over the worst tail: what renting would have saved."""
    cvar_regret_renting: float
    edges: tuple[float, ...]
    """NPV, borders of the classes of a histogram; one more than counts."""
    counts: tuple[int, ...]
    """Draws in each class; the first and the last one also hold what lies beyond."""

    def quantile(self, share: float) -> float:
        return dict(self.quantiles)[share]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Buying today, against renting on for some days and then buying only if it still pays.

    The rental price moves at random meanwhile; what is bought later is used for a shorter time.
    """

    days: int
    volatility: float
    """Of the rental price, a year."""
    basis: Basis
    source: str
    """Of the volatility."""
    npv_now: float
    """Of buying today."""
    npv_wait: float
    """Of keeping the choice open: what it is worth today."""
    buy_above: float | None
    """Rental price of a GPU-hour above which one buys after the wait; None: at none."""
    buys_then: float
    """Probability of it."""

    @property
    def value(self) -> float:
        """Of waiting, against the better of buying today and never; below 0 waiting costs."""
        return self.npv_wait - max(self.npv_now, 0.0)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """All of it, for one question."""

    currency: str
    tornado: Tornado
    scenarios: ScenarioTable
    two_way: TwoWay
    monte_carlo: MonteCarlo
    waiting: Waiting | None
    """None: nothing that is bought could still be used after the wait."""
