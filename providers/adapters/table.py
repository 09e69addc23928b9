"""Offers from price tables: the bundled ones, and a user's own quotes and imports."""

from __future__ import annotations

from collections.abc import Iterator

from providers.adapter import Snapshot
from providers.files import FileAdapter
from providers.offers import Offer, Rejected
from providers.price_table import read_offers


class TableAdapter(FileAdapter):
    """Reads CSV, YAML, XLSX and Parquet files with the columns of
    `providers.price_table.OFFER_COLUMNS`."""

    name = "table"

    def parse(self, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        day = snapshot.observed_at.date()
        offers, rejected = read_offers(snapshot.body, snapshot.address, as_of=day)
        yield from offers
        yield from rejected
