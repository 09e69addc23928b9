"""Price history as rows with the names of the FOCUS specification, own columns with ``x_``.

FOCUS (FinOps Open Cost and Usage Specification) names are used where one means the same thing:
https://focus.finops.org
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from providers.errors import needing
from providers.terms import Increment, PurchaseModel

if TYPE_CHECKING:
    from providers.offers import Offer
    from providers.store import PriceChange

_CATEGORY = {
    PurchaseModel.ON_DEMAND: "Standard",
    PurchaseModel.SPOT: "Dynamic",
}
_UNIT = {Increment.SECOND: "Hours"}


Row = dict[str, str | int]
"""One price by the names of `COLUMNS`; numbers are exact decimal text, but the count of GPUs."""

COLUMNS = (
    "ProviderName", "SkuId", "SkuPriceId", "RegionId", "PricingCategory", "PricingUnit",
    "PricingCurrency", "PricingCurrencyListUnitPrice", "CommitmentDiscountType", "x_Upfront",
    "x_Tenor", "x_Gpu", "x_GpuCount", "x_PricePerGpuHour", "x_TaxIncluded", "x_Source",
    "x_ValidFrom", "x_KnownAt", "x_Vanished", "x_Adapter",
)  # fmt: skip


def offer_row(adapter: str, offer: Offer) -> Row:
    """An offer as it was in force on the day it was last confirmed."""
    return _row(adapter, offer, offer.observed_at.isoformat(), "", vanished=False)


def change_row(change: PriceChange) -> Row:
    valid_from, known_at = change.valid_from.isoformat(), change.known_at.isoformat()
    return _row(change.adapter, change.offer, valid_from, known_at, vanished=change.vanished)


def _row(adapter: str, offer: Offer, valid_from: str, known_at: str, *, vanished: bool) -> Row:
    committed = offer.purchase_model not in _CATEGORY
    values: tuple[str | int, ...] = (
        offer.provider,
        offer.instance_type,
        offer.sku,
        offer.region,
        _CATEGORY.get(offer.purchase_model, "Committed"),
        _UNIT.get(offer.increment, f"{offer.increment.value.capitalize()}s"),
        offer.price.currency,
        f"{offer.price.amount:f}",
        offer.purchase_model.value if committed else "",
        f"{offer.upfront.amount:f}",
        str(offer.tenor),
        offer.gpu,
        offer.gpu_count,
        f"{offer.per_gpu_hour.amount:.8f}",
        {True: "yes", False: "no", None: ""}[offer.tax_included],
        offer.source,
        valid_from,
        known_at,
        "yes" if vanished else "no",
        adapter,
    )
    return dict(zip(COLUMNS, values, strict=True))


def to_csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(row.values() for row in rows)
    return text.getvalue().encode()


def to_parquet(rows: Sequence[Row]) -> bytes:
    """All columns text but x_GpuCount: decimals stay exact.

    Raises:
        RentoptError: pyarrow is not installed.
    """
    with needing("tables"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    types = {"x_GpuCount": pa.int32()}
    table = pa.table(
        {
            name: pa.array([row[name] for row in rows], types.get(name, pa.string()))
            for name in COLUMNS
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    body: bytes = sink.getvalue().to_pybytes()
    return body
