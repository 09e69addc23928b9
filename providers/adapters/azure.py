"""Azure Retail Prices: consumption, spot, savings plans and reservations of 1 and 3 years.

The API has prices and no GPUs: what a size holds comes from the documented sizes in `SIZES`. Asked
region by region, since the pages of an unfiltered listing shift while they are read; all pages of
a region make one snapshot, so that a row that comes on two of them is noticed.

A reservation is quoted for its whole term, whatever its `unitOfMeasure` says, and is paid when
it starts: nothing per hour, all of it upfront.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from providers.adapter import Snapshot
from providers.http import FetchError
from providers.live import Fields, LiveAdapter, Machine, Pages, RowError, bundle, same_host
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor, Tier

REGIONS = (
    "australiaeast", "brazilsouth", "canadacentral", "canadaeast", "centralindia", "centralus",
    "eastasia", "eastus", "eastus2", "francecentral", "germanywestcentral", "israelcentral",
    "italynorth", "japaneast", "japanwest", "koreacentral", "mexicocentral", "northcentralus",
    "northeurope", "norwayeast", "polandcentral", "qatarcentral", "southafricanorth",
    "southcentralus", "southeastasia", "southindia", "spaincentral", "swedencentral",
    "switzerlandnorth", "uaenorth", "uksouth", "ukwest", "westeurope", "westus", "westus2",
    "westus3",
)  # fmt: skip
TERMS = {"1 Year": Tenor(12), "3 Years": Tenor(36), "5 Years": Tenor(60)}
_NOT_THIS = (
    ("productName", r"Windows", "with a Windows licence"),
    ("productName", r"Cloud ?Services", "for Cloud Services"),
    ("productName", r"Dedicated", "a dedicated host"),
    ("skuName", r"Low Priority", "low priority, for Batch only"),
    ("meterName", r"Low Priority", "low priority, for Batch only"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """What Microsoft's pages on GPU sizes say of one."""

    gpu: str | None
    """None: a card that is not in the hardware table."""
    gpu_name: str
    gpus: Decimal
    vcpu: int
    ram_gb: int
    interconnect: str = ""


def _family(
    gpu: str | None, gpu_name: str, rows: str, link: str = ""
) -> Iterator[tuple[str, Size]]:
    """`rows`: size without ``Standard_``, GPUs, vCPUs and GiB; several apart by commas."""
    for row in rows.split(","):
        name, gpus, vcpu, ram = row.split()
        joined = "none" if Decimal(gpus) <= 1 else link
        size = Size(gpu, gpu_name, Decimal(gpus), int(vcpu), int(ram), joined)
        yield f"Standard_{name}", size


# learn.microsoft.com/azure/virtual-machines/sizes/overview, the pages of the NC, ND and NV series.
SIZES: dict[str, Size] = dict([
    *_family("A100-PCIe-80GB", "A100 80GB PCIe",
             "NC24ads_A100_v4 1 24 220, NC48ads_A100_v4 2 48 440, NC96ads_A100_v4 4 96 880",
             "nvlink_pair"),
    *_family("A100-SXM4-40GB", "A100 40GB SXM", "ND96asr_v4 8 96 900", "nvlink"),
    *_family("A100-SXM4-80GB", "A100 80GB SXM", "ND96amsr_A100_v4 8 96 1900", "nvlink"),
    *_family("H100-NVL-94GB", "H100 NVL 94GB",
             "NC40ads_H100_v5 1 40 320, NC80adis_H100_v5 2 80 640", "nvlink_pair"),
    *_family("H100-SXM5-80GB", "H100 80GB SXM", "ND96isr_H100_v5 8 96 1900", "nvlink"),
    *_family("H200-141GB", "H200 141GB SXM", "ND96isr_H200_v5 8 96 1850", "nvlink"),
    *_family("MI300X", "MI300X", "ND96isr_MI300X_v5 8 96 1850", "nvlink"),
    *_family("T4", "T4", "NC4as_T4_v3 1 4 28, NC8as_T4_v3 1 8 56, NC16as_T4_v3 1 16 110,"
             " NC64as_T4_v3 4 64 440", "pcie"),
    *_family("A10", "A10",
             "NV36ads_A10_v5 1 36 440, NV36adms_A10_v5 1 36 880, NV72ads_A10_v5 2 72 880,"
             " NV6ads_A10_v5 0.167 6 55, NV12ads_A10_v5 0.333 12 110, NV18ads_A10_v5 0.5 18 220",
             "pcie"),
    *_family("V100-SXM2-32GB", "V100 32GB", "ND40rs_v2 8 40 672", "nvlink"),
    *_family(None, "V100 PCIe 16GB", "NC6s_v3 1 6 112, NC12s_v3 2 12 224, NC24s_v3 4 24 448,"
             " NC24rs_v3 4 24 448", "pcie"),
    *_family(None, "M60", "NV12s_v3 1 12 112, NV24s_v3 2 24 224, NV48s_v3 4 48 448", "pcie"),
])  # fmt: skip


