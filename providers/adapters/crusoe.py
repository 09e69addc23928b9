"""Crusoe: what it has and where from its API, which has no prices; those are published ones.

The API is signed. The prices are rows of the bundled table, copied with their dates from Crusoe's
price page; a snapshot holds the rows it was joined with, and an offer carries the date its price
was read on, not that of the answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from providers.adapter import Snapshot
from providers.bundled import data_path
from providers.gpu_names import gpu_id
from providers.http import Call, CredentialError, Dialect, FetchError
from providers.live import Fields, LiveAdapter, Machine, RowError, bundle, places
from providers.offers import Offer, Rejected
from providers.price_table import read_offers
from providers.terms import PurchaseModel

VARIABLES = ("CRUSOE_ACCESS_KEY", "CRUSOE_SECRET_KEY", "CRUSOE_PROJECT_ID")
PER_GPU = "any"
"""Region of the published rows, which are prices of one GPU of a machine, wherever it is."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Version 1.0: HMAC-SHA256 over path, query, method and time, a line each."""

    access_key: str = field(repr=False)
    secret: bytes = field(repr=False)

    def __call__(self, call: Call) -> tuple[str, Mapping[str, str]]:
        parts, moment = urlsplit(call.url), call.moment.replace(microsecond=0).isoformat()
        query = "&".join(sorted(parts.query.split("&")))
        said = f"{parts.path}\n{query}\n{call.method}\n{moment}\n"
        digest = hmac.new(self.secret, said.encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return call.url, {
            "X-Crusoe-Timestamp": moment,
            "Authorization": f"Bearer 1.0:{self.access_key}:{signature}",
        }


class Crusoe(LiveAdapter):
    name = "crusoe"
    home = "https://api.crusoecloud.com"
    variables = ("CRUSOE_ACCESS_KEY", "CRUSOE_SECRET_KEY", "CRUSOE_PROJECT_ID")

    def fetch(self) -> Iterator[Snapshot]:
        access, secret, project = (self.key(name) for name in VARIABLES)
        dialect = Dialect(sign=Signer(access, _secret(secret)))

        def page(path: str) -> Snapshot:
            return self.settings.http.get(
                f"{self.base}/v1alpha5{path}",
                secrets=[access, secret, project],
                variables=VARIABLES,
                dialect=dialect,
            ).snapshot

        types = page(f"/projects/{project}/compute/vms/types")
        whole = bundle(
            {
                "types": types,
                "capacities": page("/capacities"),
                "published": replace(types, body=published()),
            }
        )
        self.rows(whole)
        yield whole

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        types = self.listed(snapshot, "types", "items")
        prices = self.listed(snapshot, "published")
        try:
            sold = _regions(self.listed(snapshot, "capacities", "items"))
        except RowError as fault:
            raise FetchError(f"{snapshot.address}: capacities: {fault}") from None
        found: list[tuple[str, object]] = []
        for item in types:
            label = item.get("product_name") if isinstance(item, dict) else None
            found.append((str(label), {"type": item, "sold": sold, "prices": prices}))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        kind = row.inner("type")
        gpus = kind.count("num_gpu")
        if gpus == 0:
            raise RowError("no GPU")
        product, said = kind.text("product_name"), kind.text("gpu_type")
        gpu = gpu_id(said)
        known = [Fields(price, "published") for price in row.rows("prices")]
        prices = [price for price in known if gpu and price.text("gpu") == gpu]
        if not prices:
            why = "has no published price" if gpu else "is not in the hardware table"
            raise RowError(f"GPU '{said}' {why}; the API gives none")
        sold = row.get("sold").get(product, [])
        for region in places(sold):
            machine = Machine(
                provider=self.name,
                instance_type=product,
                region=region,
                gpu=gpu,
                gpu_name=said,
                gpu_count=gpus,
                snapshot=snapshot,
                vcpu=kind.maybe("cpu_cores"),
                ram_gb=kind.maybe("memory_gb"),
                currency="USD",
                note="" if sold else "no capacity anywhere when read",
            )
            for price in prices:
                yield _published_offer(machine, price)


def _published_offer(machine: Machine, price: Fields) -> Offer | Rejected:
    """The machine at a published price per GPU: its date and source are those of the price."""
    try:
        model, read_on = PurchaseModel(price.text("model")), date.fromisoformat(price.text("date"))
    except ValueError as fault:
        raise RowError(f"published price: {fault}") from None
    machine = replace(machine, currency=price.text("currency"))
    asked = machine.offer(model, price.number("per_gpu_hour") * machine.gpu_count)
    if isinstance(asked, Rejected):
        return asked
    confidence = price.text("confidence")
    if confidence not in ("A", "B", "C"):
        raise RowError(f"published price: confidence '{confidence}'")
    note = f"price per GPU as published by {read_on}; the type is listed by the API"
    return replace(
        asked,
        observed_at=read_on,
        confidence=confidence,
        source=f"{price.text('source')}; types of {machine.snapshot.address}",
        note="; ".join(part for part in (note, asked.note) if part),
    )


def published() -> bytes:
    """Crusoe's own prices per GPU in the bundled table, as JSON; resellers' prices are not."""
    offers, _ = read_offers(data_path("prices", "bundled.csv"))
    rows = [
        {
            "gpu": offer.gpu,
            "model": offer.purchase_model.value,
            "per_gpu_hour": str(offer.price.amount),
            "currency": offer.price.currency,
            "date": offer.observed_at.isoformat(),
            "confidence": offer.confidence,
            "source": offer.source,
        }
        for offer in offers
        if offer.provider == Crusoe.name and offer.region == PER_GPU and offer.gpu_count == 1
    ]
    return json.dumps(rows, indent=1).encode()


def _secret(text: str) -> bytes:
    """The secret key as bytes: base64 in the alphabet of URLs, usually without its padding."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except binascii.Error:
        raise CredentialError(f"{Crusoe.name}: {VARIABLES[1]} is not in base64") from None


def _regions(rows: list[Any]) -> dict[str, list[str]]:
    """Type → locations that have at least one now."""
    found: dict[str, list[str]] = {}
    for item in rows:
        row = Fields(item)
        if row.number("quantity") > 0:
            found.setdefault(row.text("type"), []).append(row.text("location"))
    return found
