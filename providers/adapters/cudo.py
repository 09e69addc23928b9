"""Cudo Compute: a price for each part; the machine is put together here, always in the same way.

Per GPU: `VCPUS` and `GIB_PER_VCPU` of memory for each, within the limits of the machine type, and
`DISK_GIB` of disk; no public address. What has a part without a price has no price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.live import Fields, LiveAdapter, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel

VCPUS = Decimal(8)
GIB_PER_VCPU = Decimal(4)
DISK_GIB = 50


class Cudo(LiveAdapter):
    name = "cudo"
    home = "https://rest.compute.cudo.org"
    variables = ("CUDO_API_KEY",)

    def fetch(self) -> Iterator[Snapshot]:
        key = self.key("CUDO_API_KEY")
        answer = self.settings.http.get(
            f"{self.base}/v1/vms/machine-types-2",
            headers={"Authorization": f"Bearer {key}"},
            secrets=[key],
            variables=["CUDO_API_KEY"],
        )
        self.rows(answer.snapshot)
        yield answer.snapshot

    def rows(self, snapshot: Snapshot) -> Iterable[tuple[str, object]]:
        return [(_name(row), row) for row in self.listed(snapshot, "machineTypes")]

    def fates(self, name: str, row: Fields, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
        said = row.get("gpuModel")
        if not said:
            raise RowError("no GPU")
        vcpus, memory = _build(row)
        price = _price(row, "gpuPriceHr")
        if price <= 0:
            raise RowError(f"{price} USD is not the price of a GPU")
        price += vcpus * _price(row, "vcpuPriceHr") + memory * _price(row, "memoryGibPriceHr")
        price += DISK_GIB * _price(row, "minStorageGibPriceHr")
        machine = Machine(
            provider=self.name,
            instance_type=row.text("machineType"),
            region=row.text("dataCenterId"),
            gpu=gpu_id(row.text("gpuModel")),
            gpu_name=row.text("gpuModel"),
            gpu_count=1,
            snapshot=snapshot,
            vcpu=vcpus,
            ram_gb=memory,
            max_units=row.count("totalGpuFree"),
            max_gpus_per_host=row.count("maxGpuFree"),
            note=f"put together per GPU, with {DISK_GIB} GiB of disk and no public address",
        )
        yield machine.offer(PurchaseModel.ON_DEMAND, price)


def _build(row: Fields) -> tuple[Decimal, Decimal]:
    """vCPUs and GiB of memory to one GPU.

    Raises:
        RowError: the limits of the type contradict each other.
    """
    least, most = row.number("minVcpuPerGpu"), row.number("maxVcpuPerGpu")
    vcpus = min(max(VCPUS, least), most)
    low, high = row.number("minVcpuPerMemoryGib"), row.number("maxVcpuPerMemoryGib")
    if not (0 < least <= most and 0 < low <= high):
        raise RowError(f"{least} to {most} vCPUs a GPU, {low} to {high} a GiB of memory")
    # "vCPUs per GiB": the most of them is the least memory.
    memory = min(max(vcpus * GIB_PER_VCPU, vcpus / high), vcpus / low)
    return vcpus, round(memory, 2)


def _price(row: Fields, name: str) -> Decimal:
    """Of one unit of a part and hour, written as a text in an object of its own."""
    price = row.inner(name).number("value")
    if price < 0:
        raise RowError(f"{name} is {price}")
    return price


def _name(row: object) -> str:
    if not isinstance(row, dict):
        return "?"
    return f"{row.get('machineType')}/{row.get('dataCenterId')}"
