"""Offer books: the bundled tables, what the refreshes found since, and a user's own quotes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

from providers.adapter import Adapter
from providers.bundled import data_path
from providers.errors import RentoptError
from providers.fx import FxTable, bundled_fx
from providers.offers import HardwareOffer, Offer, OfferBook, PriceSource, Rejected, TokenOffer
from providers.price_table import read_hardware_offers, read_offers, read_rejected, read_tokens
from providers.registry import load_adapter
from providers.stored import StoredPrices
from providers.strict_table import near


@dataclass(frozen=True, slots=True)
class _Files:
    offers: str
    tokens: str
    purchases: str
    rejected: str = ""

    @property
    def paths(self) -> list[Path]:
        return [
            data_path("prices", self.offers),
            data_path("prices", self.tokens),
            data_path("hardware", self.purchases),
        ]


CURRENT = "current"
TABLES = {
    CURRENT: _Files("bundled.csv", "tokens.csv", "purchase_prices.csv", "rejected.csv"),
    "china-2024-07": _Files(
        "china-2024-07.csv", "tokens-china-2024-07.csv", "purchase_prices_2024-07_china.csv"
    ),
}
"""Bundled price tables by the name that commands and schedules use."""


class UnknownTableError(RentoptError):
    """No bundled price table of that name."""


@dataclass(slots=True)
class _Pile:
    """Offers by sku, and those that had to make room."""

    offers: dict[str, Offer] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def put(self, offer: Offer, reason: str) -> None:
        """Add an offer, unless its sku is taken already; `reason` says by what."""
        if offer.sku in self.offers:
            self.rejected.append(Rejected(offer.sku, reason, offer.source))
        else:
            self.offers[offer.sku] = offer


def bundled_book(
    table: str = CURRENT,
    *,
    as_of: date,
    quotes: Sequence[Path] = (),
    stored: StoredPrices | None = None,
) -> OfferBook:
    """All prices for a day: own quotes first, then refreshed tables, then the bundled table.

    A quote replaces what has its sku. A refreshed table replaces the bundled offers of the same
    provider on the same terms (purchase model and tenor): others, such as published term prices
    that no API tells, stay. A table of the past is not mixed with refreshed prices.

    Args:
        table: a name in `TABLES`.
        as_of: the day the prices are wanted for; it picks exchange rates and ends quotes.
        quotes: files with the columns of the price table.
        stored: what the price store holds for that day.

    Raises:
        UnknownTableError: there is no such table.
        DocumentError: a quotes file is faulty.
    """
    if table not in TABLES:
        raise UnknownTableError(f"'{table}' is no price table; {near(table, TABLES)}")
    pile = _Pile()
    refreshed = stored if stored and table == CURRENT else StoredPrices()
    own, pile.rejected = _read(quotes, as_of)
    for quote in own:
        pile.put(quote, "quoted a second time")
    covered = set()
    for adapter, offer in _by_precedence(refreshed):
        covered.add((offer.provider, offer.purchase_model, offer.tenor))
        if offer.valid_until is not None and offer.valid_until < as_of:
            reason = f"valid until {offer.valid_until}, not on {as_of}"
            pile.rejected.append(Rejected(offer.sku, reason, offer.source))
        else:
            pile.put(offer, f"another table has it before {adapter}")
    bundled = _bundled(table)
    for offer in bundled.offers:
        if (offer.provider, offer.purchase_model, offer.tenor) in covered:
            reason = f"replaced by the refreshed prices of {offer.provider}"
            pile.rejected.append(Rejected(offer.sku, reason, offer.source))
        elif offer.valid_until is not None and offer.valid_until < as_of:
            reason = f"valid until {offer.valid_until}, not on {as_of}"
            pile.rejected.append(Rejected(offer.sku, reason, offer.source))
        else:
            pile.put(offer, "replaced by a quote with the same sku")
    tables = (table, *(source.name for source in refreshed.sources), *map(str, quotes))
    return OfferBook(
        as_of=as_of,
        fx=_rates(refreshed.fx, as_of),
        offers=tuple(pile.offers.values()),
        token_offers=bundled.token_offers,
        hardware_offers=bundled.hardware_offers,
        rejected=(*pile.rejected, *bundled.rejected),
        tables=tables,
        sources=(
            bundled.source,
            *refreshed.sources,
            *(PriceSource(str(path), _digest([path])) for path in quotes),
        ),
        known_at=refreshed.known_at,
    )


@dataclass(frozen=True, slots=True)
class _Bundled:
    """What a bundled table holds, on any day."""

    offers: tuple[Offer, ...]
    token_offers: tuple[TokenOffer, ...]
    hardware_offers: tuple[HardwareOffer, ...]
    rejected: tuple[Rejected, ...]
    source: PriceSource


@cache
def _bundled(table: str) -> _Bundled:
    """Read once: a simulation asks for a book of every day."""
    files = TABLES[table]
    offers, rejected = read_offers(data_path("prices", files.offers))
    if files.rejected:
        rejected += read_rejected(data_path("prices", files.rejected))
    return _Bundled(
        tuple(offers),
        tuple(read_tokens(data_path("prices", files.tokens))),
        tuple(read_hardware_offers(data_path("hardware", files.purchases))),
        tuple(rejected),
        PriceSource(table, _digest(files.paths)),
    )


def _by_precedence(stored: StoredPrices) -> Iterator[tuple[str, Offer]]:
    """A provider's own table before what resellers and files say of its machines."""
    for own in (True, False):
        for adapter, offers in sorted(stored.tables.items()):
            yield from ((adapter, o) for o in offers if (o.provider == adapter) is own)


def _rates(stored: FxTable | None, as_of: date) -> FxTable:
    """The stored rates where they reach back to the day, else the bundled ones."""
    if stored is not None and any(day <= as_of for day in stored.per_pivot):
        return stored
    return bundled_fx()


def _digest(paths: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _read(paths: Sequence[Path], as_of: date) -> tuple[list[Offer], list[Rejected]]:
    moment = datetime.combine(as_of, time(), UTC)
    adapter: Adapter = load_adapter("table")(paths, moment)
    offers: list[Offer] = []
    rejected: list[Rejected] = []
    for snapshot in adapter.fetch():
        for item in adapter.parse(snapshot):
            if isinstance(item, Offer):
                offers.append(item)
            else:
                rejected.append(item)
    return offers, rejected
