"""Hot Aisle: AMD machines, virtual and bare metal, on demand, in cents. It lists what is free now.

The team that asks is named by ``options["team"]`` or by `HOTAISLE_TEAM`. There is one place. Where
nothing is free the API answers null, which is no price list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, RowError, bundle
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

REGION = "us-michigan-1"
KINDS = {"vm": "virtual_machines", "bm": "bare_metal"}
_GIB = 2**30


class HotAisle(LiveAdapter):
    name = "hotaisle"
    home = "https://admin.hotaisle.app/api"
    variables = ("HOTAISLE_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("HOTAISLE_API_KEY")
        team = self.settings.options.get("team", "").strip() or self.key("HOTAISLE_TEAM")
        if not re.fullmatch(r"[\w.-]+", team):
            raise FetchError(f"{self.name}: '{team}' is no team handle")

        def page(kind: str) -> Snapshot:
            return self.settings.http.get(
                f"{self.base}/teams/{team}/{KINDS[kind]}/available/",
                headers={"Authorization": f"Token {key}"},
                secrets=[key],
                variables=["HOTAISLE_API_KEY"],
            ).snapshot

        whole = bundle({kind: page(kind) for kind in KINDS})
        if not self.rows(whole):
            raise FetchError(f"{whole.address}: no machine of any kind is free now")
        yield whole

    def rows(self, snapshot: Snapshot) -> list[tuple[str, object]]:
        found: list[tuple[str, object]] = []
        for kind in KINDS:
            machines: Iterable[Any] = ()
            if self.document(snapshot, kind) is not None:
                machines = self.listed(snapshot, kind)
            found += [(f"{kind} {n}", {"machine": row}) for n, row in enumerate(machines, start=1)]
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        free = row.inner("machine")
        has, kind = free.inner("Specs"), name.partition(" ")[0]
        cards = [Fields(card, "gpus") for card in has.rows("gpus")]
        if len(cards) != 1:
            raise RowError(f"{len(cards)} kinds of GPU in one machine")
        model, gpus = cards[0].text("model"), cards[0].count("count")
        cores, ram = has.count("cpu_cores"), has.number("ram_capacity") / _GIB
        machine = Machine(
            provider=self.name,
            instance_type=f"{kind}-{gpus}x{model}-{cores}c",
            region=REGION,
            gpu=gpu_id(model),
            gpu_name=f"{cards[0].text('manufacturer')} {model}",
            gpu_count=gpus,
            snapshot=snapshot,
            vcpu=has.number("cpu_cores"),
            ram_gb=round(ram, 1),
        )
        yield machine.offer(PurchaseModel.ON_DEMAND, free.number("OnDemandPrice") / 100)
