"""Hyperstack: flavors (machines) joined with the price book (per GPU and hour, by GPU name).

Spot and NVLink flavors have names, and price book entries, of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, RowError, bundle
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel


class Hyperstack(LiveAdapter):
    name = "hyperstack"
    home = "https://infrahub-api.nexgencloud.com"
    variables = ("HYPERSTACK_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("HYPERSTACK_API_KEY")
        parts = {
            name: self.settings.http.get(
                f"{self.base}/v1/{path}",
                headers={"api_key": key},
                secrets=[key],
                variables=["HYPERSTACK_API_KEY"],
            ).snapshot
            for name, path in (("prices", "pricebook"), ("flavors", "core/flavors"))
        }
        whole = bundle(parts)
        self.rows(whole)
        yield whole

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        prices: dict[str, object] = {}
        for price in self.listed(snapshot, "prices"):
            if not isinstance(price, dict):
                raise FetchError(f"{snapshot.address}: a price is no object")
            prices[str(price.get("name"))] = price.get("value")
        found: list[tuple[str, object]] = []
        used = set()
        for group in self.listed(snapshot, "flavors", "data"):
            flavors = group.get("flavors") if isinstance(group, dict) else None
            if not isinstance(flavors, list):
                raise FetchError(f"{snapshot.address}: a group without flavors")
            for flavor in flavors:
                if not isinstance(flavor, dict):
                    raise FetchError(f"{snapshot.address}: a flavor is no object")
                gpu = str(flavor.get("gpu") or "")
                used.add(gpu)
                found.append((str(flavor.get("name")), flavor | {"_price": prices.get(gpu)}))
        unused = [(f"price of {name}", {"_unused": True}) for name in prices if name not in used]
        return [*found, *unused]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if row.get("_unused"):
            raise RowError("no flavor has this name")
        gpus = row.count("gpu_count")
        if gpus == 0 or not row.get("gpu"):
            raise RowError("no GPU")
        gpu_name = row.text("gpu")
        spot = gpu_name.lower().endswith("-spot")
        machine = Machine(
            provider=self.name,
            instance_type=row.text("name"),
            region=row.text("region_name"),
            gpu=gpu_id(gpu_name),
            gpu_name=gpu_name,
            gpu_count=gpus,
            snapshot=snapshot,
            vcpu=row.maybe("cpu"),
            ram_gb=_whole(row.maybe("ram")),
            interconnect="nvlink_pair" if "pcie-nvlink" in gpu_name.lower() and gpus > 1 else "",
            note="" if row.get("stock_available") is not False else "out of stock when read",
        )
        price = row.maybe("_price")
        if price is None:
            raise RowError(f"the price book has no '{gpu_name}'")
        model = PurchaseModel.SPOT if spot else PurchaseModel.ON_DEMAND
        yield machine.offer(model, price * gpus)


def _whole(number: Decimal | None) -> Decimal | None:
    """1440.0 as 1440."""
    return number.normalize().quantize(Decimal(1)) if number and number % 1 == 0 else number
