"""The SkyPilot catalogue: ``CLOUD/vms.csv``, a row for each instance type and zone, in USD.

What its rows do not say or say wrongly, each seen in published files:

- A missing spot price is empty, 0, or the on-demand price again.
- A price is 0 where only a price was missing.
- Counts of GPUs can be wrong: Azure's own API said 12 for the 8 of Standard_ND96isr_H100_v5.
- `SizeInMiB` is of one GPU, except at Vast, where it is of all; `TotalGpuMemoryInMiB` repeats it.
- Google's GPUs have rows of their own, without an instance type; the machine is another row.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

from providers.adapter import Snapshot
from providers.catalogues import CatalogueAdapter, Seller, documented_card, price_of
from providers.formats.cells import Line
from providers.gpu_names import gpu_id
from providers.live import NO_TENOR, Fields, Machine, RowError, exact
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tier

_LARGE = ("aws", "azure", "gcp", "oci", "ibm", "scp")
_MARKETS = ("primeintellect", "shadeform", "spheron", "vast")
_OTHERS = (
    "cloudrift", "cudo", "fluidstack", "hyperbolic", "hyperstack", "jarvislabs", "lambda",
    "latitude", "lium", "mithril", "nebius", "novita", "paperspace", "ppio", "runpod", "simplepod",
    "verda", "yotta",
)  # fmt: skip
_TOTALS = ("vast",)
"""Where `SizeInMiB` is the memory of all GPUs together."""
_ALONE = {
    "a2-highgpu": "A100",
    "a2-megagpu": "A100",
    "a2-ultragpu": "A100-80GB",
    "a3-highgpu": "H100",
    "a3-megagpu": "H100-MEGA",
    "a3-ultragpu": "H200",
    "a4-highgpu": "B200",
}
"""Google's machines whose GPUs are rows of their own: machine → `AcceleratorName`.
cloud.google.com/compute/docs/accelerator-optimized-machines"""
_L4_OF_G2 = {"24": "2", "48": "4", "96": "8"}
"""g2-standard-N → GPUs; 1 for the others."""
_OF_GPUS = ("AcceleratorName", "AcceleratorCount", "GpuInfo")
_NOTE = "machine and GPUs added up, without the local SSD"
_LONGEST_INFO = 2000


@dataclass(frozen=True, slots=True)
class _Info:
    """What `GpuInfo` tells."""

    text: str
    """As it stands, where it is a bare name such as A100-80GB."""
    size_mib: Decimal | None = None
    total_mib: Decimal | None = None

    @classmethod
    def parse(cls, text: str) -> _Info:
        """From a Python dict as text, or a bare name.

        Raises:
            RowError: it begins like a dict and is none, or has no GPU in it.
        """
        if not text.startswith("{"):
            return cls(text)
        try:
            if len(text) > _LONGEST_INFO:
                raise ValueError
            found = ast.literal_eval(text)
            memory = found["Gpus"][0]["MemoryInfo"]["SizeInMiB"]
            total = found.get("TotalGpuMemoryInMiB")
        except (ValueError, SyntaxError, KeyError, IndexError, TypeError, AttributeError):
            raise RowError(f"GpuInfo is not readable: {text[:60]}") from None
        return cls("", _positive(memory), _positive(total))


def _positive(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    number = exact(str(value), "memory in GpuInfo")
    return number if number > 0 else None


class SkyPilot(CatalogueAdapter):
    name = "skypilot"
    required = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "Region")
    sellers: ClassVar[Mapping[str, Seller]] = {
        **{name: Seller(name, Tier.HYPERSCALER) for name in _LARGE},
        **{name: Seller(name, Tier.MARKETPLACE) for name in _MARKETS},
        **{name: Seller(name) for name in _OTHERS},
        "do": Seller("digitalocean"),
        # Their price lists are in euros, and the layout has no currency.
        "seeweb": Seller("seeweb", currency="EUR"),
        "scaleway": Seller("scaleway", currency=""),
        "ovhcloud": Seller("ovh", currency=""),
    }

    def prepared(self, lines: list[Line]) -> list[Line]:
        """Google's machines with the GPUs that belong to them, priced together."""
        alone = {
            (cells["AvailabilityZone"], cells["AcceleratorName"], _count(cells)): cells
            for cells in (line.cells for line in lines)
            if not cells["InstanceType"] and cells.get("AvailabilityZone")
        }
        return [_with_gpus(line, alone) for line in lines]

    def fates(
        self, row: Fields, seller: Seller, taken: Mapping[str, Offer], snapshot: Snapshot
    ) -> Iterator[Offer | Rejected]:
        if not row.get("InstanceType"):
            raise RowError(f"{row.get('AcceleratorName') or 'a row'} without its machine")
        instance_type = row.text("InstanceType")
        if not row.get("AcceleratorName"):
            alone = seller.name == "gcp" and _google(instance_type)
            why = "no row has the price of its GPUs in this zone" if alone else "no GPU"
            raise RowError(f"{instance_type}: {why}")
        name, gpus = row.text("AcceleratorName"), row.count("AcceleratorCount")
        if not gpus:
            raise RowError(f"{instance_type}: no GPU")
        info = _Info.parse(row.get("GpuInfo") or "")
        told = _card(name, info, gpus, seller.name, instance_type)
        region = row.get("Region") or "any"
        zone = row.get("AvailabilityZone") or region
        machine = Machine(
            provider=seller.name,
            instance_type=instance_type,
            region=region,
            gpu=documented_card(seller.name, instance_type, name, gpus, told) or None,
            gpu_name=_described(name, info),
            gpu_count=gpus,
            snapshot=snapshot,
            tier=seller.tier,
            vcpu=row.maybe("vCPUs"),
            ram_gb=row.maybe("MemoryGiB"),
            currency=seller.currency,
            note=row.get("note") or "",
        )
        in_zone = replace(machine, region=zone)
        price, spot = price_of(row, "Price"), price_of(row, "SpotPrice")
        yield _on_demand(machine, in_zone, price, taken)
        if spot is not None and spot == price:
            sku = in_zone.sku(PurchaseModel.SPOT, NO_TENOR)
            reason = f"{spot} {seller.currency} is the on-demand price again, not one of spot"
            yield Rejected(sku, reason, snapshot.address)
        elif spot is not None:
            yield in_zone.offer(PurchaseModel.SPOT, spot)


