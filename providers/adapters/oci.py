"""Oracle Cloud: the price estimator's public files. On-demand, and preemptible at half of it.

A GPU shape's product is priced per GPU and hour, memory and cores included; the same price in all
commercial regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, RowError, bundle
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tier

PREEMPTIBLE = Decimal("0.5")
_OLD_NAMES = {"GPU2": "P100", "GPU3": "V100", "GPU4": "A100"}
_MODULES = ("P100", "V100", "A100", "H100", "H200", "B200", "B300", "GB200")
"""Oracle's machines with these have the SXM module; its P100 is the PCIe card."""


class Oci(LiveAdapter):
    name = "oci"
    home = "https://www.oracle.com/a/ocom/docs/cloudestimator2/data"

    def fetch(self) -> Iterator[Snapshot]:
        parts = {
            name: self.settings.http.get(f"{self.base}/{name}.json").snapshot
            for name in ("shapes", "products")
        }
        whole = bundle(parts)
        self.rows(whole)
        yield whole

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        prices: dict[str, object] = {}
        for product in self.listed(snapshot, "products", "items"):
            if not isinstance(product, dict):
                raise FetchError(f"{snapshot.address}: a product is no object")
            prices[str(product.get("partNumber"))] = product
        found: list[tuple[str, object]] = []
        for number, shape in enumerate(self.listed(snapshot, "shapes", "items"), 1):
            known = isinstance(shape, dict)
            name = str(shape.get("name")) if known else str(number)
            found.append((name, shape | {"_prices": prices} if known else shape))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        if row.get("hidden") is not False or row.get("status") != "ACTIVE":
            raise RowError("not sold any more")
        if not row.maybe("gpuQty"):
            raise RowError("no GPU")
        gpus = row.count("gpuQty")
        if gpus < 1:
            raise RowError("no GPU")
        part = _part(row)
        price = _price(part[0], row.get("_prices"))
        card = _card(name)
        memory = row.maybe("gpuMemoryQty")
        each = memory / gpus if memory else None
        form = "SXM" if card in _MODULES and card != "P100" else ""
        machine = Machine(
            provider=self.name,
            instance_type=name,
            region="any",
            gpu=gpu_id(card, each, form),
            gpu_name=f"{card} ({each} GB)",
            gpu_count=gpus,
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            # Two threads a core. Some GPU shapes are tagged ARM by mistake; only GB200 has ARM.
            vcpu=part[1] * (1 if card == "GB200" else 2),
            ram_gb=row.maybe("bundleMemoryQty"),
        )
        whole = None if price is None else price * gpus
        yield machine.offer(PurchaseModel.ON_DEMAND, whole)
        if row.get("allowPreemptible") is True and whole is not None:
            yield machine.offer(PurchaseModel.SPOT, whole * PREEMPTIBLE, note="preemptible")


def _card(shape: str) -> str:
    """The GPU's name in ``BM.GPU.A100-v2.8``, ``BM.GPU.H100.8``, ``VM.GPU3.1``."""
    words = shape.split(".")
    for number, word in enumerate(words):
        if word == "GPU" and number + 1 < len(words):
            return words[number + 1].partition("-v")[0]
        if word.startswith("GPU"):
            return _OLD_NAMES.get(word, word)
    return shape


def _part(row: Fields) -> tuple[str, Decimal]:
    """Number of the product that carries the price, and its quantity (cores)."""
    for product in row.rows("products"):
        fields = Fields(product, "products")
        if fields.inner("type").get("value") == "ocpu":
            return fields.text("partNumber"), fields.number("qty")
    raise RowError("no product of type ocpu")


def _price(part: str, products: Any) -> Decimal | None:
    if part not in products:
        raise RowError(f"product {part} is not in the price list")
    product = Fields(products[part], part)
    if product.get("billingModel") != "UCM" or product.get("pricetype") != "HOUR":
        sold = f"{product.get('billingModel')} per {product.get('pricetype')}"
        raise RowError(f"product {part} is billed as {sold}")
    for place in product.rows("currencyCodeLocalizations"):
        if Fields(place).get("currencyCode") == "USD":
            for price in Fields(place).rows("prices"):
                if Fields(price).get("model") == "PAY_AS_YOU_GO":
                    return Fields(price, part).maybe("value")
    raise RowError(f"product {part} has no USD price for pay as you go")
