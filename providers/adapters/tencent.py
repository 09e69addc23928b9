"""Tencent Cloud CVM: hourly (stepped), spot and prepaid prices of GPU machines, zone by zone.

The hourly price falls while a machine runs: p1 up to 96 hours, p2 up to 360, p3 beyond. So h hours
from the 360th on cost p3 × h + 96 (p1 − p3) + 264 (p2 − p3): a price per hour plus a fixed sum,
exactly. An offer has no steps, so a machine becomes several:

- one that can be given back at any hour, at p1: exact up to 96 hours, dear beyond;
- one for each of `RUN_THROUGH` days without a stop, at p3 per hour with the fixed sum as its
  upfront fee: the bill is what running through costs, to the last digit. An average per hour
  would not be (a sum over 360 has no end in decimals), and would differ for each length.

The sum is in truth paid hour by hour in the first 15 days. Who stops early pays the first steps.
Prepaid months and years are totals, paid when they start.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from providers import signing
from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.http import Dialect, FetchError
from providers.live import Fields, LiveAdapter, Machine, RowError, bundle
from providers.offers import Offer, Rejected
from providers.signing.envelopes import by_code
from providers.terms import Increment, PurchaseModel, Tenor, Tier

VARIABLES = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
REGIONS = (
    "ap-guangzhou", "ap-shanghai", "ap-nanjing", "ap-beijing", "ap-chengdu", "ap-chongqing",
)  # fmt: skip
"""On the mainland; others (ap-hongkong, ap-singapore …) are named in the settings."""
CHARGES = {
    "POSTPAID_BY_HOUR": PurchaseModel.ON_DEMAND,
    "SPOTPAID": PurchaseModel.SPOT,
    "PREPAID": PurchaseModel.PREPAID,
}
RUN_THROUGH = (15, 30, 90)
"""Days; 15 is where the last step begins."""
FIRST_STEP_H, SECOND_STEP_H = 96, 264
_YEARS = {"OneYear": 1, "ThreeYear": 3, "FiveYear": 5}
_MOST_VALUES = 100
"""In one filter."""
_FAMILIES = {
    "GN7": ("T4", 16),
    "GN10X": ("V100", 32),
    "GN10Xp": ("V100", 32),
    "GT4": ("A100", 40),
    "PNV4": ("A10", 24),
}
"""Documented GPU of a family and its memory in GB, where the answer does not name it."""


class Tencent(LiveAdapter):
    name = "tencent"
    home = "https://cvm.tencentcloudapi.com"
    """In dollars: https://cvm.intl.tencentcloudapi.com."""
    variables = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")

    def fetch(self) -> Iterator[Snapshot]:
        keys = signing.Keys(self.key(VARIABLES[0]), self.key(VARIABLES[1]))
        for region in self.settings.regions or REGIONS:
            yield self._region(keys, region)

    def _region(self, keys: signing.Keys, region: str) -> Snapshot:
        known = self._ask(keys, region, "DescribeInstanceTypeConfigs", {})
        facts = [
            row
            for row in self.listed(known, "Response", "InstanceTypeConfigSet")
            if not isinstance(row, Mapping) or row.get("GPU") or row.get("GpuCount")
        ]
        # Without the thousand types that have no GPU; exact numbers go through text.
        kept = replace(known, body=json.dumps(facts, default=str, ensure_ascii=False).encode())
        families = {str(row.get("InstanceFamily")) for row in facts if isinstance(row, Mapping)}
        parts = {"facts": kept}
        for start in range(0, len(families), _MOST_VALUES):
            filters = {
                "instance-family": sorted(families)[start : start + _MOST_VALUES],
                "instance-charge-type": list(CHARGES),
            }
            query = {"Filters": [{"Name": name, "Values": v} for name, v in filters.items()]}
            answer = self._ask(keys, region, "DescribeZoneInstanceConfigInfos", query)
            parts[f"prices {len(parts)}"] = answer
        whole = bundle(parts)
        list(self.rows(whole))
        return whole

    def _ask(
        self, keys: signing.Keys, region: str, action: str, query: Mapping[str, Any]
    ) -> Snapshot:
        dialect = Dialect(
            sign=signing.tencent(keys, "cvm"),
            judge=by_code(
                "Response",
                "Error",
                "Code",
                busy=r"RequestLimitExceeded",
                refused=r"AuthFailure|UnauthorizedOperation",
            ),
        )
        return self.settings.http.post(
            f"{self.base}/",
            query,
            headers={"X-TC-Action": action, "X-TC-Version": "2017-03-12", "X-TC-Region": region},
            secrets=[keys.id, keys.secret],
            variables=VARIABLES,
            dialect=dialect,
        ).snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        """Every machine, zone and way to pay, with what is known of the machine's GPU."""
        facts: dict[str, object] = {}
        for fact in self.listed(snapshot, "facts"):
            if isinstance(fact, Mapping):
                facts.setdefault(str(fact.get("InstanceType")), fact)
        found: list[tuple[str, object]] = []
        for part in (name for name in self.document(snapshot) if name.startswith("prices ")):
            for quota in self.listed(snapshot, part, "Response", "InstanceTypeQuotaSet"):
                if not isinstance(quota, Mapping):
                    raise FetchError(f"{snapshot.address}: a machine is no object")
                keys = ("InstanceType", "Zone", "InstanceChargeType")
                name = " ".join(str(quota.get(key)) for key in keys)
                fact = facts.get(str(quota.get("InstanceType")))
                found.append((name, {**quota, "_fact": fact or {}}))
        return found

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        charge = row.text("InstanceChargeType")
        if charge not in CHARGES:
            raise RowError(f"charged as {charge}")
        gpus = row.maybe("GpuCount")
        gpus = row.number("Gpu") if gpus is None else gpus
        if gpus != gpus.to_integral_value():
            raise RowError(f"{gpus} of a GPU")
        if row.text("Status") != "SELL":
            said = row.get("SoldOutReason") or row.get("StatusCategory")
            raise RowError(f"sold out ({said})" if said else "sold out")
        gpu_name, memory = _gpu(row)
        currency = "USD" if ".intl." in snapshot.address else "CNY"
        machine = Machine(
            provider=self.name,
            instance_type=row.text("InstanceType"),
            region=row.text("Zone"),
            gpu=gpu_id(gpu_name, memory),
            gpu_name=f"{gpu_name} ({memory:f} GB)" if memory else gpu_name,
            gpu_count=int(gpus),
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            vcpu=row.maybe("Cpu"),
            ram_gb=row.maybe("Memory"),
            currency=currency,
            tax_included=currency == "CNY",
        )
        price = row.inner("Price")
        if CHARGES[charge] is PurchaseModel.PREPAID:
            yield from _prepaid(machine, price)
            return
        unit = price.text("ChargeUnit")
        if unit != "HOUR":
            raise RowError(f"charged per {unit}")
        steps = _Steps.of(price)
        if CHARGES[charge] is PurchaseModel.SPOT:
            yield machine.offer(PurchaseModel.SPOT, steps.first, note=_listed(price, "UnitPrice"))
            return
        note = "; ".join(part for part in (_listed(price, "UnitPrice"), steps.said) if part)
        yield machine.offer(PurchaseModel.ON_DEMAND, steps.first, note=note)
        if steps.said:
            yield from _run_through(machine, steps, note)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Hourly price up to 96 hours, from there to 360, and beyond."""

    first: Decimal
    second: Decimal
    third: Decimal

    @classmethod
    def of(cls, price: Fields) -> _Steps:
        """A step that is left out is as dear as the one before."""
        first = price.number("UnitPriceDiscount")
        second = price.maybe("UnitPriceDiscountSecondStep")
        second = first if second is None else second
        third = price.maybe("UnitPriceDiscountThirdStep")
        return cls(first, second, second if third is None else third)

    @property
    def said(self) -> str:
        if self.first == self.second == self.third:
            return ""
        return f"{self.first} per hour up to 96 h, {self.second} up to 360 h, {self.third} beyond"

    @property
    def fixed(self) -> Decimal:
        """What the first 360 hours cost above the last step's price."""
        return FIRST_STEP_H * (self.first - self.third) + SECOND_STEP_H * (self.second - self.third)


