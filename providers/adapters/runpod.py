"""RunPod: secure cloud, community cloud, spot, and savings plans of a week to six months.

Every price is per GPU and hour, the same in all data centres that have the card; an order puts up
to `maxGpuCount` of them on one host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier

QUERY = """{ gpuTypes { id displayName manufacturer memoryInGb maxGpuCount
 maxGpuCountSecureCloud maxGpuCountCommunityCloud secureCloud communityCloud
 securePrice communityPrice secureSpotPrice communitySpotPrice
 oneWeekPrice oneMonthPrice threeMonthPrice sixMonthPrice } }"""

_TERMS = {
    "oneWeekPrice": Tenor(days=7),
    "oneMonthPrice": Tenor(months=1),
    "threeMonthPrice": Tenor(months=3),
    "sixMonthPrice": Tenor(months=6),
}
_CLOUDS = (
    ("secure", "secureCloud", "securePrice", "secureSpotPrice", "maxGpuCountSecureCloud"),
    ("community", "communityCloud", "communityPrice", "communitySpotPrice",
     "maxGpuCountCommunityCloud"),
)  # fmt: skip


class RunPod(LiveAdapter):
    name = "runpod"
    home = "https://api.runpod.io"
    variables = ("RUNPOD_API_KEY",)
    keyless = True

    def fetch(self) -> Iterator[Snapshot]:
        key = self.maybe_key("RUNPOD_API_KEY")
        answer = self.settings.http.post(
            f"{self.base}/graphql",
            {"query": QUERY},
            headers={"Authorization": f"Bearer {key}"} if key else {},
            secrets=[key],
            variables=["RUNPOD_API_KEY"],
        )
        self.rows(answer.snapshot)
        yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        self.refuse_errors(snapshot, "RUNPOD_API_KEY")
        found = self.listed(snapshot, "data", "gpuTypes")
        return [(_name(row, number), row) for number, row in enumerate(found, 1)]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        gpu_name, memory = row.text("id"), row.maybe("memoryInGb")
        prices = [row.maybe(field) for cloud in _CLOUDS for field in cloud[2:4]]
        prices += [row.maybe(field) for field in _TERMS]
        if not any(price is not None for price in prices):
            raise RowError("no price")
        said = f"{gpu_name} ({memory} GB)"
        for cloud, sold, price_field, spot_field, most_field in _CLOUDS:
            most = row.maybe(most_field) or row.maybe("maxGpuCount") or 1
            machine = Machine(
                provider=self.name,
                instance_type=f"{gpu_name} {cloud}",
                region="any",
                gpu=gpu_id(gpu_name, memory),
                gpu_name=said,
                gpu_count=1,
                snapshot=snapshot,
                tier=Tier.SPECIALIST if cloud == "secure" else Tier.MARKETPLACE,
                increment=Increment.SECOND,
                max_gpus_per_host=int(most),
            )
            price, spot = row.maybe(price_field), row.maybe(spot_field)
            if row.get(sold) is False:
                if price is not None or spot is not None:
                    sku = machine.sku(PurchaseModel.ON_DEMAND, Tenor())
                    yield Rejected(sku, f"has a price but {sold} is false", snapshot.address)
                continue
            if price is not None:
                yield machine.offer(PurchaseModel.ON_DEMAND, price)
            if spot is not None:
                yield machine.offer(PurchaseModel.SPOT, spot)
            if cloud == "secure":
                for field, tenor in _TERMS.items():
                    if (term_price := row.maybe(field)) is not None:
                        yield machine.offer(PurchaseModel.SAVINGS_PLAN, term_price, tenor=tenor)


def _name(row: object, number: int) -> str:
    return str(row.get("id") or number) if isinstance(row, dict) else str(number)
