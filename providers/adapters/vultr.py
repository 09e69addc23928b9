"""Vultr: cloud GPU plans (whole cards and slices) and bare metal; on-demand and preemptible.

A month's bill is capped; the cap stands in the note, since an offer has one price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, Pages, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tenor

CARD_GB = {
    "A16": 16, "A40": 48, "A100": 80, "L40S": 48, "H100": 80, "GH200": 96, "B200": 180,
    "MI300X": 192, "MI325X": 256, "MI355X": 288,
}  # fmt: skip
"""Memory of the cards Vultr has. A cloud plan with less is a slice, with more it is several;
bare metal plans name the card in their id and say nothing of its memory."""
_METAL_GPU = re.compile(r"-(\d+)-([a-z0-9]+)-gpu$")


class Vultr(LiveAdapter):
    name = "vultr"
    home = "https://api.vultr.com"

    def fetch(self) -> Iterator[Snapshot]:
        yield from self._pages("plans", {"type": "all"})
        yield from self._pages("plans-metal", {})

    def _pages(self, path: str, params: dict[str, str | int]) -> Iterator[Snapshot]:
        pages, cursor = Pages(), ""
        while True:
            asked = params | {"per_page": 500} | ({"cursor": cursor} if cursor else {})
            page = pages.new(self.settings.http.get(f"{self.base}/v2/{path}", params=asked))
            self.rows(page)
            yield page
            cursor = self._next(page)
            if not cursor:
                return

    def _next(self, page: Snapshot) -> str:
        meta = self.document(page)
        for step in ("meta", "links", "next"):
            meta = meta.get(step) if isinstance(meta, dict) else None
        return meta if isinstance(meta, str) else ""

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        whole = self.document(snapshot)
        kind = "plans_metal" if isinstance(whole, dict) and "plans_metal" in whole else "plans"
        found = self.listed(snapshot, kind)
        if not all(isinstance(row, dict) for row in found):
            raise FetchError(f"{snapshot.address}: a plan is no object")
        return [(str(row.get("id")), row) for row in found]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        (card, gpus), metal = _gpus(row), "gpu_type" not in row.row
        regions = row.names("locations")
        if not regions:
            raise RowError("offered in no location")
        machine = Machine(
            provider=self.name,
            instance_type=row.text("id"),
            region="",
            # Eight in one bare metal machine are an HGX board.
            gpu=gpu_id(card, CARD_GB.get(card), "SXM" if metal and gpus == 8 else ""),
            gpu_name=card,
            gpu_count=gpus,
            snapshot=snapshot,
            vcpu=row.maybe("vcpu_count") or row.maybe("cpu_threads"),
            ram_gb=row.number("ram") / 1024,
        )
        for region in regions:
            local = _local(row, region)
            here = replace(machine, region=region, note=_cap(local))
            yield here.offer(PurchaseModel.ON_DEMAND, local.maybe("hourly_cost"))
            spot = local.maybe("hourly_cost_preemptible")
            if not spot:
                continue
            if row.get("deploy_preemptible") is False:
                sku = here.sku(PurchaseModel.SPOT, Tenor())
                yield Rejected(sku, "has a price but deploy_preemptible is false", snapshot.address)
            else:
                yield replace(here, note="").offer(PurchaseModel.SPOT, spot)


def _gpus(row: Fields) -> tuple[str, int]:
    kind = row.get("gpu_type")
    if isinstance(kind, str) and kind:
        card = re.sub(r"(?i)^(nvidia|amd)[_ ]", "", kind).upper()
        memory = row.number("gpu_vram_gb")
        if card not in CARD_GB:
            raise RowError(f"GPU '{kind}' ({memory} GB) has no known memory per card")
        count = memory / CARD_GB[card]
        if count != count.to_integral_value() or count < 1:
            raise RowError(f"a slice: {memory} of the {CARD_GB[card]} GB of one {card}")
        return card, int(count)
    named = _METAL_GPU.search(row.text("id"))
    if named is None:
        raise RowError("no GPU")
    return named[2].upper(), int(named[1])


def _local(row: Fields, region: str) -> Fields:
    """The plan with the prices of that location over the general ones."""
    costs: Any = row.get("location_cost")
    own = costs.get(region) if isinstance(costs, dict) else None
    return Fields({**row.row, **own} if isinstance(own, dict) else row.row)


def _cap(row: Fields) -> str:
    monthly: Decimal | None = row.maybe("monthly_cost")
    return f"a month costs at most {monthly} USD" if monthly else ""
