r"""Thousands of draws of what is uncertain: rental prices, demand, resale, delivery.

Rental prices walk at random from today's, month by month, as a geometric Brownian motion whose
mean is what the question expects: $p_t = \bar p_t \exp(\sigma W_t - \sigma^2 t / 2)$. Utilisation,
resale and delay are drawn once each, from triangles over their ranges; a Gaussian copula ties them
to where the rental price ends. Draws come in pairs of opposite signs (antithetic), which takes
the error of everything that is linear out of the mean. Glasserman 2003, Monte Carlo Methods in
Financial Engineering, sections 2.3.3, 3.2 and 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from optimizer.finance.defaults import defaults
from optimizer.finance.time_value import DAYS_IN_YEAR
from optimizer.review.sensitivity.closed import Closed, Floats
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.ranges import Seen
from optimizer.review.sensitivity.results import Basis, Drawn, MonteCarlo, Span
from optimizer.review.workbook.outcomes import months
from optimizer.review.workbook.question import Question
from providers.errors import RentoptError

DRAWN = ("use", "residual", "delay")
"""Drawn from triangles, beside the walk of the rental price."""
SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
CLASSES = 30
LEVEL = 0.95
TENTH = NormalDist().inv_cdf(0.9)
LEAST_MOVES = 12
"""Price changes of a history that make a volatility."""

Correlations = tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class Volatility:
    """Standard deviation of the logarithm of the rental price over a year."""

    value: float
    basis: Basis
    source: str


def rent_volatility(spans: Sequence[Span], history: Sequence[Seen] = ()) -> Volatility:
    """From a price history; else from the range of dated prices, read as where eight of ten prices
    are after a year; else assumed."""
    moves = [
        (later.day - earlier.day, float(later.price / earlier.price))
        for earlier, later in pairwise(history)
        if later.day > earlier.day
    ]
    if len(moves) >= LEAST_MOVES:
        years = sum(span.days for span, _ in moves) / DAYS_IN_YEAR
        squares = sum(np.log(ratio) ** 2 for _, ratio in moves)
        words = f"{len(moves)} changes of this offer from {history[0].day}"
        return Volatility(float(np.sqrt(squares / years)), Basis.HISTORY, words)
    rent = next((span for span in spans if span.driver == "rent"), None)
    if rent is not None and rent.basis is not Basis.NO_DATA and 0 < rent.low < rent.high:
        value = float((rent.high / rent.low).ln()) / (2 * TENTH)
        words = f"eight of ten prices after a year within {rent.source}"
        return Volatility(value, rent.basis, words)
    row = defaults()["risk.volatility.rent"]
    return Volatility(float(row.number), Basis.NO_DATA, row.source)


def default_correlations() -> Correlations:
    return (("rent", "residual", float(defaults()["risk.correlation.rent_residual"].number)),)


def monte_carlo(
    question: Question,
    spans: Sequence[Span],
    volatility: Volatility,
    *,
    draws: int = 10_000,
    seed: int = 1,
    correlations: Correlations | None = None,
) -> MonteCarlo:
    """The distribution of NPV; the same for the same seed.

    Args:
        spans: ranges of utilisation, resale and delay; without one it stays as planned.
        correlations: of the normal scores; rental price and resale when left out.

    Raises:
        RentoptError: the correlations contradict each other, or name what is not drawn.
    """
    if draws < 2:
        raise RentoptError("at least 2 draws are needed")
    tied = default_correlations() if correlations is None else correlations
    moved = [span for span in spans if span.driver in DRAWN and span.low < span.high]
    closed = Closed(question)
    drawing = Drawing(question, volatility.value, [span.driver for span in moved], tied)
    walk, scores = drawing.draw(draws, np.random.default_rng(seed))
    values = {span.driver: triangular(span, scores[:, number]) for number, span in enumerate(moved)}
    npv = closed.npv(values, walk)
    npv = np.broadcast_to(npv, (len(walk),))
    pairs = (npv[: len(npv) // 2] + npv[len(npv) // 2 :]) / 2
    edges, counts = _classes(npv)
    names = {"rent", *values}
    return MonteCarlo(
        seed=seed,
        draws=len(npv),
        drawn=(_told_walk(question, volatility), *(_told(span) for span in moved)),
        correlations=tuple(tie for tie in tied if tie[0] in names and tie[1] in names),
        mean=float(npv.mean()),
        deviation=float(npv.std(ddof=1)),
        standard_error=float(pairs.std(ddof=1) / np.sqrt(len(pairs))) if len(pairs) > 1 else 0.0,
        quantiles=tuple((share, float(np.quantile(npv, share))) for share in SHARES),
        buying_wins=float((npv > 0).mean()),
        level=LEVEL,
        cvar_regret_buying=tail_mean(np.maximum(-npv, 0.0), LEVEL),
        cvar_regret_renting=tail_mean(np.maximum(npv, 0.0), LEVEL),
        edges=edges,
        counts=counts,
    )


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn together."""

    question: Question
    volatility: float
    others: list[str]
    correlations: Correlations

    def draw(self, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """(level of rental prices (draws, months), normal scores of the others (draws, others));
        an odd number of draws is rounded up."""
        half = (draws + 1) // 2
        years = np.array([float(month.start) for month in months(self.question)]) / DAYS_IN_YEAR
        steps = np.diff(years, prepend=0.0)
        normal = rng.standard_normal((half, len(years)))
        free = rng.standard_normal((half, 1 + len(self.others)))
        normal, free = np.vstack([normal, -normal]), np.vstack([free, -free])
        motion = np.cumsum(normal * np.sqrt(steps), axis=1)
        level = np.exp(self.volatility * motion - self.volatility**2 * years / 2)
        if years[-1] > 0:  # what the others are tied to: where the price ends
            free[:, 0] = motion[:, -1] / np.sqrt(years[-1])
        scores = free @ self._factor().T
        return level, scores[:, 1:]

    def _factor(self) -> Floats:
        """Lower triangle L with L Lᵀ the correlations; the rental price comes first."""
        names = ["rent", *self.others]
        matrix = np.eye(len(names))
        for one, other, value in self.correlations:
            for name in (one, other):
                if name not in ("rent", *DRAWN):
                    raise RentoptError(f"'{name}' is not drawn; there are rent, {', '.join(DRAWN)}")
            if one in names and other in names:
                a, b = names.index(one), names.index(other)
                matrix[a, b] = matrix[b, a] = value
        try:
            factor: Floats = np.linalg.cholesky(matrix).astype(np.float64)
        except np.linalg.LinAlgError:
            raise RentoptError("these correlations contradict each other") from None
        return factor


def triangular(span: Span, scores: Floats) -> Floats:
    """Values of a triangle over the range with its top at the value as planned, one a score."""
    low, top, high = float(span.low), float(span.base), float(span.high)
    below = np.vectorize(NormalDist().cdf, otypes=[np.float64])(scores)
    split = (top - low) / (high - low)
    left = low + np.sqrt(below * (high - low) * (top - low))
    right = high - np.sqrt((1 - below) * (high - low) * (high - top))
    found: Floats = np.where(below <= split, left, right)
    return found


def tail_mean(losses: Floats, level: float) -> float:
    """CVaR of equally likely losses: the mean of the worst ``1 - level``, the last one split."""
    worst = np.sort(losses)[::-1]
    tail = (1 - level) * len(worst)
    whole = int(tail + 1e-9)
    rest = max(tail - whole, 0.0)
    beyond = worst[whole] * rest if whole < len(worst) else 0.0
    return float((worst[:whole].sum() + beyond) / tail)


def _classes(npv: Floats) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Between the outermost two hundredths: single draws far out would squeeze all others."""
    ends = np.quantile(npv, (0.005, 0.995))
    counts, edges = np.histogram(np.clip(npv, *ends), bins=CLASSES)
    return tuple(float(edge) for edge in edges), tuple(int(count) for count in counts)


def _told_walk(question: Question, volatility: Volatility) -> Drawn:
    rent = ALL["rent"]
    change = f", {question.rent_change:+.0%} a year" if question.rent_change else ""
    how = (
        f"random walk from {rent.get(question):.4g} {rent.unit.format(question.currency)}{change}, "
        f"volatility {volatility.value:.0%} a year"
    )
    return Drawn("rent", rent.title, how, volatility.basis, volatility.source)


def _told(span: Span) -> Drawn:
    low, base, high = (f"{float(value):.4g}" for value in (span.low, span.base, span.high))
    how = f"triangle {low}, {base}, {high} {span.unit}"
    return Drawn(span.driver, span.title, how, span.basis, span.source)
