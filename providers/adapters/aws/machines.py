"""The GPU machines of EC2: which families are read, which card each has, and how many."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from providers.adapter import Snapshot
from providers.gpu_names import gpu_id
from providers.hardware import accelerators
from providers.live import Fields, Machine, RowError
from providers.terms import Increment, PurchaseModel, Tenor, Tier

CARDS = {
    "p3dn": "V100-SXM2-32GB",
    "p4d": "A100-SXM4-40GB",
    "p4de": "A100-SXM4-80GB",
    "p5": "H100-SXM5-80GB",
    "p5e": "H200-141GB",
    "p5en": "H200-141GB",
    "p6-b200": "B200-180GB",
    "p6-b300": "B300-288GB",
    "g4dn": "T4",
    "g5": "A10G",
    "g6": "L4",
    "g6e": "L40S",
}
"""Family → card, from the page of accelerated instance types of the EC2 user guide. It says what
`DescribeInstanceTypes` does not: that p cards are SXM modules, and the cards of types that are
listed without `GpuInfo`, or with the maker's name in place of the card's."""
FAMILIES = (*[family for family in CARDS if not family.startswith("p6-")], "p6")
_FAMILY = re.compile(rf"({'|'.join(FAMILIES)})(?<!p6)|p6-[a-z0-9]+")
_SAME_SIZE = 0.12
"""The API reports what a program can use: 22 888 MiB of the 24 GB of an L4."""


def family_of(instance_type: str) -> str:
    """`p5` of `p5.48xlarge`."""
    return instance_type.partition(".")[0]


def is_read(instance_type: str) -> bool:
    """Whether the type is of a GPU family that is read at all."""
    return bool(_FAMILY.fullmatch(family_of(instance_type)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2(Machine):
    """A machine whose sku also tells zones and ways of payment apart."""

    zone: str = ""
    """For a price of one availability zone."""
    payment: str = ""
    """Where one term is sold in several ways: `no-upfront`, `compute-all-upfront`."""

    def sku(self, model: PurchaseModel, tenor: Tenor) -> str:
        place = [self.provider, self.instance_type, self.region, self.zone]
        terms = [model.value, self.payment, str(tenor)]
        return "/".join(part.replace(" ", "-") for part in [*place, *terms] if part)


@dataclass(frozen=True, slots=True)
class Cards:
    """What sits in a machine."""

    gpu: str | None
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Region:
    """What a row needs to know of where it was read."""

    provider: str
    currency: str
    tax_included: bool | None
    name: str
    types: Mapping[str, object]
    """Instance type → its entry of `DescribeInstanceTypes`, unread."""
    counts: Mapping[str, object]
    """Instance type → the GPUs that its price list entry states, unread."""

    def machine(
        self,
        instance_type: str,
        snapshot: Snapshot,
        *,
        vcpu: Decimal | None = None,
        ram_gb: Decimal | None = None,
        increment: Increment = Increment.HOUR,
        zone: str = "",
        payment: str = "",
        currency: str = "",
        units: int = 1,
        max_units: int | None = None,
    ) -> Ec2:
        """The machine of that type here.

        Raises:
            RowError: its family is not read, or how many GPUs it has is not known.
        """
        if not is_read(instance_type):
            raise RowError(f"family '{family_of(instance_type)}' is not one of those read")
        entry = self.types.get(instance_type)
        row = None if entry is None else Fields(entry, instance_type)
        cards = self._cards(instance_type, row)
        if row is not None and vcpu is None:
            vcpu = _inner(row, "VCpuInfo", "DefaultVCpus")
        if row is not None and ram_gb is None:
            mib = _inner(row, "MemoryInfo", "SizeInMiB")
            ram_gb = None if mib is None else mib / 1024
        return Ec2(
            provider=self.provider,
            instance_type=instance_type,
            region=self.name,
            gpu=cards.gpu,
            gpu_name=cards.name,
            gpu_count=cards.count,
            snapshot=snapshot,
            tier=Tier.HYPERSCALER,
            vcpu=vcpu,
            ram_gb=ram_gb,
            currency=currency or self.currency,
            increment=increment,
            tax_included=self.tax_included,
            zone=zone,
            payment=payment,
            min_units=units,
            max_units=max_units,
        )

    def _cards(self, instance_type: str, row: Fields | None) -> Cards:
        usual = CARDS.get(family_of(instance_type))
        listed = row.get("GpuInfo") if row is not None else None
        if row is None or listed is None:
            if instance_type not in self.counts:
                raise RowError(f"how many GPUs {instance_type} has is not told")
            said = Fields(self.counts, "GPUs of")
            return Cards(usual, f"in {instance_type}", said.count(instance_type))
        devices = row.inner("GpuInfo").rows("Gpus")
        if len(devices) != 1:
            raise RowError(f"{instance_type} has {len(devices)} kinds of GPU")
        device = Fields(devices[0], f"{instance_type}.GpuInfo.Gpus")
        share = device.maybe("GpuPartitionSize")
        if share is not None and share != 1:
            raise RowError(f"{instance_type} has {share} of a GPU")
        name, count = device.text("Name"), device.count("Count")
        memory = device.inner("MemoryInfo").maybe("SizeInMiB")
        size = None if memory is None else memory / 1024
        if usual is not None and _same(usual, name, size):
            return Cards(usual, name, count)
        return Cards(gpu_id(name, size), name if size is None else f"{name} ({size:.0f} GB)", count)


def _same(usual: str, name: str, size: Decimal | None) -> bool:
    """Whether the API means the family's own card, or does not name any."""
    card = accelerators()[usual]
    bare = re.sub(r"(?i)nvidia|tesla|\s", "", name)
    if bare and bare.upper() != card.family.upper():
        return False
    return not bare or size is None or abs(float(size) / card.memory_gb - 1) <= _SAME_SIZE


def _inner(row: Fields, name: str, field: str) -> Decimal | None:
    return row.inner(name).maybe(field) if row.get(name) is not None else None
