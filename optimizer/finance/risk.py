"""Figures of uncertain outcomes: scenarios, tails, one-at-a-time ranges, the value of waiting.

CVaR: Rockafellar, Uryasev 2000, Journal of Risk 2, 21-41; on discrete scenarios the one at the
quantile is split, the plain mean of what lies above it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from optimizer.finance.refusal import FinanceError

_CLOSE = Decimal("1e-9")


def _check_probabilities(probabilities: Sequence[Decimal]) -> None:
    if any(not 0 <= p <= 1 for p in probabilities):
        raise FinanceError("a probability is between 0 and 1")
    total = sum(probabilities, Decimal(0))
    if abs(total - 1) > _CLOSE:
        raise FinanceError(f"the probabilities add up to {total}, not to 1")


@dataclass(frozen=True, slots=True)
class Scenarios:
    """NPV of buying less renting, by scenario; probabilities add up to 1."""

    probabilities: tuple[Decimal, ...]
    npv: tuple[Decimal, ...]

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(self.npv) or not self.npv:
            raise FinanceError("each scenario needs its probability and its NPV")
        _check_probabilities(self.probabilities)

    @property
    def expected(self) -> Decimal:
        pairs = zip(self.probabilities, self.npv, strict=True)
        return sum((p * x for p, x in pairs), Decimal(0))

    @property
    def deviation(self) -> Decimal:
        """Standard deviation."""
        mean = self.expected
        pairs = zip(self.probabilities, self.npv, strict=True)
        return sum((p * (x - mean) ** 2 for p, x in pairs), Decimal(0)).sqrt()

    @property
    def buying_wins(self) -> Decimal:
        """Probability."""
        pairs = zip(self.probabilities, self.npv, strict=True)
        return sum((p for p, x in pairs if x > 0), Decimal(0))

    @property
    def regret_of_buying(self) -> Decimal:
        """The most that renting would have been better by."""
        return max(Decimal(0), -min(self.npv))

    @property
    def regret_of_renting(self) -> Decimal:
        return max(Decimal(0), max(self.npv))

    @property
    def least_regret(self) -> str:
        return "buy" if self.regret_of_buying < self.regret_of_renting else "rent"

    @property
    def best_on_average(self) -> str:
        return "buy" if self.expected > 0 else "rent"


def value_at_risk(
    losses: Sequence[Decimal], probabilities: Sequence[Decimal], level: Decimal
) -> Decimal:
    """The least loss that is not exceeded with probability `level`."""
    _check_probabilities(probabilities)
    reached = Decimal(0)
    ordered = sorted(zip(losses, probabilities, strict=True))
    for loss, probability in ordered:
        reached += probability
        if reached >= level - _CLOSE:
            return loss
    return ordered[-1][0]


def conditional_value_at_risk(
    losses: Sequence[Decimal], probabilities: Sequence[Decimal], level: Decimal
) -> Decimal:
    """Mean of the worst ``1 - level``: ``z + E[(L - z)+] / (1 - level)`` at z the VaR."""
    z = value_at_risk(losses, probabilities, level)
    pairs = zip(losses, probabilities, strict=True)
    beyond = sum((p * max(loss - z, Decimal(0)) for loss, p in pairs), Decimal(0))
    return z + beyond / (1 - level)


@dataclass(frozen=True, slots=True)
class Swing:
    """What one input moves when all others stay."""

    driver: str
    low: Decimal
    """Result at the input's low value."""
    high: Decimal

    @property
    def span(self) -> Decimal:
        return abs(self.high - self.low)


def tornado(
    result: Callable[[Mapping[str, Decimal]], Decimal],
    base: Mapping[str, Decimal],
    ranges: Mapping[str, tuple[Decimal, Decimal]],
) -> list[Swing]:
    """One input at a time at its low and high value, the widest swing first."""
    swings = [
        Swing(name, result({**base, name: low}), result({**base, name: high}))
        for name, (low, high) in ranges.items()
    ]
    return sorted(swings, key=lambda swing: -swing.span)


def swing_of(value: Decimal, share: Decimal) -> tuple[Decimal, Decimal]:
    """A range for want of data, such as 20 % either side: label it so."""
    return value * (1 - share), value * (1 + share)


@dataclass(frozen=True, slots=True)
class Triangular:
    """A least, a likeliest and a greatest value: closed forms a simulation must agree with."""

    low: Decimal
    mode: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        if not self.low <= self.mode <= self.high or self.low == self.high:
            raise FinanceError("a triangular range needs low <= mode <= high, and a width")

    @property
    def mean(self) -> Decimal:
        return (self.low + self.mode + self.high) / 3

    def below(self, x: Decimal) -> Decimal:
        """Probability of a value up to x."""
        a, c, b = self.low, self.mode, self.high
        if x <= a:
            return Decimal(0)
        if x >= b:
            return Decimal(1)
        if x < c:
            return (x - a) ** 2 / ((b - a) * (c - a))
        return 1 - (b - x) ** 2 / ((b - a) * (b - c))

    def quantile(self, share: Decimal) -> Decimal:
        a, c, b = self.low, self.mode, self.high
        if share <= (c - a) / (b - a):
            return a + (share * (b - a) * (c - a)).sqrt()
        return b - ((1 - share) * (b - a) * (b - c)).sqrt()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Deciding now, or one period later when it is known how things went (real option)."""

    up: Decimal
    """Probability of the good outcome."""
    npv_up: Decimal
    npv_down: Decimal
    rate: Decimal
    """Of the period waited."""

    @property
    def now(self) -> Decimal:
        return self.up * self.npv_up + (1 - self.up) * self.npv_down

    @property
    def later(self) -> Decimal:
        """Investing only where it pays by then."""
        good = self.up * max(self.npv_up, Decimal(0))
        bad = (1 - self.up) * max(self.npv_down, Decimal(0))
        return (good + bad) / (1 + self.rate)

    @property
    def value(self) -> Decimal:
        """What renting on keeps open: against the better of deciding now and not at all."""
        return self.later - max(self.now, Decimal(0))
