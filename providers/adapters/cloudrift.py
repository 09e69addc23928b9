"""CloudRift: on-demand machines. Cents for the whole machine; sizes in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import total_or_each
from providers.live import Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

VERSION = "2025-03-21"
_GIB = 2**30


class CloudRift(LiveAdapter):
    name = "cloudrift"
    home = "https://api.cloudrift.ai"

    def fetch(self) -> Iterator[Snapshot]:
        selector = {"ByServiceAndLocation": {"services": ["vm"]}}
        answer = self.settings.http.post(
            f"{self.base}/api/v1/instance-types/list",
            {"version": VERSION, "data": {"selector": selector}},
        )
        self.rows(answer.snapshot)
        yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        found: list[tuple[str, object]] = []
        for kind in self.listed(snapshot, "data", "instance_types"):
            variants = kind.get("variants") if isinstance(kind, dict) else None
            if not isinstance(variants, list):
                found.append((str(kind)[:40], kind))
                continue
            for variant in variants:
                named = isinstance(variant, dict)
                name = str(variant.get("name")) if named else str(kind.get("name"))
                brand = {"_brand": kind.get("brand_short")}
                found.append((name, variant | brand if named else variant))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        gpus = row.count("gpu_count")
        if gpus == 0:
            raise RowError("no GPU")
        brand, vram = row.text("_brand"), row.number("vram") / _GIB
        nodes, free = row.inner("nodes_per_dc"), row.get("available_nodes_per_dc")
        if not nodes.row:
            raise RowError("in no data centre")
        for region in nodes.row:
            now = free.get(region) if isinstance(free, dict) else None
            machine = Machine(
                provider=self.name,
                instance_type=row.text("name"),
                region=region,
                gpu=total_or_each(brand, vram, gpus),
                gpu_name=f"{brand} ({vram:.0f} GB of {gpus})",
                gpu_count=gpus,
                snapshot=snapshot,
                vcpu=row.maybe("logical_cpu_count"),
                ram_gb=row.number("dram") / _GIB,
                max_units=nodes.count(region),
                note="" if now is None else f"{now} free when read",
            )
            yield machine.offer(PurchaseModel.ON_DEMAND, row.number("cost_per_hour") / 100)
