"""The refresh in numbers, as a Prometheus text file for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from providers.refresh import Outcome, Status

if TYPE_CHECKING:
    from providers.store import PriceStore


def write_metrics(
    path: Path, outcomes: Iterable[Outcome], store: PriceStore, now: datetime
) -> None:
    """Write the file anew; a reader sees the old one or the new one."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()

    def gauge(name: str, said: str, *labels: str) -> Gauge:
        return Gauge(f"rentopt_{name}", said, labels, registry=registry)

    state = gauge("refresh_status", "1 for the source's state", "provider", "status")
    seconds = gauge("refresh_duration_seconds", "Time to ask and check", "provider")
    offers = gauge("refresh_offers", "Offers in the table", "provider")
    rejected = gauge("refresh_rejected_rows", "Rows that are no offers", "provider")
    changes = gauge("refresh_changes", "Offers new, changed or gone", "provider")
    held = gauge("refresh_held_back_offers", "Prices that are not believable", "provider")
    for outcome in outcomes:
        for status in Status:
            state.labels(outcome.adapter, status.value).set(outcome.status is status)
        seconds.labels(outcome.adapter).set(outcome.seconds)
        if outcome.status is Status.PUBLISHED:
            offers.labels(outcome.adapter).set(outcome.offers)
            rejected.labels(outcome.adapter).set(outcome.rejected)
            changes.labels(outcome.adapter).set(outcome.changes)
            held.labels(outcome.adapter).set(outcome.held_back)
    age = gauge("prices_age_seconds", "Since the last published table", "provider")
    failures = gauge("refresh_failures_in_a_row", "Attempts since one was published", "provider")
    for known in store.status():
        failures.labels(known.adapter).set(known.consecutive_failures)
        published = known.last_published
        if published is not None and published.observed_at is not None:
            age.labels(known.adapter).set((now - published.observed_at).total_seconds())
    gauge("refresh_time_seconds", "When the refresh ended").set(now.timestamp())
    gauge("store_bytes", "Size of the price store").set(store.size_bytes())
    write_to_textfile(str(path), registry)