def _on_demand(
    machine: Machine, in_zone: Machine, price: Decimal | None, taken: Mapping[str, Offer]
) -> Offer | Rejected:
    """One offer a region: zones have one price, but where they have not, each has its offer."""
    found = machine.offer(PurchaseModel.ON_DEMAND, price)
    if isinstance(found, Rejected) or found.sku not in taken or machine.region == in_zone.region:
        return found
    if taken[found.sku].price != found.price:
        return in_zone.offer(PurchaseModel.ON_DEMAND, price)
    return Rejected(found.sku, f"{in_zone.region} has the price of the region", found.source)


def _card(name: str, info: _Info, gpus: int, seller: str, instance_type: str) -> str | None:
    """The card, with its memory from `GpuInfo`; its form may stand in the instance type only."""
    form = re.sub(r"[_\-]+", " ", instance_type)
    bare = name.removesuffix("-MEGA")
    if info.size_mib is None:
        return gpu_id(info.text.removesuffix("-MEGA"), None, form) if info.text else None
    size = info.size_mib / 1024
    each, share = gpu_id(bare, size, form), gpu_id(bare, size / gpus, form)
    if gpus == 1 or info.total_mib != info.size_mib:
        return each
    # The total is either wrong (Lambda) or right (Vast): told by which size such a card has.
    if each and share and seller not in _TOTALS:
        raise RowError(f"{info.size_mib} MiB may be of one {name} or of all {gpus}")
    return share or each


def _described(name: str, info: _Info) -> str:
    if info.size_mib is not None:
        return f"{name} ({info.size_mib} MiB in GpuInfo)"
    return f"{name} (no memory in GpuInfo)" if not info.text else info.text


def _with_gpus(line: Line, alone: Mapping[tuple[str, str, str], dict[str, str]]) -> Line:
    """A machine of Google's with its GPUs; any other line as it is."""
    cells = line.cells
    wanted = None if cells["AcceleratorName"] else _google(cells["InstanceType"])
    zone = cells.get("AvailabilityZone", "")
    gpus = wanted and alone.get((zone, *wanted))
    if not gpus:
        return line
    both = {
        column: _sum(cells.get(column, ""), gpus.get(column, ""))
        for column in ("Price", "SpotPrice")
    }
    from_gpus = {column: gpus.get(column, "") for column in _OF_GPUS}
    return replace(line, cells={**cells, **from_gpus, **both, "note": _NOTE})


def _google(instance_type: str) -> tuple[str, str] | None:
    """`AcceleratorName` and count of the GPUs in a machine of Google's."""
    family, _, size = instance_type.rpartition("-")
    if family == "g2-standard":
        return "L4", _L4_OF_G2.get(size, "1")
    if family in _ALONE and size.endswith("g"):
        return _ALONE[family], size.removesuffix("g")
    return None


def _count(cells: Mapping[str, str]) -> str:
    return cells["AcceleratorCount"].removesuffix(".0")


def _sum(one: str, other: str) -> str:
    """The exact sum; nothing where one of the two is missing."""
    if not one or not other:
        return ""
    try:
        return str(exact(one, "Price") + exact(other, "Price"))
    except RowError:
        return f"{one} + {other}"  # refused as no number, with the row it stands in
