"""Columns of FOCUS Cost and Usage, and how a charge fills them.

FOCUS: FinOps Open Cost and Usage Specification, focus.finops.org; column rules of 1.2 (May 2025)
and names of 1.4 (June 2026). A plan is no bill: every row says so in ``x_DataNature``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from optimizer.review.workbook.texts import inert, starts_formula

NOT_IN_1_4 = ("ProviderName", "PublisherName")
ONLY_IN_1_4 = ("ServiceProviderName", "HostProviderName")

CRITERIA = (
    "ACCOUNT_NAMING_SUPPORTED", "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED",
    "COMMITMENT_DISCOUNT_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
    "NEGOTIATED_PRICING_SUPPORTED", "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
    "PUBLIC_PRICE_LIST_SUPPORTED", "REGION_SUPPORTED",
    "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED", "TAGGING_SUPPORTED", "UNIT_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED",
)  # fmt: skip
"""What a plan can say, by the names of the official validator."""

_PRICE = Decimal("1E-12")
"""Unit prices keep so many digits that times the quantity they give the cost again."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What was paid for ahead of its use: owned nodes, or a reserved rental."""

    id: str
    name: str
    kind: str
    hours: Decimal
    """That a row buys, uses or leaves unused."""
    status: str = ""
    """Used or Unused; empty for the purchase."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One row: money for something in a span of days."""

    category: str
    """Usage, Purchase or Credit."""
    what: str
    start: date
    end: date
    """First day no longer charged."""
    billed: Decimal
    effective: Decimal
    provider: str
    service: str
    family: tuple[str, str]
    """ServiceCategory and ServiceSubcategory."""
    resource: str
    resource_type: str
    quantity: Decimal
    unit: str
    pricing: str
    """Standard, Dynamic, Committed or Other; empty for a credit."""
    sku: str
    meter: str
    frequency: str = "Usage-Based"
    listed: Decimal | None = None
    """Cost at list and contracted price; the bill where left out."""
    commitment: Commitment | None = None
    region: str = ""
    component: str = ""
    """Of the plan's ledger."""
    cause: str = ""
    gpu: tuple[str, int] | None = None
    workload: str = ""
    seen: date | None = None
    source: str = ""
    quoted: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What all rows of a plan share."""

    plan: str
    schedule: str
    currency: str
    snapshot: str


def focus_text(charges: Iterable[Charge], origin: Origin, version: str) -> str:
    """The rows as CSV with the columns of a version, in alphabetical order, own ones last."""
    rows = [_versioned(_columns(charge, origin), version) for charge in charges]
    names = sorted(rows[0] if rows else _versioned(_columns(_NOTHING, origin), version))
    titles = [n for n in names if not n.startswith("x_")] + [n for n in names if n[:2] == "x_"]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _versioned(row: dict[str, str], version: str) -> dict[str, str]:
    gone = NOT_IN_1_4 if version == "1.4" else ONLY_IN_1_4
    return {name: value for name, value in row.items() if name not in gone}


def _columns(c: Charge, origin: Origin) -> dict[str, str]:
    priced = c.category != "Credit"
    listed = c.billed if c.listed is None else c.listed
    unit_price = _decimal((listed / c.quantity).quantize(_PRICE)) if priced and c.quantity else ""
    if priced and not c.quantity:
        unit_price = "0.0"
    month = c.start.replace(day=1)
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    held, sku = c.commitment, _text(c.sku)
    used = c.category == "Usage" and not (held and held.status == "Unused")
    provider, resource = _text(c.provider), _text(c.resource)
    details: dict[str, object] = {}
    if c.gpu is not None:
        details = {"GpuCount": c.gpu[1], "x_GpuModel": _text(c.gpu[0])}
    return {
        "BilledCost": _decimal(c.billed),
        "BillingAccountId": "rentopt-plan",
        "BillingAccountName": _text(f"rentopt plan: {origin.plan}"),
        "BillingCurrency": origin.currency,
        "BillingPeriodEnd": _time(following),
        "BillingPeriodStart": _time(month),
        "ChargeCategory": c.category,
        "ChargeClass": "",
        "ChargeDescription": _text(c.what),
        "ChargeFrequency": c.frequency,
        "ChargePeriodEnd": _time(c.end),
        "ChargePeriodStart": _time(c.start),
        "CommitmentDiscountCategory": "Usage" if held else "",
        "CommitmentDiscountId": _text(held.id) if held else "",
        "CommitmentDiscountName": _text(held.name) if held else "",
        "CommitmentDiscountQuantity": _decimal(held.hours) if held else "",
        "CommitmentDiscountStatus": held.status if held else "",
        "CommitmentDiscountType": held.kind if held else "",
        "CommitmentDiscountUnit": "Hours" if held else "",
        "ConsumedQuantity": _decimal(c.quantity) if used else "",
        "ConsumedUnit": c.unit if used else "",
        "ContractedCost": _decimal(listed),
        "ContractedUnitPrice": unit_price,
        "EffectiveCost": _decimal(c.effective),
        "HostProviderName": provider,
        "InvoiceId": "",
        "InvoiceIssuerName": provider,
        "ListCost": _decimal(listed),
        "ListUnitPrice": unit_price,
        "PricingCategory": c.pricing,
        "PricingCurrency": origin.currency,
        "PricingCurrencyContractedUnitPrice": unit_price,
        "PricingCurrencyEffectiveCost": _decimal(c.effective),
        "PricingCurrencyListUnitPrice": unit_price,
        "PricingQuantity": _decimal(c.quantity) if priced else "",
        "PricingUnit": c.unit if priced else "",
        "ProviderName": provider,
        "PublisherName": provider,
        "RegionId": _text(c.region),
        "RegionName": _text(c.region),
        "ResourceId": resource,
        "ResourceName": resource,
        "ResourceType": c.resource_type,
        "ServiceCategory": c.family[0],
        "ServiceName": c.service,
        "ServiceProviderName": provider,
        "ServiceSubcategory": c.family[1],
        "SkuId": sku if priced else "",
        "SkuMeter": c.meter if priced else "",
        "SkuPriceDetails": json.dumps(details, ensure_ascii=False) if details and priced else "",
        "SkuPriceId": sku if priced else "",
        "Tags": json.dumps(_tags(c, origin), ensure_ascii=False),
        "x_DataNature": "planned",
        "x_LedgerCause": _text(c.cause),
        "x_LedgerComponent": c.component,
        "x_PriceQuoted": _text(c.quoted),
        "x_PriceSeenOn": c.seen.isoformat() if c.seen else "",
        "x_PriceSource": _text(c.source),
        "x_SnapshotId": origin.snapshot,
    }


def _tags(c: Charge, origin: Origin) -> dict[str, str]:
    tags = {"schedule": inert(origin.schedule)}
    return tags | {"workload": inert(c.workload)} if c.workload else tags


def _text(words: str) -> str:
    """Harmless in a spreadsheet that opens the file: no leading sign of a formula, one line."""
    line = inert(words)
    return f"'{line}" if starts_formula(line) else line


def _decimal(value: Decimal) -> str:
    """With a point, so that no reader takes the column for whole numbers."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0")
        return f"{text}0" if text.endswith(".") else text
    return f"{text}.0"


def _time(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


_NOTHING = Charge(
    "Usage", "", date(2000, 1, 1), date(2000, 1, 2), Decimal(0), Decimal(0), "", "", ("", ""), "",
    "", Decimal(1), "", "", "", "",
)  # fmt: skip
