"""CTyun (天翼云): GPU machines by the hour and the month, from the published price page.

The page has no API behind it. GPU memory is that of the whole machine. Discounts for terms of a
year and more stand on the page as text, and are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier
from providers.web_page import HEADERS, Layout, price_rows

PATH = "/document/10029787/10047957"
MACHINES = Layout(
    "machines",
    {
        "type": "规格名称",
        "vcpu": r"vCPU(\(核\))?",
        "ram": r"内存(\(Gi?B?\))?",
        "memory": r"显存(\(Gi?B?\))?",
        "gpus": "显卡数量?",
        "gpu": "显卡类型",
        "hour": r"按需价格\(元/小时\)",
        "month": r"价格\(元/月\)",
    },
)
REGION = "cn"
"""One price for all regions of the mainland."""


class Ctyun(LiveAdapter):
    name = "ctyun"
    home = "https://www.ctyun.cn"

    def fetch(self) -> Iterator[Snapshot]:
        page = self.settings.http.get(f"{self.base}{PATH}", headers=HEADERS).snapshot
        self.rows(page)
        yield page

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        return [(row["type"] or "?", row) for _, row in price_rows(snapshot, [MACHINES])]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if "/" in row.text("gpus"):
            raise RowError(f"a share of a card: {row.text('gpus')}")
        gpus, gpu_name, memory = row.count("gpus"), row.text("gpu"), row.number("memory")
        machine = Machine(
            provider=self.name,
            instance_type=row.text("type"),
            region=REGION,
            gpu=gpu_id(gpu_name, memory / max(gpus, 1)),
            gpu_name=f"{gpu_name} ({memory} GB in all)",
            gpu_count=gpus,
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            vcpu=row.number("vcpu"),
            ram_gb=row.number("ram"),
            currency="CNY",
            tax_included=True,
        )
        hour, month = row.maybe("hour"), row.maybe("month")
        yield machine.offer(PurchaseModel.ON_DEMAND, hour)
        package = replace(machine, increment=Increment.MONTH)
        yield package.offer(PurchaseModel.PREPAID, month, tenor=Tenor(months=1))
