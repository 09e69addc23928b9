"""JarvisLabs: on-demand and spot, priced per GPU. The same card is listed once per kind of workload
(virtual machine, container)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel


class JarvisLabs(LiveAdapter):
    name = "jarvislabs"
    home = "https://backendn.jarvislabs.net"
    variables = ("JL_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("JL_API_KEY")
        answer = self.settings.http.get(
            f"{self.base}/misc/server_meta",
            headers={"Authorization": f"Bearer {key}"},
            secrets=[key],
            variables=["JL_API_KEY"],
        )
        self.rows(answer.snapshot)
        yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        found = self.listed(snapshot, "server_meta")
        return [(str(row.get("gpu_type")) if isinstance(row, dict) else "?", row) for row in found]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        gpu_name, memory = row.text("gpu_type"), row.maybe("vram")
        free = row.maybe("num_free_devices")
        machine = Machine(
            provider=self.name,
            instance_type=f"{gpu_name}-{row.text('workload_type')}",
            region=row.text("region"),
            gpu=gpu_id(gpu_name, memory),
            gpu_name=f"{gpu_name} ({memory} GB)",
            gpu_count=1,
            snapshot=snapshot,
            vcpu=row.maybe("cpus_per_gpu"),
            ram_gb=row.maybe("ram_per_gpu"),
            max_gpus_per_host=int(row.maybe("num_gpus") or 1),
            note="" if free is None else f"{free} free when read",
        )
        yield machine.offer(PurchaseModel.ON_DEMAND, row.maybe("price_per_hour"))
        spot = row.maybe("spot_price")
        if spot is not None:
            yield machine.offer(PurchaseModel.SPOT, spot)
