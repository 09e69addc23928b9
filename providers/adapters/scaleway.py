"""Scaleway: GPU instances on demand, zone by zone, in euro. Sizes in bytes, memory per GPU."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, Pages, RowError, complaint
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

ZONES = (
    "fr-par-1", "fr-par-2", "fr-par-3", "nl-ams-1", "nl-ams-2", "nl-ams-3",
    "pl-waw-1", "pl-waw-2", "pl-waw-3",
)  # fmt: skip
_GIB = 2**30


class Scaleway(LiveAdapter):
    name = "scaleway"
    home = "https://api.scaleway.com"
    variables = ("SCW_SECRET_KEY",)
    page_size = 100

    def fetch(self) -> Iterator[Snapshot]:
        for zone in self.settings.regions or ZONES:
            yield from self._zone(zone)

    def _zone(self, zone: str) -> Iterator[Snapshot]:
        key, pages, seen, number = self.key("SCW_SECRET_KEY"), Pages(), 0, 0
        while True:
            number += 1
            answer = self.settings.http.get(
                f"{self.base}/instance/v1/zones/{zone}/products/servers",
                params={"per_page": self.page_size, "page": number},
                headers={"X-Auth-Token": key},
                secrets=[key],
                variables=["SCW_SECRET_KEY"],
            )
            found = self._servers(answer.snapshot)
            total = answer.headers.get("x-total-count", "")
            if not found and number > 1:
                if total.isdecimal() and seen < int(total):
                    said = f"{seen} of {total} servers, and no more came"
                    raise FetchError(f"{answer.snapshot.address}: {said}")
                return
            yield pages.new(answer)
            seen += len(found)
            if seen >= int(total) if total.isdecimal() else len(found) < self.page_size:
                return

    def _servers(self, snapshot: Snapshot) -> dict[str, object]:
        found = self.document(snapshot, "servers")
        if not isinstance(found, dict):
            raise FetchError(f"{snapshot.address}: {complaint(found) or 'servers is no object'}")
        return found

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        return self._servers(snapshot).items()

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        gpus = int(row.maybe("gpu") or 0)
        if gpus == 0:
            raise RowError("no GPU")
        if row.get("mig_profile"):
            raise RowError(f"a slice: {row.get('mig_profile')} of a card")
        if row.get("end_of_service") is True:
            raise RowError("not sold any more")
        gpu = row.inner("gpu_info")
        gpu_name, memory = gpu.text("gpu_name"), gpu.number("gpu_memory") / _GIB
        # Scaleway's own name says which H100 it is where gpu_info does not: H100-SXM-8-80G.
        form = next((form for form in ("SXM", "NVL") if f"-{form}" in name), "")
        machine = Machine(
            provider=self.name,
            instance_type=name,
            region=_zone_of(snapshot),
            gpu=gpu_id(gpu_name, memory, form),
            gpu_name=f"{gpu_name} ({memory:.0f} GB)",
            gpu_count=gpus,
            snapshot=snapshot,
            vcpu=row.maybe("ncpus"),
            ram_gb=row.number("ram") / _GIB,
            currency="EUR",
        )
        yield machine.offer(PurchaseModel.ON_DEMAND, row.maybe("hourly_price"))


def _zone_of(snapshot: Snapshot) -> str:
    found = re.search(r"/zones/([^/?]+)/", snapshot.address)
    if found is None:
        raise RowError("the address names no zone")
    return found[1]
