"""OVHcloud: the public order catalogue. On-demand; prices in 1e-8 of the catalogue's currency.

Monthly plans are caps on the same machines' hourly bill, not terms; they are rejected as that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

UNIT = Decimal("1e-8")
SUBSIDIARY = "FR"


class Ovh(LiveAdapter):
    name = "ovh"
    home = "https://api.ovh.com"

    def fetch(self) -> Iterator[Snapshot]:
        for subsidiary in self.settings.regions or (SUBSIDIARY,):
            answer = self.settings.http.get(
                f"{self.base}/1.0/order/catalog/public/cloud",
                params={"ovhSubsidiary": subsidiary},
            )
            self.rows(answer.snapshot)
            yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        currency = self.document(snapshot, "locale", "currencyCode")
        found: list[tuple[str, object]] = []
        for addon in self.listed(snapshot, "addons"):
            known = isinstance(addon, dict)
            name = str(addon.get("planCode")) if known else "?"
            found.append((name, addon | {"_currency": currency} if known else addon))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        plan = row.text("planCode")
        if plan.endswith(".monthly.postpaid"):
            raise RowError("a monthly cap on an hourly bill, not a term")
        if not plan.endswith(".consumption") or row.get("product") != "publiccloud-instance":
            raise RowError("not an instance by the hour")
        technical = row.inner("blobs").inner("technical")
        if not technical.get("gpu"):
            raise RowError("no GPU")
        gpu = technical.inner("gpu")
        model, gpus = gpu.text("model"), gpu.count("number")
        memory = gpu.inner("memory").number("size")
        machine = Machine(
            provider=self.name,
            instance_type=plan.removesuffix(".consumption"),
            region="any",
            gpu=gpu_id(model, memory),
            gpu_name=f"{model} ({memory} GB)",
            gpu_count=gpus,
            snapshot=snapshot,
            vcpu=technical.inner("cpu").maybe("cores"),
            ram_gb=technical.inner("memory").maybe("size"),
            currency=row.text("_currency"),
        )
        yield machine.offer(PurchaseModel.ON_DEMAND, _hourly(row))


def _hourly(row: Fields) -> Decimal:
    for pricing in row.rows("pricings"):
        price = Fields(pricing, "pricings")
        if price.get("intervalUnit") == "hour" and "consumption" in price.names("capacities"):
            return price.number("price") * UNIT / price.number("interval")
    raise RowError("no hourly price")