def _run_through(machine: Machine, steps: _Steps, note: str) -> Iterator[Offer | Rejected]:
    for days in RUN_THROUGH:
        tenor = Tenor(days=days)
        if steps.third <= 0 or steps.fixed < 0:
            sku = machine.sku(PurchaseModel.ON_DEMAND, tenor)
            yield Rejected(sku, f"odd steps: {steps.said}", machine.snapshot.address)
            continue
        yield machine.offer(
            PurchaseModel.ON_DEMAND,
            steps.third,
            tenor=tenor,
            upfront=steps.fixed,
            note=f"{note}; run through: the fee is what the first 360 hours cost more",
        )


def _prepaid(machine: Machine, price: Fields) -> Iterator[Offer | Rejected]:
    month = replace(machine, increment=Increment.MONTH)
    yield month.offer(
        PurchaseModel.PREPAID,
        price.maybe("DiscountPrice"),
        tenor=Tenor(months=1),
        note=_listed(price, "OriginalPrice", "DiscountPrice"),
    )
    for name, years in _YEARS.items():
        total = price.maybe(f"DiscountPrice{name}")
        if total is None:
            continue  # not every machine is sold for so long
        tenor = Tenor(months=12 * years)
        note = _listed(price, f"OriginalPrice{name}", f"DiscountPrice{name}")
        if years == 1:
            year = replace(machine, increment=Increment.YEAR)
            yield year.offer(PurchaseModel.PREPAID, total, tenor=tenor, note=note)
        else:  # several years in one sum: no increment is so long
            nothing = Decimal(0)
            yield machine.offer(
                PurchaseModel.PREPAID, nothing, tenor=tenor, upfront=total, note=note
            )


def _gpu(row: Fields) -> tuple[str, Decimal | None]:
    """Name and GB of one GPU: as the machine's own entry says, else as its family is documented."""
    fact = row.inner("_fact")
    if isinstance(fact.get("GpuType"), str) and fact.get("GpuType"):
        return fact.text("GpuType"), fact.maybe("GpuMemory")
    family = row.text("InstanceFamily")
    if family not in _FAMILIES:
        return f"of family {family}", None
    name, memory = _FAMILIES[family]
    return name, Decimal(memory)


def _listed(price: Fields, name: str, paid: str = "UnitPriceDiscount") -> str:
    listed = price.maybe(name)
    return "" if listed is None or listed == price.maybe(paid) else f"list price {listed}"
