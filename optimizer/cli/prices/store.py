"""The price store that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from providers.errors import needing

if TYPE_CHECKING:
    from providers.config import Config
    from providers.store import PriceStore


@contextmanager
def opened(config: Config, *, create: bool = True) -> Iterator[PriceStore]:
    """The store of the settings; without `create` it must be there."""
    with needing("live"):
        from providers.store import open_store

    with open_store(config.store_url, create=create) as store:
        yield store
