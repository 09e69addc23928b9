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
def held(config: Config, *, create: bool = True) -> Iterator[PriceStore]:
    """The same, for commands that write: one at a time on a store.

    Raises:
        LockHeldError, StoreBusyError: another one is at work, on this machine or elsewhere.
    """
    from providers.lock import refresh_lock

    with (
        refresh_lock(config.store_url),
        opened(config, create=create) as store,
        store.alone(),
    ):
        yield store


@contextmanager
def opened(config: Config, *, create: bool = True) -> Iterator[PriceStore]:
    """The store of the settings; without `create` it must be there."""
    with needing("live"):
        from providers.store import open_store

    with open_store(config.store_url, create=create) as store:
        yield store
