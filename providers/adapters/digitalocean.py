"""DigitalOcean: GPU droplets on demand. Memory is that of the whole droplet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, Pages, RowError, same_host
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

_HGX = ("_h100", "_h200")
"""DigitalOcean describes these as parts of HGX boards; the API gives the bare name."""


class DigitalOcean(LiveAdapter):
    name = "digitalocean"
    home = "https://api.digitalocean.com"
    variables = ("DIGITALOCEAN_TOKEN",)

    def fetch(self) -> Iterator[Snapshot]:
        key, pages = self.key("DIGITALOCEAN_TOKEN"), Pages()
        url = f"{self.base}/v2/sizes?per_page=500"
        while url:
            answer = self.settings.http.get(
                url,
                headers={"Authorization": f"Bearer {key}"},
                secrets=[key],
                variables=["DIGITALOCEAN_TOKEN"],
            )
            page = pages.new(answer)
            self.rows(page)
            yield page
            url = self._next(page)

    def _next(self, page: Snapshot) -> str:
        link = self.document(page)
        for step in ("links", "pages", "next"):
            link = link.get(step) if isinstance(link, dict) else None
        if not isinstance(link, str) or not link:
            return ""
        if not same_host(link, self.base):
            raise FetchError(f"{page.address}: its next page is at another host")
        return link

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        found = self.listed(snapshot, "sizes")
        return [(str(row.get("slug")) if isinstance(row, dict) else "?", row) for row in found]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if not row.get("gpu_info"):
            raise RowError("no GPU")
        gpu = row.inner("gpu_info")
        model, gpus, vram = gpu.text("model"), gpu.count("count"), gpu.inner("vram")
        if vram.text("unit").lower() not in ("gib", "gb"):
            raise RowError(f"GPU memory in '{vram.text('unit')}'")
        each = vram.number("amount") / max(gpus, 1)
        regions = row.names("regions")
        if not regions or row.get("available") is not True:
            price = row.maybe("price_hourly")
            raise RowError(f"cannot be ordered in any region ({price} USD per hour)")
        for region in regions:
            machine = Machine(
                provider=self.name,
                instance_type=row.text("slug"),
                region=region,
                gpu=gpu_id(model, each, "SXM" if model.endswith(_HGX) else ""),
                gpu_name=f"{model} ({each} GB)",
                gpu_count=gpus,
                snapshot=snapshot,
                vcpu=row.maybe("vcpus"),
                ram_gb=row.number("memory") / 1024,
            )
            yield machine.offer(PurchaseModel.ON_DEMAND, row.maybe("price_hourly"))
