"""Prime Intellect: machines of many clouds, resold; on-demand and spot, secure and community."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import total_or_each
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, Pages, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tier


class PrimeIntellect(LiveAdapter):
    name = "primeintellect"
    home = "https://api.primeintellect.ai"
    variables = ("PRIME_API_KEY",)
    page_size = 100

    def fetch(self) -> Iterator[Snapshot]:
        key, pages, seen, number = self.key("PRIME_API_KEY"), Pages(), 0, 0
        while True:
            number += 1
            answer = self.settings.http.get(
                f"{self.base}/api/v1/availability/gpus",
                params={"page": number, "page_size": self.page_size},
                headers={"Authorization": f"Bearer {key}"},
                secrets=[key],
                variables=["PRIME_API_KEY"],
            )
            items = self.listed(answer.snapshot, "items")
            total = self.document(answer.snapshot, "totalCount")
            if not isinstance(total, int):
                raise FetchError(f"{answer.snapshot.address}: totalCount is no number")
            page = pages.new(answer)
            yield page
            seen += len(items)
            if seen >= total:
                return
            if not items:
                raise FetchError(f"{page.address}: {seen} of {total} items, and no more came")

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        found = self.listed(snapshot, "items")
        return [(str(row.get("cloudId")) if isinstance(row, dict) else "?", row) for row in found]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        gpus = row.count("gpuCount")
        if gpus == 0:
            raise RowError("no GPU")
        if row.get("prepaidTime"):
            # Hours or days is documented nowhere, and the price would mean another thing.
            raise RowError(f"paid in advance for {row.get('prepaidTime')} of an unknown unit")
        if row.get("stockStatus") == "Unavailable":
            raise RowError("unavailable")
        gpu_name, memory = row.text("gpuType"), row.number("gpuMemory")
        socket, prices = str(row.get("socket") or ""), row.inner("prices")
        price, community = prices.maybe("onDemand"), row.get("security") == "community_cloud"
        region = row.get("dataCenter") or row.get("country") or "unknown"
        machine = Machine(
            provider=self.name,
            instance_type=row.text("cloudId"),
            region=str(region),
            gpu=total_or_each(gpu_name, memory, gpus, socket),
            gpu_name=f"{gpu_name} ({memory} GB of {gpus}, {socket or 'form not said'})",
            gpu_count=gpus,
            snapshot=snapshot,
            tier=Tier.MARKETPLACE,
            vcpu=_default(row, "vcpu").maybe("defaultCount"),
            ram_gb=_default(row, "memory").maybe("defaultCount"),
            currency=prices.text("currency"),
            note=f"a machine of {row.text('provider')}, {'community' if community else 'secure'}",
        )
        if price is None:
            price = prices.maybe("communityPrice")
        model = PurchaseModel.SPOT if row.get("isSpot") is True else PurchaseModel.ON_DEMAND
        yield machine.offer(model, price)


def _default(row: Fields, name: str) -> Fields:
    return row.inner(name) if row.get(name) else Fields({})
