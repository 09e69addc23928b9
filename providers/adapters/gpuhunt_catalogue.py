"""gpuhunt's catalogue: ``PROVIDER.csv``, or a zip of such files, a row for each instance type and
place and kind, in USD. Memory is of one GPU. The form of the card (SXM, PCIe) is not in it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import ClassVar

from providers.adapter import Snapshot
from providers.catalogues import CatalogueAdapter, Seller, documented_card, price_of
from providers.formats.cells import Place
from providers.gpu_names import gpu_id
from providers.live import Fields, Machine, RowError
from providers.offers import Offer, Rejected
from providers.terms import PurchaseModel, Tier

MOST_BYTES = 200_000_000
"""Of a zip once unpacked."""
_SPECIALISTS = (
    "cloudrift", "crusoe", "cudo", "daytona", "digitalocean", "hotaisle", "jarvislabs", "nebius",
    "runpod", "tensordock", "verda", "vultr",
)  # fmt: skip


class GpuHunt(CatalogueAdapter):
    name = "gpuhunt"
    required = ("instance_name", "location", "price", "gpu_count", "gpu_name", "gpu_memory", "spot")
    sellers: ClassVar[Mapping[str, Seller]] = {
        **{name: Seller(name, Tier.HYPERSCALER) for name in ("aws", "azure", "gcp", "oci")},
        **{name: Seller(name) for name in _SPECIALISTS},
        "datacrunch": Seller("verda"),
        "lambdalabs": Seller("lambda"),
        "lium": Seller("lium", Tier.MARKETPLACE),
        "vastai": Seller("vast", Tier.MARKETPLACE),
        # Its price list is in euros, and the layout has no currency.
        "seeweb": Seller("seeweb", currency="EUR"),
    }

    def files(self, snapshot: Snapshot) -> Iterator[tuple[str, bytes]]:
        if not snapshot.body.startswith(b"PK"):
            yield from super().files(snapshot)
            return
        place = Place(snapshot.address)
        try:
            with zipfile.ZipFile(io.BytesIO(snapshot.body)) as archive:
                parts = [part for part in archive.infolist() if part.filename.endswith(".csv")]
                size = sum(part.file_size for part in parts)
                if size > MOST_BYTES:
                    raise place.refused(f"the archive unpacks to {size:,} bytes")
                if not parts:
                    raise place.refused("no CSV file in the archive")
                for part in parts:
                    yield f"{snapshot.address}/{part.filename}", archive.read(part)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
            raise place.refused(f"the archive cannot be read: {error}") from None

    def fates(
        self, row: Fields, seller: Seller, taken: Mapping[str, Offer], snapshot: Snapshot
    ) -> Iterator[Offer | Rejected]:
        instance_type, gpus = row.text("instance_name"), row.count("gpu_count")
        if not gpus:
            raise RowError(f"{instance_type}: no GPU")
        name, memory = row.text("gpu_name"), row.maybe("gpu_memory")
        # A card without its memory is not taken for the usual size.
        told = gpu_id(name, memory) if memory else None
        machine = Machine(
            provider=seller.name,
            instance_type=instance_type,
            region=row.get("location") or "any",
            gpu=documented_card(seller.name, instance_type, name, gpus, told) or None,
            gpu_name=f"{name} ({memory or 'unknown'} GB)",
            gpu_count=gpus,
            snapshot=snapshot,
            tier=seller.tier,
            vcpu=row.maybe("cpu"),
            ram_gb=row.maybe("memory"),
            currency=seller.currency,
        )
        model = PurchaseModel.SPOT if _is_spot(row) else PurchaseModel.ON_DEMAND
        yield machine.offer(model, price_of(row, "price"))


def _is_spot(row: Fields) -> bool:
    said = row.text("spot").lower()
    if said not in ("true", "false"):
        raise RowError(f"spot is '{said}', neither true nor false")
    return said == "true"
