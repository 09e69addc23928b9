"""Vast.ai: a market of hosts. On-demand, interruptible (bid) and reserved asks, one per machine.

Prices are for the whole ask with `DISK_GB` of disk. Hosts below `RELIABILITY` are rejected by
name and reason, not left out of the search, so that a market's size stays visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, Pages, RowError, bundle
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tenor, Tier

DISK_GB = 50
RELIABILITY = Decimal("0.98")
KINDS = {
    "on-demand": PurchaseModel.ON_DEMAND,
    "bid": PurchaseModel.SPOT,
    "reserved": PurchaseModel.RESERVED,
}
_DAY_S = 86_400
_NVLINK_GB_S = 10


class Vast(LiveAdapter):
    name = "vast"
    home = "https://console.vast.ai"
    variables = ("VAST_API_KEY",)
    keyless = True
    page_size = 3000

    def fetch(self) -> Iterator[Snapshot]:
        for kind in KINDS:
            yield from self._kind(kind)

    def _kind(self, kind: str) -> Iterator[Snapshot]:
        key, pages, last = self.maybe_key("VAST_API_KEY"), Pages(), 0
        while True:
            answer = self.settings.http.post(
                f"{self.base}/api/v0/bundles/",
                self._query(kind, last),
                headers={"Authorization": f"Bearer {key}"} if key else {},
                secrets=[key],
                variables=["VAST_API_KEY"],
            )
            asks = self.listed(answer.snapshot, "offers")
            if last and not asks:
                return
            page = pages.new(answer)
            said = Snapshot(page.address, page.observed_at, b'"%s"' % kind.encode())
            yield bundle({"type": said, "answer": page})
            if len(asks) < self.page_size:
                return
            ids = [ask["id"] for ask in asks if isinstance(ask, dict) and "id" in ask]
            if not ids or max(ids) <= last:
                raise FetchError(f"{page.address}: the page after ask {last} has no later one")
            last = max(ids)

    def _query(self, kind: str, after: int) -> dict[str, Any]:
        query: dict[str, Any] = {
            "verified": {"eq": True},
            "external": {"eq": False},
            "rentable": {"eq": True},
            "order": [["id", "asc"]],
            "type": kind,
            "limit": self.page_size,
            "allocated_storage": DISK_GB,
        }
        return query | ({"id": {"gt": after}} if after else {})

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        kind = self.document(snapshot, "type")
        if kind not in list(KINDS):
            raise FetchError(f"{snapshot.address}: asks of type {kind!r:.40}")
        asks = self.listed(snapshot, "answer", "offers")
        named = [f"{ask.get('id')}" if isinstance(ask, dict) else "?" for ask in asks]
        return [(f"{name} {kind}", ask) for name, ask in zip(named, asks, strict=True)]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        model = KINDS[name.rpartition(" ")[2]]
        reliability = row.number("reliability")
        if reliability < RELIABILITY:
            raise RowError(f"reliability {reliability} is below {RELIABILITY}")
        if row.get("rentable") is False:
            raise RowError("not rentable")
        memory, gpu_name, gpus = (
            row.number("gpu_ram") / 1024,
            row.text("gpu_name"),
            row.count("num_gpus"),
        )
        place = row.get("geolocation")
        machine = Machine(
            provider=self.name,
            instance_type=str(row.count("id")),
            region=place if isinstance(place, str) and place else "unknown",
            gpu=gpu_id(gpu_name, memory),
            gpu_name=f"{gpu_name} ({memory:.1f} GB)",
            gpu_count=gpus,
            snapshot=snapshot,
            tier=Tier.MARKETPLACE,
            vcpu=row.maybe("cpu_cores_effective"),
            ram_gb=_usable_ram(row),
            interconnect=_interconnect(row, gpus),
            max_units=1,
            note=_about(row, reliability),
        )
        total = row.number("dph_total")
        if model is PurchaseModel.ON_DEMAND:
            yield machine.offer(model, total)
        elif model is PurchaseModel.SPOT:
            bid, disk = row.number("min_bid"), total - row.number("dph_base")
            # A bid of nothing would look like a price once the disk is added.
            price = bid + disk if bid > 0 else bid
            yield machine.offer(model, price, note="lowest bid that wins")
        else:
            days = int(row.number("duration") // _DAY_S)
            if days < 1:
                raise RowError("the host promises less than a day")
            price = row.number("discounted_dph_total")
            yield machine.offer(model, price, tenor=Tenor(days=days), note="paid in advance")


def _usable_ram(row: Fields) -> Decimal | None:
    """The share of the host's memory that goes with the ask's share of its cores."""
    ram, mine, cores = (row.maybe(n) for n in ("cpu_ram", "cpu_cores_effective", "cpu_cores"))
    return round(ram * mine / cores / 1000, 1) if ram and mine and cores else None


def _interconnect(row: Fields, gpus: int) -> str:
    speed = row.maybe("bw_nvlink")
    if gpus == 1:
        return "none"
    return "unknown" if speed is None else "nvlink" if speed > _NVLINK_GB_S else "pcie"


def _about(row: Fields, reliability: Decimal) -> str:
    kind = "data centre" if row.get("datacenter") is True else "private host"
    return f"with {DISK_GB} GB of disk; {kind}; reliability {reliability}"
