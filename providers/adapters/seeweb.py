"""Seeweb: cloud servers with GPUs, on demand, in euro. Numbers are texts, memory in MiB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine, RowError, places
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel


class Seeweb(LiveAdapter):
    name = "seeweb"
    home = "https://api.seeweb.it/ecs/v2"
    variables = ("SEEWEB_API_TOKEN",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("SEEWEB_API_TOKEN")
        answer = self.settings.http.get(
            f"{self.base}/plans",
            headers={"X-APITOKEN": key},
            secrets=[key],
            variables=["SEEWEB_API_TOKEN"],
        )
        self.rows(answer.snapshot)
        yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        plans = self.listed(snapshot, "plans")
        return [(str(p.get("name")) if isinstance(p, dict) else "?", p) for p in plans]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        gpus = row.maybe("gpu") or 0
        if gpus == 0:
            raise RowError("no GPU")
        if row.get("available") is False:
            raise RowError("no longer sold")
        regions = [Fields(place).text("location") for place in row.rows("available_regions")]
        if not regions:
            raise RowError("in no region")
        said, ram = row.text("gpu_label"), row.maybe("ram")
        for region in places(regions):
            machine = Machine(
                provider=self.name,
                instance_type=row.text("name"),
                region=region,
                gpu=gpu_id(said),
                gpu_name=said,
                gpu_count=row.count("gpu"),
                snapshot=snapshot,
                vcpu=row.maybe("cpu"),
                ram_gb=None if ram is None else ram / 1024,
                currency="EUR",
            )
            yield machine.offer(PurchaseModel.ON_DEMAND, row.maybe("hourly_price"))
