"""The border between providers and prices: bytes with an address and a time, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
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
