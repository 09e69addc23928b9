"""Offer books from the bundled tables and a user's own quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from providers.adapter import Adapter
from providers.bundled import data_path
from providers.csv_table import near
from providers.errors import RentoptError
from providers.fx import bundled_fx
from providers.offers import Offer, OfferBook, Rejected
from providers.price_table import read_hardware_offers, read_rejected, read_tokens
from providers.registry import load_adapter


@dataclass(frozen=True, slots=True)
class _Files:
    offers: str
    tokens: str
    purchases: str
    rejected: str = ""


TABLES = {
    "current": _Files("bundled.csv", "tokens.csv", "purchase_prices.csv", "rejected.csv"),
    "china-2024-07": _Files(
        "china-2024-07.csv", "tokens-china-2024-07.csv", "purchase_prices_2024-07_china.csv"
    ),
}
"""Bundled price tables by the name that commands and schedules use."""


class UnknownTableError(RentoptError):
    """No bundled price table of that name."""


def bundled_book(table: str = "current", *, as_of: date, quotes: Sequence[Path] = ()) -> OfferBook:
    """All prices of a bundled table, and of quotes files; a quote replaces the offer of its sku.

    Args:
        table: a name in `TABLES`.
        as_of: the day the prices are wanted for; it picks exchange rates and ends quotes.
        quotes: CSV files with the columns of the price table.

    Raises:
        UnknownTableError: there is no such table.
        DocumentError: a quotes file is faulty.
    """
    if table not in TABLES:
        raise UnknownTableError(f"'{table}' is no price table; {near(table, TABLES)}")
    files = TABLES[table]
    own, rejected = _read(quotes, as_of)
    bundled, more = _read([data_path("prices", files.offers)], as_of)
    offers = {offer.sku: offer for offer in bundled}
    for quote in own:
        if quote.sku in offers:
            replaced = offers[quote.sku]
            reason = "replaced by a quote with the same sku"
            rejected.append(Rejected(replaced.sku, reason, replaced.source))
        offers[quote.sku] = quote
    rejected += more
    if files.rejected:
        rejected += read_rejected(data_path("prices", files.rejected))
    return OfferBook(
        as_of=as_of,
        fx=bundled_fx(),
        offers=tuple(offers.values()),
        token_offers=tuple(read_tokens(data_path("prices", files.tokens))),
        hardware_offers=tuple(read_hardware_offers(data_path("hardware", files.purchases))),
        rejected=tuple(rejected),
        tables=(table, *(str(path) for path in quotes)),
    )


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
