"""How far each assumption may turn out: from prices seen and ranges published, else ±20 %.

Every range holds the value the plan was made with; it says what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from optimizer.breakeven.quotes import Quote, hourly_of, quotes
from optimizer.costs import MEAN_DAYS_IN_MONTH
from optimizer.finance.defaults import defaults, residual_curves
from optimizer.finance.risk import swing_of
from optimizer.options.market import market_filters, on_nodes
from optimizer.problem import Problem
from optimizer.report.money_text import counted
from optimizer.review.sensitivity.drivers import Driver, drivers
from optimizer.review.sensitivity.results import Basis, Span
from optimizer.review.workbook.question import Lot, Question
from providers.offers import Offer, select

LEAST = 3
"""Prices that make a range."""
MANY = 10
"""From so many on, the tenth at either end is left out."""
OLDEST_DAYS = 365
"""Prices seen longer ago say little about the next year."""
LEAST_HISTORY_DAYS = 90

PUBLISHED = {
    "pue": ("owning.pue",),
    "rate": ("money.discount_rate",),
    "resale_cost": ("money.resale_cost",),
    "maintenance": ("owning.maintenance",),
    "tariff": ("owning.electricity.cn", "owning.electricity.us", "owning.electricity.eu"),
}
"""Driver → ids in the table of defaults, the first in the question's currency counts."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A price of what is rented, of a GPU-hour in the question's currency, from a day on."""

    day: date
    price: Decimal


def spans(
    question: Question, problem: Problem | None = None, history: Sequence[Seen] = ()
) -> tuple[Span, ...]:
    """The range of every assumption that counts.

    Args:
        problem: for the offers and purchase prices of its book; without it they have no data.
        history: prices of the rental that is compared with, from a price store, oldest first.
    """
    return tuple(
        _spanned(driver, question, _Data(question, problem, history).of(driver))
        for driver in drivers(question)
    )


def compared_quote(question: Question, problem: Problem) -> Quote | None:
    """The rental that the largest purchase is compared with."""
    lot = max(question.lots, key=lambda lot: lot.nodes)
    option = next((o for o in problem.purchases if o.name == lot.option), None)
    found = quotes(problem, option.kind) if option else []
    return found[0] if found else None


def seen_prices(
    question: Question, problem: Problem, changes: Iterable[tuple[date, Offer]]
) -> tuple[Seen, ...]:
    """Earlier prices of the rental compared with, of a GPU-hour as the question counts it.

    Args:
        changes: (day, the offer as it was asked for from then on), oldest first.
    """
    now = compared_quote(question, problem)
    if now is None:
        return ()
    lot = max(question.lots, key=lambda lot: lot.nodes)
    today = problem.costs.increment_price(now.listing.offer, 1)
    return tuple(
        Seen(day, lot.rent * problem.costs.increment_price(offer, 1) / today)
        for day, offer in changes
    )


Found = tuple[Decimal, Decimal, Basis, str]


class _Data:
    """What there is to know about each assumption."""

    def __init__(
        self, question: Question, problem: Problem | None, history: Sequence[Seen]
    ) -> None:
        self.question, self.problem, self.history = question, problem, history
        self.lot = max(question.lots, key=lambda lot: lot.nodes)

    def of(self, driver: Driver) -> Found | None:
        if driver.name in PUBLISHED:
            return self._published(driver)
        looked = {"rent": self._rent, "price": self._price, "residual": self._residual,
                  "delay": self._delay}  # fmt: skip
        return looked[driver.name]() if driver.name in looked else None

    def _published(self, driver: Driver) -> Found | None:
        rows = (defaults()[name] for name in PUBLISHED[driver.name])
        row = next((r for r in rows if r.currency in ("", self.question.currency)), None)
        if row is None or row.low is None or row.high is None:
            return None
        basis = Basis.ASSUMED if row.group == "schedule" else Basis.PUBLISHED
        return row.low, row.high, basis, f"{row.id}: {row.source}"

    def _rent(self) -> Found | None:
        if len(self.history) >= LEAST:
            days = (self.history[-1].day - self.history[0].day).days
            if days >= LEAST_HISTORY_DAYS:
                prices = [seen.price for seen in self.history]
                words = f"this offer, {len(prices)} prices from {self.history[0].day}"
                return min(prices), max(prices), Basis.HISTORY, words
        if self.problem is None:
            return None
        return self._dated(self.problem)

    def _dated(self, problem: Problem) -> Found | None:
        """Offers of the same GPU, paid for as long at least, against the one compared with."""
        mine = compared_quote(self.question, problem)
        if mine is None:
            return None
        own = hourly_of(problem, mine.listing).per_hour / mine.listing.kind.count
        book = problem.costs.book
        allowed = select(book.offers, market_filters(problem.schedule.document.market, book.as_of))
        for offers, whose in ((allowed.kept, "allowed sellers"), (book.offers, "all sellers")):
            dated = list(_prices(problem, offers, mine.listing.kind.gpu, mine.span))
            if len(dated) >= LEAST:
                prices = _middle([price for _, price in dated])
                words = (
                    f"{len(dated)} offers of {mine.listing.kind.gpu} by the {mine.span}, "
                    f"{whose}, seen {_days([day for day, _ in dated])}"
                )
                each = self.lot.rent / own
                return prices[0] * each, prices[-1] * each, Basis.DATED, words
        return None

    def _price(self) -> Found | None:
        if self.problem is None:
            return None
        book, currency = self.problem.costs.book, self.question.currency
        rows = [
            offer
            for offer in book.hardware_offers
            if str(offer.kind) == self.lot.node
            and offer.complete
            and 0 <= (book.as_of - offer.observed_at).days <= OLDEST_DAYS
        ]
        if not rows:
            return None
        low = min(book.in_currency(row.low, currency).amount for row in rows)
        high = max(book.in_currency(row.high, currency).amount for row in rows)
        days = [row.observed_at for row in rows]
        words = f"{counted(len(rows), 'price')} of complete machines, {_days(days)}"
        return low, high, Basis.DATED, words

    def _residual(self) -> Found | None:
        gpu, age = self.lot.node.split("x", 1)[1], _age_months(self.lot)
        found = [c for c in residual_curves().values() if gpu.startswith(c.gpu)]
        if not found:
            return None
        low = min(curve.curve.at(age, "low").value for curve in found)
        high = max(curve.curve.at(age, "high").value for curve in found)
        words = "; ".join(f"{curve.name}: {curve.source}" for curve in found)
        return low, high, Basis.PUBLISHED, words

    def _delay(self) -> Found:
        """Delivered as planned, or so much later as the lead time is long."""
        lead = Decimal(self.lot.usable - self.lot.paid)
        most = max(lead, Decimal(int(MEAN_DAYS_IN_MONTH)))
        words = f"once more the lead time of {lead} days, a month at least"
        return Decimal(0), most, Basis.NO_DATA, words


def _age_months(lot: Lot) -> Decimal:
    return Decimal(lot.sold - lot.usable) / MEAN_DAYS_IN_MONTH


def _prices(
    problem: Problem, offers: Iterable[Offer], gpu: str, span: str
) -> Iterator[tuple[date, Decimal]]:
    """(seen on, price of a GPU-hour) of firm offers of a GPU; one each offer."""
    as_of = problem.costs.book.as_of
    for offer in offers:
        if offer.gpu != gpu or (as_of - offer.observed_at).days > OLDEST_DAYS:
            continue
        listing = next(iter(on_nodes(offer)), None)
        if listing is None or listing.spot:
            continue
        quote = hourly_of(problem, listing)
        if quote.span == span:
            yield offer.observed_at, quote.per_hour / listing.kind.count


def _middle(prices: list[Decimal]) -> list[Decimal]:
    ordered = sorted(prices)
    cut = len(ordered) // 10 if len(ordered) >= MANY else 0
    return ordered[cut : len(ordered) - cut]


def _days(days: list[date]) -> str:
    first, last = min(days), max(days)
    return f"{first}" if first == last else f"{first} to {last}"


def _spanned(driver: Driver, question: Question, found: Found | None) -> Span:
    base = driver.get(question)
    if found is None:
        share = defaults()["risk.swing"].number
        low, high = sorted(swing_of(base, share))
        found = low, high, Basis.NO_DATA, f"{share:.0%} either side, for want of data"
    low, high, basis, source = found
    low, high = min(low, base), max(driver.within(high), base)
    unit = driver.unit.format(question.currency)
    return Span(driver.name, driver.title, unit, base, low, high, basis, source)
