"""Scenarios drawn from how prices moved in the past."""

from __future__ import annotations

import csv
import io
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist

from optimizer.named import Named
from optimizer.simulate.history import price_changes
from optimizer.uncertainty.document import Generated
from optimizer.uncertainty.scenario import ALL, ONE, Scenario
from providers.bundled import data_path
from providers.errors import DocumentError, Fault
from providers.offers import Offer
from providers.terms import PurchaseModel

BLOCK_DAYS = 7
"""Days in a row that are drawn together, so that a move that lasts stays one."""
FOUR_DIGITS = Decimal("0.0001")
STORE_DAYS = 28
"""Least days of a price store that tell more than the bundled history does."""
Moves = list[dict[str, float]]
"""[day] GPU → logarithm of its price over the day before's"""
Change = tuple[date, str, Offer | None]
"""(day, name, the offer from that day on; None: it is no longer listed)"""


@dataclass(frozen=True, slots=True)
class Past:
    """How rents moved, and whose they were."""

    moves: Moves
    words: str


def past_of(
    asked: Generated, folder: Path, stored: Iterable[Change] = (), until: date = date.min
) -> Past:
    """The document's own price history; else the price store's, if it is long enough; else the
    bundled one.

    Args:
        stored: changes that a price store holds, oldest first.
        until: last day of them.

    Raises:
        DocumentError: the price history is faulty, or too short to show a move.
    """
    if asked.prices is not None:
        return Past(recorded_moves(folder / asked.prices), f"the prices of {asked.prices.name}")
    moves = moves_of(stored, until)
    if len(moves) >= STORE_DAYS:
        first = until - timedelta(len(moves))
        return Past(moves, f"the price store's prices on demand, {first} to {until}")
    bundled = bundled_moves()
    return Past(bundled, f"the bundled daily prices of {len(bundled) + 1} days")


def drawn(asked: Generated, past: Past) -> tuple[Scenario, ...]:
    """The scenarios a document asks for; the same ones for the same seed and history.

    Rents of each GPU move as in days of the past, drawn with replacement in blocks and joined
    until they are as long as `ahead` (a block bootstrap: Kuensch, "The Jackknife and the
    Bootstrap for General Stationary Observations", Annals of Statistics 17, 1989). All GPUs take
    the same days, so they move together as they did; one without a history moves as the others
    do on average. A trend is no forecast: moves are taken about their mean, so that it is left out.
    """
    moves = without_trend(past.moves)
    rng = random.Random(f"scenarios:{asked.seed}")
    width = len(str(asked.count))
    return tuple(
        _scenario(asked, moves, rng, f"drawn {number:0{width}d}")
        for number in range(1, asked.count + 1)
    )


def _scenario(asked: Generated, moves: Moves, rng: random.Random, name: str) -> Scenario:
    total: dict[str, float] = defaultdict(float)
    left = asked.ahead
    while left > 0:
        first = rng.randrange(len(moves))
        for number in range(first, first + min(left, BLOCK_DAYS)):
            for gpu, move in moves[number % len(moves)].items():
                total[gpu] += move
        left -= BLOCK_DAYS
    market = math.exp(sum(total.values()) / max(1, len(total)))
    rent: list[tuple[Named | None, Decimal]] = [(None, _four(market))]
    rent += [
        (Named(gpu, "hardware", frozenset({gpu})), _four(math.exp(move)) / _four(market))
        for gpu, move in sorted(total.items())
    ]
    load = _lognormal(rng, asked.load)
    residual = _lognormal(rng, asked.residual)
    late = rng.choice(asked.delay) if asked.delay else 0
    return Scenario(
        name,
        ONE / asked.count,
        rent=tuple(rent),
        load=((ALL, load),),
        delay=((ALL, late),) if late else (),
        residual=residual,
    )


def _lognormal(rng: random.Random, sigma: float) -> Decimal:
    """A factor with median 1; a quantile of a uniform number, the same in every Python."""
    share = min(max(rng.random(), 1e-12), 1 - 1e-12)
    return _four(math.exp(NormalDist().inv_cdf(share) * sigma))


def _four(value: float) -> Decimal:
    return max(FOUR_DIGITS, Decimal(repr(value)).quantize(FOUR_DIGITS))


def without_trend(moves: Moves) -> Moves:
    """Each GPU's moves less their mean."""
    seen: dict[str, list[float]] = defaultdict(list)
    for day in moves:
        for gpu, move in day.items():
            seen[gpu].append(move)
    means = {gpu: sum(values) / len(values) for gpu, values in seen.items()}
    return [{gpu: move - means[gpu] for gpu, move in day.items()} for day in moves]


# -- the past ------------------------------------------------------------------------------


def bundled_moves() -> Moves:
    """Daily medians of the listed offers of seven GPUs over four weeks."""
    text = data_path("scenarios", "gpu_prices_daily.csv").read_text(encoding="utf-8")
    by_day: dict[date, dict[str, float]] = defaultdict(dict)
    for row in csv.DictReader(io.StringIO(text)):
        day = date.fromisoformat(row["day"])
        by_day[day][row["gpu"]] = float(row["median_usd_per_gpu_hour"])
    return _moves([prices for _, prices in sorted(by_day.items())])


def recorded_moves(path: Path) -> Moves:
    """From a price table whose rows say since when they hold: all that is rented on demand.

    Raises:
        DocumentError: the table is faulty, or has prices of one day only.
    """
    changes = price_changes(path)
    moves = moves_of(
        (
            (day, offer.sku, offer)
            for day in sorted(changes)
            for offer in changes[day]
            if offer.purchase_model is PurchaseModel.ON_DEMAND
        ),
        max(changes),
    )
    if not moves:
        message = "a history needs prices on demand of two days or more"
        raise DocumentError([Fault(str(path), 0, 0, "", message)])
    return moves


def moves_of(changes: Iterable[Change], until: date) -> Moves:
    """Moves of each GPU on each day after the first, up to a last day.

    A GPU's move is the mean of the moves of its offers that were listed before and still are,
    most of which stay as they are on most days: a geometric (Jevons) index of matched offers.
    """
    by_day: dict[date, list[tuple[str, Offer | None]]] = defaultdict(list)
    for day, name, offer in changes:
        by_day[day].append((name, offer))
    if not by_day:
        return []
    listed: dict[str, Offer] = {}
    days: Moves = []
    for number in range(min(by_day).toordinal(), until.toordinal() + 1):
        moved: dict[str, float] = defaultdict(float)
        for name, offer in by_day.get(date.fromordinal(number), ()):
            before = listed.pop(name, None)
            if offer is None:
                continue
            listed[name] = offer
            if before and before.price.currency == offer.price.currency and before.gpu == offer.gpu:
                moved[offer.gpu] += math.log(offer.price.amount / before.price.amount)
        count = Counter(offer.gpu for offer in listed.values())
        days.append({gpu: moved[gpu] / n for gpu, n in sorted(count.items())})
    return days[1:]


def _moves(days: Sequence[Mapping[str, float]]) -> Moves:
    return [
        {gpu: math.log(after[gpu] / before[gpu]) for gpu in after if gpu in before}
        for before, after in pairwise(days)
    ]
