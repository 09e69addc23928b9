"""The border between providers and prices: bytes with an address and a time, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from providers.offers import Offer, Rejected


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an address answered at one moment. Nothing past it knows sockets, files or SDKs."""

    address: str
    observed_at: datetime
    body: bytes

    def __post_init__(self) -> None:
        if self.observed_at.tzinfo is None:
            raise ValueError(f"{self.address}: observed_at needs a time zone")


class Adapter(Protocol):
    """One source of offers. `fetch` speaks to the world, `parse` is pure: yesterday's bytes can
    be parsed again by today's code."""

    name: str

    def fetch(self) -> Iterator[Snapshot]:
        """The source's answers, page by page."""
        ...

    def parse(self, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        """Every row of an answer: an offer, or rejected with its reason."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderTable:
    """Everything one adapter found in one visit: what is checked, stored and published as one."""

    adapter: str
    observed_at: datetime
    """When its first answer came in; on which the prices are valid from."""
    snapshots: tuple[Snapshot, ...]
    offers: tuple[Offer, ...]
    rejected: tuple[Rejected, ...]


@dataclass(slots=True)
class Snapshots:
    """Answers kept earlier, as an adapter that asks nobody."""

    name: str
    kept: Sequence[Snapshot]
    parser: Callable[[Snapshot], Iterator[Offer | Rejected]]

    def fetch(self) -> Iterator[Snapshot]:
        yield from self.kept

    def parse(self, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        yield from self.parser(snapshot)


def read_table(adapter: Adapter) -> ProviderTable:
    """Fetch and parse all an adapter has. An sku that comes twice keeps its first offer.

    Raises:
        FetchError: the source does not answer, or answers something else.
    """
    snapshots, offers, rejected = [], {}, []
    for snapshot in adapter.fetch():
        snapshots.append(snapshot)
        for fate in adapter.parse(snapshot):
            if isinstance(fate, Rejected):
                rejected.append(fate)
            elif fate.sku in offers:
                rejected.append(Rejected(fate.sku, "listed a second time", snapshot.address))
            else:
                offers[fate.sku] = fate
    if not snapshots:
        raise ValueError(f"{adapter.name}: fetch gave nothing")
    return ProviderTable(
        adapter.name,
        min(snapshot.observed_at for snapshot in snapshots),
        tuple(snapshots),
        tuple(offers.values()),
        tuple(rejected),
    )
