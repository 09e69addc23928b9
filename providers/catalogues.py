"""What the importers of other tools' price catalogues share: CSV files, one for each seller."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path, PurePosixPath
from typing import ClassVar

from providers.adapter import Snapshot
from providers.bundled import data_path
from providers.errors import DocumentError
from providers.files import FileAdapter
from providers.formats.cells import Cells, Line, Place
from providers.formats.csv_file import read_csv
from providers.hardware import NodeKind, accelerators
from providers.http import Http
from providers.live import Fields, RowError
from providers.offers import Offer, Rejected
from providers.price_table import read_offers
from providers.terms import Tier


@dataclass(frozen=True, slots=True)
class Seller:
    """Whose prices a file holds."""

    name: str
    """As our own tables call it."""
    tier: Tier = Tier.SPECIALIST
    currency: str = "USD"
    """Empty: not known, so its rows are rejected."""


class CatalogueAdapter(FileAdapter):
    """A catalogue is somebody's copy of price APIs: its offers have confidence B and the day on
    which they were read, since the files have no date of their own."""

    required: ClassVar[tuple[str, ...]]
    """Columns without which it is another kind of file."""
    sellers: ClassVar[Mapping[str, Seller]]
    """By the names that the catalogue gives its files."""

    def __init__(
        self,
        sources: Sequence[Path | str],
        read_at: datetime,
        http: Http | None = None,
        seller: str = "",
    ) -> None:
        super().__init__(sources, read_at, http)
        self._seller = seller

    @abstractmethod
    def fates(
        self, row: Fields, seller: Seller, taken: Mapping[str, Offer], snapshot: Snapshot
    ) -> Iterator[Offer | Rejected]:
        """What one row offers. A `RowError` rejects the row.

        Args:
            taken: offers of the rows before, by sku.
        """

    def files(self, snapshot: Snapshot) -> Iterator[tuple[str, bytes]]:
        """The CSV files of a snapshot with their names."""
        yield snapshot.address, snapshot.body

    def prepared(self, lines: list[Line]) -> list[Line]:
        """The lines, where some only mean something together."""
        return lines

    def parse(self, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        taken: dict[str, Offer] = {}
        for name, data in self.files(snapshot):
            seller, cells = self.seller_of(name), read_csv(data, name)
            self._check_header(cells)
            for problem in cells.problems:
                place = str(problem.place.line)
                yield Rejected(f"{seller.name}/line {place}", problem.message, snapshot.address)
            for line in self.prepared(cells.lines):
                yield from self._row(line, seller, taken, snapshot)

    def _row(
        self, line: Line, seller: Seller, taken: dict[str, Offer], snapshot: Snapshot
    ) -> Iterator[Offer | Rejected]:
        try:
            for fate in self.fates(Fields(line.cells), seller, taken, snapshot):
                if isinstance(fate, Rejected):
                    yield fate
                elif fate.sku in taken:
                    first, price = taken[fate.sku].price.amount, fate.price.amount
                    kept = "" if first == price else f" at {price}; {first} is kept"
                    reason = f"listed a second time{kept}"
                    yield Rejected(fate.sku, reason, snapshot.address)
                else:
                    taken[fate.sku] = fate
                    yield replace(fate, confidence="B")
        except RowError as fault:
            yield Rejected(f"{seller.name}/{line.name}", str(fault), snapshot.address)

    def seller_of(self, name: str) -> Seller:
        """Whose prices a file holds: as told, else by its name or its folder's.

        Raises:
            DocumentError: neither is a seller of this catalogue.
        """
        if self._seller:
            return self.sellers.get(self._seller, Seller(self._seller))
        path = PurePosixPath(name.replace("\\", "/").partition("?")[0])
        words = [part.lower() for part in (path.stem, path.parent.name)]
        for word in [*words, *re.split(r"[^a-z0-9]+", words[0])]:
            if word in self.sellers:
                return self.sellers[word]
        message = "neither the file nor its folder is named after a seller of this catalogue"
        raise Place(name).refused(message, f"such as {next(iter(self.sellers))}.csv")

    def _check_header(self, cells: Cells) -> None:
        found = {column for column, _ in cells.columns}
        missing = [column for column in self.required if column not in found]
        if missing:
            message = f"column '{missing[0]}' is missing"
            fault = cells.top.fault(message, f"a {self.name} catalogue has {self._wanted()}")
            raise DocumentError([fault])

    def _wanted(self) -> str:
        return ", ".join(self.required)


def documented_card(seller: str, instance_type: str, name: str, gpus: int, told: str | None) -> str:
    """The card of an instance type: the documented one where the price tables know the type.

    Args:
        name: what the catalogue calls the card.
        gpus: how many it says there are.
        told: id of the card by name and memory; None where they name no known one.

    Returns:
        An accelerator's id, or nothing.

    Raises:
        RowError: the catalogue says otherwise than what is documented.
    """
    known = _documented().get((seller, instance_type))
    if known is None:
        return told or ""
    if known.count != gpus:
        raise RowError(f"{gpus} GPUs; {instance_type} is documented with {known.count}")
    family = accelerators()[known.gpu].family
    if _letters(family) not in _letters(name):
        raise RowError(f"GPU '{name}'; {instance_type} is documented with {known.gpu}")
    if told and accelerators()[told].memory_gb != accelerators()[known.gpu].memory_gb:
        raise RowError(f"memory of {told}; {instance_type} is documented with {known.gpu}")
    return known.gpu


@cache
def _documented() -> dict[tuple[str, str], NodeKind]:
    offers, _ = read_offers(data_path("prices", "bundled.csv"))
    return {(offer.provider, offer.instance_type): offer.node_kind for offer in offers}


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def price_of(row: Fields, column: str) -> Decimal | None:
    """The price as written; None where there is none."""
    text = row.get(column)
    return None if text in (None, "", "nan", "None") else row.number(column)
