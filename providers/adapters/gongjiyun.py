"""Gongjiyun (共绩算力): GPUs by the second, as preemptible jobs, and bare metal for 30 days.

Read from the published price page. Preemptible jobs cost a share of the price by the second that
the page states once for all cards ("抢占式统一6折": 60 %); where it no longer does, they are
rejected. Prices by the second are per GPU; bare metal is priced per machine and package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier
from providers.web_page import HEADERS, Layout, page_text, price_rows

PATH = "/pricing"
CARDS = Layout(
    "cards",
    {
        "gpu": "GPU型号",
        "memory": r"显存\(GB\)",
        "vcpu": r"vCPU(\(核\))?",
        "ram": r"内存\(GB\)",
        "hour": r"按量价格\(元/小时\)",
    },
)
BARE_METAL = Layout(
    "bare metal",
    {
        "gpu": "GPU型号",
        "memory": r"显存\(GB\)",
        "gpus": "GPU数量",
        "vcpu": r"vCPU(\(核\))?",
        "ram": r"内存\(GB\)",
        "package": r"价格\(元/30天\)",
    },
)
REGION = "cn"
MOST_ON_A_HOST = 8
"""Assumed, as in the bundled table: the page does not say how many GPUs one machine may have."""
PACKAGE = Tenor(days=30)
_SHARE = re.compile(r"抢占[^\d折。]{0,20}(\d(?:\.\d)?)\s?折")
"""折: tenths of the price that are paid."""


class Gongjiyun(LiveAdapter):
    name = "gongjiyun"
    home = "https://www.gongjiyun.com"

    def fetch(self) -> Iterator[Snapshot]:
        page = self.settings.http.get(f"{self.base}{PATH}", headers=HEADERS).snapshot
        self.rows(page)
        yield page

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        shares = {Decimal(found) / 10 for found in _SHARE.findall(page_text(snapshot))}
        shared = {"_share": shares.pop() if len(shares) == 1 else None}
        return [
            (f"{row['gpu']} {layout.kind}", row | shared | {"_kind": layout.kind})
            for layout, row in price_rows(snapshot, [CARDS, BARE_METAL])
        ]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        card, memory = row.text("gpu"), row.number("memory")
        bare_metal = row.get("_kind") == BARE_METAL.kind
        gpus = row.count("gpus") if bare_metal else 1
        size = "" if f"{memory}G" in card else f" {memory}G"
        machine = Machine(
            provider=self.name,
            instance_type=f"{gpus}x {card}{size} bare metal" if bare_metal else f"{card}{size}",
            region=REGION,
            gpu=gpu_id(card, memory),
            gpu_name=f"{card} ({memory} GB)",
            gpu_count=gpus,
            snapshot=snapshot,
            vcpu=row.maybe("vcpu"),
            ram_gb=row.maybe("ram"),
            interconnect="" if bare_metal else "unknown",
            currency="CNY",
            increment=Increment.MONTH if bare_metal else Increment.SECOND,
            max_gpus_per_host=0 if bare_metal else MOST_ON_A_HOST,
            tax_included=True,
            tier=Tier.SPECIALIST,
            note="" if bare_metal else f"up to {MOST_ON_A_HOST} GPUs on one host are assumed",
        )
        if bare_metal:
            yield machine.offer(PurchaseModel.PREPAID, row.maybe("package"), tenor=PACKAGE)
            return
        price, share = row.maybe("hour"), row.get("_share")
        yield machine.offer(PurchaseModel.ON_DEMAND, price)
        if share is None:
            sku = machine.sku(PurchaseModel.SPOT, Tenor())
            yield Rejected(sku, "the page states no share of the price", snapshot.address)
        elif price:
            note = f"{share:.0%} of {price}, as the page says of all cards"
            yield machine.offer(PurchaseModel.SPOT, price * share, note=note)
