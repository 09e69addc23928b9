"""Offers from price tables on disk: the bundled ones, and a user's own quotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from providers.adapter import Snapshot
from providers.errors import DocumentError, Fault
from providers.offers import Offer, Rejected
from providers.price_table import read_offers


class TableAdapter:
    """Reads CSV files with the columns of `providers.price_table.OFFER_COLUMNS`."""

    name = "table"

    def __init__(self, paths: Sequence[Path], read_at: datetime) -> None:
        self._paths = tuple(paths)
        self._read_at = read_at
        """The moment the prices are wanted for: quotes that end before it are rejected."""

    def fetch(self) -> Iterator[Snapshot]:
        for path in self._paths:
            try:
                body = path.read_bytes()
            except OSError as error:
                problem = f"cannot be read: {error.strerror}"
                raise DocumentError([Fault(str(path), 0, 0, "", problem)]) from error
            yield Snapshot(str(path), self._read_at, body)

    def parse(self, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        day = snapshot.observed_at.date()
        offers, rejected = read_offers(snapshot.body, snapshot.address, as_of=day)
        yield from offers
        yield from rejected
