"""Prices day by day: from the price store, or from a table whose rows say since when they hold."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from optimizer.schedule.document import Purchase
from providers.errors import DocumentError, Fault, RentoptError
from providers.money import Money
from providers.offers import Offer, OfferBook
from providers.price_table import read_offers


class HistoryError(RentoptError):
    """There are no prices of the days that are wanted."""

    exit_code = 4


@dataclass(slots=True)
class History:
    """A book of offers for each of a stretch of days. An offer that is no longer listed keeps its
    last price; before it was first listed it is not to be had."""

    first_day: date
    books: tuple[OfferBook, ...]
    currency: str
    _days: dict[str, tuple[Offer | None, ...]] = field(default_factory=dict)
    _by_sku: list[dict[str, Offer]] = field(default_factory=list)

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(len(self.books) - 1)

    def book(self, day: date) -> OfferBook:
        """What was on offer on a day."""
        return self.books[(day - self.first_day).days]

    def all_offers(self) -> OfferBook:
        """The first day's book with every offer that was listed on any day."""
        seen: dict[str, Offer] = {}
        for book in self.books:
            for offer in book.offers:
                seen.setdefault(offer.sku, offer)
        return replace(self.books[0], offers=tuple(seen.values()))

    def notes(self) -> tuple[str, ...]:
        """How much of a past these prices are."""
        prices: dict[str, set[tuple[Money, Money]]] = defaultdict(set)
        for book in self.books:
            for offer in book.offers:
                prices[offer.sku].add((offer.price, offer.upfront))
        moved = sum(len(seen) > 1 for seen in prices.values())
        late = {
            offer.sku
            for day, book in enumerate(self.books)
            for offer in book.offers
            if offer.observed_at > self.first_day + timedelta(day)
        }
        found = [f"{moved:,} of {len(prices):,} offers changed their price in these days"]
        if not moved:
            found = ["no price changed in these days: all ways saw the same prices throughout"]
        if late:
            found.append(
                f"{len(late):,} of {len(prices):,} offers were seen later than the days they are "
                "used for; past prices come from a price store or --history"
            )
        return tuple(found)

    def days(self, sku: str) -> tuple[Offer | None, ...]:
        """[day] the offer at its price in `currency`; None before it was first listed."""
        if not self._by_sku:
            self._by_sku = [{offer.sku: offer for offer in book.offers} for book in self.books]
        if sku not in self._days:
            last: Offer | None = None
            found: list[Offer | None] = []
            for listed, book in zip(self._by_sku, self.books, strict=True):
                if sku in listed:
                    last = self._converted(listed[sku], book)
                found.append(last)
            self._days[sku] = tuple(found)
        return self._days[sku]

    def offer(self, offer: Offer, day: date) -> Offer:
        """The offer as it was asked for on that day, or last before."""
        number = min(max((day - self.first_day).days, 0), len(self.books) - 1)
        return self.days(offer.sku)[number] or offer

    def purchase(self, item: Purchase, day: date) -> Purchase:
        """What the schedule says, on all days: no source tells past prices of hardware."""
        return item

    def _converted(self, offer: Offer, book: OfferBook) -> Offer:
        def amount(money: Money) -> Money:
            return book.in_currency(money, self.currency)

        return replace(offer, price=amount(offer.price), upfront=amount(offer.upfront))


def stored_history(
    first: date, last: date, currency: str, book_of: Callable[[date], OfferBook]
) -> History:
    """
    Args:
        book_of: the book of a day.
    """
    days = (last - first).days + 1
    return History(first, tuple(book_of(first + timedelta(n)) for n in range(days)), currency)


def recorded_history(
    path: Path, first: date, last: date, currency: str, frame: OfferBook
) -> History:
    """Prices from one table: each row holds from its `observed_at` until the next of its sku, or
    until its `valid_until`.

    Args:
        path: CSV with the columns of the price table, `sku` included.
        frame: exchange rates and token prices to use with them.

    Raises:
        DocumentError: the table is faulty.
        HistoryError: it has no price on the first day.
    """
    changes = price_changes(path)
    books: list[OfferBook] = []
    known: dict[str, Offer] = {}
    waiting = sorted(changes)
    for number in range((last - first).days + 1):
        day = first + timedelta(number)
        while waiting and waiting[0] <= day:
            known.update({offer.sku: offer for offer in changes[waiting.pop(0)]})
        offers = [o for o in known.values() if o.valid_until is None or o.valid_until >= day]
        books.append(replace(frame, as_of=day, offers=tuple(offers), tables=(path.name,)))
    if not books[0].offers:
        raise HistoryError(f"{path} has no price of {first} or before")
    return History(first, tuple(books), currency)


def price_changes(path: Path) -> dict[date, Sequence[Offer]]:
    """Day → offers whose price changed on it. Each day is read as a table of its own.

    Raises:
        DocumentError: the table is faulty.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DocumentError(
            [Fault(str(path), 0, 0, "", f"cannot be read: {error.strerror}")]
        ) from None
    head, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    missing = [name for name in ("sku", "observed_at") if name not in head]
    if missing:
        message = f"a history needs the column '{missing[0]}'"
        raise DocumentError([Fault(str(path), 1, 1, "", message)])
    at = head.index("observed_at")
    by_day: dict[str, list[list[str]]] = defaultdict(list)
    for number, row in enumerate(rows, 2):
        if len(row) <= at:
            raise DocumentError([Fault(str(path), number, 1, "", "the row is too short")])
        by_day[row[at]].append(row)
    changes: dict[date, Sequence[Offer]] = {}
    for lines in by_day.values():
        table = io.StringIO()
        csv.writer(table).writerows([head, *lines])
        offers, _ = read_offers(table.getvalue().encode(), str(path))
        changes[offers[0].observed_at] = offers
    return changes
