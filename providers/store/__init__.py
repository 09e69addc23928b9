"""The price store: every price the adapters ever found, and what was known of it when."""

from providers.store.opening import open_store
from providers.store.prices import PriceStore
from providers.store.records import (
    AdapterStatus,
    Decision,
    PriceChange,
    Published,
    QuarantinedRun,
    Run,
    StoreBusyError,
    StoreError,
    StoreMissingError,
)

__all__ = [
    "AdapterStatus",
    "Decision",
    "PriceChange",
    "PriceStore",
    "Published",
    "QuarantinedRun",
    "Run",
    "StoreBusyError",
    "StoreError",
    "StoreMissingError",
    "open_store",
]
