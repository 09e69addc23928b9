"""Mithril (Foundry): machines at their reserved price, and at the last spot price of each region.

Types, one price answer for each of them, and spot availability mean something only together. The
price of an instance is its `reserved_price_cents`; `minimum_price_cents` is the floor of bids,
which can be a cent, and is never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, RowError, bundle, exact, places
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

_FID = re.compile(r"[\w-]+")


class Mithril(LiveAdapter):
    name = "mithril"
    home = "https://api.mithril.ai"
    variables = ("MITHRIL_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("MITHRIL_API_KEY")

        def page(path: str, **params: str) -> Snapshot:
            return self.settings.http.get(
                f"{self.base}/v2/{path}",
                params=params,
                headers={"Authorization": f"Bearer {key}"},
                secrets=[key],
                variables=["MITHRIL_API_KEY"],
            ).snapshot

        types = page("instance-types")
        ids = [_fid(row) for row in self.listed(types)]
        if not ids:
            raise FetchError(f"{types.address}: no instance types in it")
        parts = {"types": types, "spot": page("spot/availability")}
        for fid in dict.fromkeys(fid for fid in ids if fid):
            parts[f"price {fid}"] = page("pricing/current", instance_type=fid)
        whole = bundle(parts)
        self.rows(whole)
        yield whole

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        whole, spot = self.document(snapshot), self.listed(snapshot, "spot")
        found: list[tuple[str, object]] = []
        known = set()
        for row in self.listed(snapshot, "types"):
            fid = _fid(row)
            known.add(fid)
            mine = [place for place in spot if fid and _type_of(place) == fid]
            prices = self.document(snapshot, f"price {fid}") if f"price {fid}" in whole else None
            label = str(row.get("name")) if isinstance(row, dict) else "?"
            found.append((label, {"type": row, "price": prices, "spot": mine}))
        strange = [place for place in spot if _type_of(place) not in known]
        return found + [(f"spot of {_type_of(place) or '?'}", place) for place in strange]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if "type" not in row.row:
            raise RowError("spot of an instance type that is not listed")
        kind, spot = row.inner("type"), [Fields(place, "spot") for place in row.rows("spot")]
        gpus = kind.count("num_gpus")
        if gpus == 0:
            raise RowError("no GPU")
        said, memory, title = kind.text("gpu_type"), kind.number("gpu_memory_gb"), kind.text("name")
        form = re.search(r"\b(sxm|pcie|nvl)", title.lower())

        def machine(region: str, units: int | None = None) -> Machine:
            return Machine(
                provider=self.name,
                instance_type=title,
                region=region,
                gpu=gpu_id(said, memory, form[1] if form else ""),
                gpu_name=f"{said} ({memory} GB)",
                gpu_count=gpus,
                snapshot=snapshot,
                vcpu=kind.maybe("num_cpus"),
                ram_gb=kind.maybe("ram_gb"),
                max_units=units,
            )

        regions = [place.text("region") for place in spot]
        reserved = row.inner("price").maybe("reserved_price_cents")
        for region in places(regions):
            price = None if reserved is None else reserved / 100
            yield machine(region).offer(PurchaseModel.ON_DEMAND, price)
        for place in spot:
            offered = machine(place.text("region"), place.count("capacity"))
            yield offered.offer(
                PurchaseModel.SPOT, _dollars(place), note="the last price; spot is an auction"
            )


def _fid(row: object) -> str:
    """The id of a type; empty where it has none that can be asked for."""
    fid = row.get("fid") if isinstance(row, dict) else None
    return fid if isinstance(fid, str) and _FID.fullmatch(fid) else ""


def _type_of(place: object) -> str:
    kind = place.get("instance_type") if isinstance(place, dict) else None
    return kind if isinstance(kind, str) else ""


def _dollars(place: Fields) -> Decimal:
    """From a text such as ``$8.00``."""
    said = place.text("last_instance_price")
    if not said.startswith("$"):
        raise RowError(f"spot price '{said}' is not in dollars")
    return exact(said[1:].replace(",", ""), "last_instance_price")
