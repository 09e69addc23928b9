"""Shadeform: machines of many clouds, resold. Cents for the whole machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tenor, Tier


class Shadeform(LiveAdapter):
    name = "shadeform"
    home = "https://api.shadeform.ai"
    variables = ("SHADEFORM_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("SHADEFORM_API_KEY")
        answer = self.settings.http.get(
            f"{self.base}/v1/instances/types",
            params={"available": "true"},
            headers={"X-API-KEY": key},
            secrets=[key],
            variables=["SHADEFORM_API_KEY"],
        )
        self.rows(answer.snapshot)
        yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        found = self.listed(snapshot, "instance_types")
        return [(_name(row), row) for row in found]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        kind = row.inner("configuration")
        gpus = kind.count("num_gpus")
        if gpus == 0:
            raise RowError("no GPU")
        gpu_name, memory = kind.text("gpu_type"), kind.maybe("vram_per_gpu_in_gb")
        link = str(kind.get("interconnect") or "")
        regions = row.rows("availability")
        if not regions:
            raise RowError("in no region")
        for place in regions:
            region = Fields(place)
            machine = Machine(
                provider=self.name,
                instance_type=f"{row.text('cloud')}:{row.text('shade_instance_type')}",
                region=region.text("region"),
                gpu=gpu_id(gpu_name, memory, link),
                gpu_name=f"{gpu_name} ({memory} GB, {link or 'form not said'})",
                gpu_count=gpus,
                snapshot=snapshot,
                tier=Tier.MARKETPLACE,
                vcpu=kind.maybe("vcpus"),
                ram_gb=kind.maybe("memory_in_gb"),
                note=f"a machine of {row.text('cloud')}, margin of the reseller included",
            )
            if region.get("available") is not True:
                sku = machine.sku(PurchaseModel.ON_DEMAND, Tenor())
                yield Rejected(sku, "not available", snapshot.address)
            else:
                yield machine.offer(PurchaseModel.ON_DEMAND, row.number("hourly_price") / 100)


def _name(row: object) -> str:
    if not isinstance(row, dict):
        return "?"
    return f"{row.get('cloud')}:{row.get('shade_instance_type')}/{row.get('region')}"
