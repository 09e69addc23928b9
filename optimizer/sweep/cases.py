"""A case with everything that decides its result: schedule, prices, options; and its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from optimizer.api import prices_for
from optimizer.schedule.schedule import Schedule
from optimizer.sweep.document import PlanOptions
from optimizer.sweep.edits import AS_OF, RENT
from optimizer.sweep.load import Edits, Sweep, canonical
from optimizer.sweep.rows import FAULTY, Row, without_plan
from providers.bundled import data_path
from providers.errors import DocumentError
from providers.offers import OfferBook

KEY_FORMAT = 1
_FACTS = ("hardware", "models", "measured", "fx")


@dataclass(frozen=True, slots=True)
class PriceChoice:
    """Which prices the cases are planned with."""

    as_of: date
    """Where no axis moves it; the horizon's first day where that is earlier, unless `exactly`."""
    exactly: bool
    known_at: datetime | None = None
    store: str | None = None
    quotes: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a sweep, ready to be planned anywhere."""

    number: int
    edits: Edits
    schedule: Schedule
    book_digest: str
    rent: Decimal
    key: str


@dataclass(slots=True)
class Cases:
    """Makes the cases of a sweep, with each price book read once."""

    sweep: Sweep
    prices: PriceChoice
    books: dict[str, OfferBook] = field(default_factory=dict)
    """Digest → book."""
    _digests: dict[tuple[object, ...], str] = field(default_factory=dict)

    def case(self, number: int, edits: Edits) -> Case | Row:
        """The case, or the row that says why its values make none.

        Raises:
            RentoptError: the prices cannot be read.
        """
        try:
            schedule = self.sweep.schedule_of(edits)
        except DocumentError as error:
            said = (f"{fault.path}: {fault.message}".lstrip(": ") for fault in error.faults)
            return without_plan(FAULTY, "; ".join(said))
        values = dict(edits)
        as_of = values.get(AS_OF)
        digest = self._book(schedule, date.fromisoformat(as_of) if as_of else None)
        rent = Decimal(values.get(RENT, 1))
        key = case_key(schedule.sha256, edits, digest, facts_digest(), self.sweep.document.options)
        return Case(number, edits, schedule, digest, rent, key)

    def _book(self, schedule: Schedule, as_of: date | None) -> str:
        chosen, market = self.prices, schedule.document.market
        if as_of is None:
            early = not chosen.exactly and schedule.first_day < chosen.as_of
            as_of = schedule.first_day if early else chosen.as_of
        asked = (market.table, tuple(market.quotes), as_of)
        if asked not in self._digests:
            book = prices_for(
                schedule, as_of, chosen.quotes, store=chosen.store, known_at=chosen.known_at
            )
            digest = book_digest(book)
            self.books.setdefault(digest, book)
            self._digests[asked] = digest
        return self._digests[asked]


def case_key(
    schedule_sha256: str, edits: Edits, book: str, facts: str, options: PlanOptions
) -> str:
    """What a result is found again by: everything that it depends on."""
    body = {
        "format": KEY_FORMAT,
        "tool": tool_version(),
        "schedule": schedule_sha256,
        "edits": canonical(edits),
        "book": book,
        "facts": facts,
        "options": options.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def tool_version() -> str:
    try:
        return version("rentopt")
    except PackageNotFoundError:
        return "0+unknown"


def book_digest(book: OfferBook) -> str:
    """Of the prices and rates that a plan may use, in their order, not of where they came from."""
    parts: Sequence[object] = (
        book.as_of, book.offers, book.token_offers, book.hardware_offers, book.fx.pivot,
        sorted((day, sorted(rates.items())) for day, rates in book.fx.per_pivot.items()),
        sorted(book.fx.fixed.items()),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def facts_digest() -> str:
    """Of the bundled figures on hardware and models."""
    whole = hashlib.sha256()
    for folder in _FACTS:
        for path in sorted(data_path(folder).glob("*.csv")):
            whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()