class Azure(LiveAdapter):
    name = "azure"
    home = "https://prices.azure.com"
    pause_s = 3.0

    def fetch(self) -> Iterator[Snapshot]:
        for region in self.settings.regions or REGIONS:
            yield self._region(region)

    def _region(self, region: str) -> Snapshot:
        if not region.isalnum():
            raise FetchError(f"{self.name}: '{region}' is no region such as eastus")
        http, pages, found = self.settings.http, Pages(), dict[str, Snapshot]()
        url: str = f"{self.base}/api/retail/prices"
        params = {
            "api-version": "2023-01-01-preview",  # the one that lists savings plans
            "currencyCode": "'USD'",
            "meterRegion": "'primary'",
            "$filter": "serviceName eq 'Virtual Machines'"
            f" and armRegionName eq '{region}' and contains(armSkuName, 'Standard_N')",
        }
        while url:
            page = pages.new(http.get(url, params=params))
            found[f"page {len(found) + 1}"] = page
            url, params = self._next(page), {}
        whole = bundle(found)
        if region in self.settings.regions and not any(self.rows(whole)):
            raise FetchError(f"{whole.address}: no size in region '{region}'; is its name right?")
        return whole

    def _next(self, page: Snapshot) -> str:
        self.listed(page, "Items")
        link = self.document(page).get("NextPageLink")
        if not link:
            return ""
        if not isinstance(link, str) or not same_host(link, self.base):
            raise FetchError(f"{page.address}: the next page is on another host")
        return link

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        pages = self.document(snapshot)
        if not isinstance(pages, dict) or not pages:
            raise FetchError(f"{snapshot.address}: no pages in it")
        items = [item for page in pages for item in self.listed(snapshot, page, "Items")]
        # The newest of two prices for one thing comes first, and the other is the second.
        return [(_label(item), item) for item in sorted(items, key=_since, reverse=True)]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        _refuse_others(row, snapshot)
        kind, price, currency = (
            row.text("armSkuName"),
            row.number("retailPrice"),
            row.text("currencyCode"),
        )
        asked = f"{price} {currency}"
        size = SIZES.get(kind)
        if size is None:
            raise RowError(f"size '{kind}' is not in the table of documented sizes ({asked})")
        if size.gpus < 1:
            raise RowError(f"{size.gpus} of one {size.gpu_name} ({asked})")
        machine = Machine(
            provider=self.name,
            instance_type=kind,
            region=row.text("armRegionName"),
            gpu=size.gpu,
            gpu_name=size.gpu_name,
            gpu_count=int(size.gpus),
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            vcpu=Decimal(size.vcpu),
            ram_gb=Decimal(size.ram_gb),
            interconnect=size.interconnect,
            currency=currency,
            increment=Increment.SECOND,
        )
        if row.text("type") == "Reservation":
            yield machine.offer(
                PurchaseModel.RESERVED,
                Decimal(0),
                tenor=_term(row, "reservationTerm"),
                increment=Increment.HOUR,
                upfront=price,
                note="the whole term is paid when it starts",
            )
            return
        spot = any(re.search(r"\bSpot$", row.text(field)) for field in ("skuName", "meterName"))
        yield machine.offer(PurchaseModel.SPOT if spot else PurchaseModel.ON_DEMAND, price)
        if row.get("savingsPlan") is None:
            return
        for item in row.rows("savingsPlan"):
            try:
                plan = Fields(item, "savingsPlan")
                yield machine.offer(
                    PurchaseModel.SAVINGS_PLAN,
                    plan.number("retailPrice"),
                    tenor=_term(plan, "term"),
                    increment=Increment.HOUR,
                )
            except RowError as fault:
                yield Rejected(f"{self.name}/{name} savings plan", str(fault), snapshot.address)


def _refuse_others(row: Fields, snapshot: Snapshot) -> None:
    """Only prices of a Linux machine, in force, from its first hour.

    Raises:
        RowError: it is a price of something else.
    """
    if row.text("type") not in ("Consumption", "Reservation"):
        raise RowError(f"a price of type {row.text('type')}")
    for field, pattern, meaning in _NOT_THIS:
        if re.search(pattern, row.text(field)):
            raise RowError(meaning)
    if row.text("unitOfMeasure") != "1 Hour":
        raise RowError(f"priced per {row.text('unitOfMeasure')}")
    if row.maybe("tierMinimumUnits"):
        raise RowError(f"the price from {row.maybe('tierMinimumUnits')} hours on")
    since = row.text("effectiveStartDate")
    if since[:10] > snapshot.observed_at.date().isoformat():
        raise RowError(f"a price from {since[:10]} on")


def _term(row: Fields, name: str) -> Tenor:
    term = TERMS.get(row.text(name))
    if term is None:
        raise RowError(f"a term of '{row.text(name)}'")
    return term


def _label(item: object) -> str:
    if not isinstance(item, dict):
        return "?"
    parts = (item.get(f) for f in ("armRegionName", "skuName", "type", "reservationTerm"))
    return " ".join(part for part in parts if isinstance(part, str)) or "?"


def _since(item: object) -> str:
    since = item.get("effectiveStartDate") if isinstance(item, dict) else None
    return since if isinstance(since, str) else ""
