"""Price list entries, from `GetProducts` or from a bulk file: on-demand and reserved machines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from providers.adapter import Snapshot
from providers.adapters.aws.machines import Region
from providers.live import Fields, RowError, exact
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor

WANTED = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "licenseModel": "No License required",
    "marketoption": "OnDemand",
    "capacitystatus": "Used",
    "locationType": "AWS Region",
}
"""One row per machine, region and term: Linux on shared hosts, no software, not the rows that
price a capacity reservation, no local zones."""
FILTERS = {**WANTED, "instanceFamily": "GPU instance"}
_PAYMENTS = {"No Upfront": False, "Partial Upfront": True, "All Upfront": True}
"""→ whether there is a fee at the start."""
_RATE_UNITS = ("Hrs", "Quantity")


def rows(listed: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every term of every entry of a `PriceList`, with what it calls itself."""
    for number, text in enumerate(listed if isinstance(listed, list) else []):
        entry = _entry(text)
        if entry is None:
            yield f"price list entry {number}", {"odd": "no JSON object"}
            continue
        product = entry.get("product")
        attributes = product.get("attributes") if isinstance(product, dict) else None
        named = [attributes.get(n) for n in _NAMES] if isinstance(attributes, dict) else []
        name = " ".join(str(n) for n in named if n) or f"price list entry {number}"
        found = False
        for kind, term in _terms(entry.get("terms")):
            found = True
            code = term.get("offerTermCode") if isinstance(term, dict) else None
            yield f"{name} {kind} {code or ''}".rstrip(), {
                "product": product, "kind": kind, "term": term,
            }  # fmt: skip
        if not found:
            yield name, {"odd": "no price in it"}


_NAMES = ("instanceType", "regionCode", "operatingSystem", "tenancy", "capacitystatus")


def _entry(text: object) -> dict[str, Any] | None:
    if isinstance(text, str):
        try:
            text = json.loads(text, parse_float=Decimal)
        except ValueError:
            return None
    return text if isinstance(text, dict) else None


def _terms(terms: object) -> Iterator[tuple[str, object]]:
    for kind, group in terms.items() if isinstance(terms, Mapping) else ():
        for term in group.values() if isinstance(group, Mapping) else [group]:
            yield str(kind), term


def counts(listed: object) -> dict[str, object]:
    """Instance type → the number of GPUs that its entry states."""
    found: dict[str, object] = {}
    for text in listed if isinstance(listed, list) else []:
        entry = _entry(text) or {}
        product = entry.get("product")
        attributes = product.get("attributes") if isinstance(product, dict) else None
        if isinstance(attributes, dict) and isinstance(attributes.get("instanceType"), str):
            found.setdefault(attributes["instanceType"], attributes.get("gpu"))
    return found


def fates(row: Fields, region: Region, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
    """What one term of one entry offers.

    Raises:
        RowError: it is another product, or has no price.
    """
    if row.get("odd"):
        raise RowError(row.text("odd"))
    says = row.inner("product").inner("attributes")
    instance_type = says.text("instanceType")
    _check(says, region.name)
    machine = region.machine(instance_type, snapshot, vcpu=says.maybe("vcpu"), ram_gb=_memory(says))
    term = row.inner("term")
    hourly, upfront = _rates(term, region.currency)
    kind = row.text("kind")
    if kind == "OnDemand":
        if upfront is not None:
            raise RowError("a fee at the start, on demand")
        yield machine.offer(PurchaseModel.ON_DEMAND, hourly, increment=Increment.SECOND)
    elif kind == "Reserved":
        tenor, payment = _commitment(term.inner("termAttributes"))
        if _PAYMENTS[payment] != bool(upfront):
            raise RowError(f"{payment} with {upfront or 'no'} fee at the start")
        paid = replace(machine, payment=payment.lower().replace(" ", "-"))
        yield paid.offer(
            PurchaseModel.RESERVED,
            hourly if hourly is not None or payment != "All Upfront" else Decimal(0),
            tenor=tenor,
            upfront=upfront or Decimal(0),
            note=f"standard, {payment}",
        )
    else:
        raise RowError(f"terms of kind '{kind}'")


def _check(says: Fields, region: str) -> None:
    for name, wanted in WANTED.items():
        found = says.get(name)
        if name == "locationType" and found is None:
            continue  # older bulk files have no such column
        if name == "preInstalledSw" and found == "":
            continue
        if found != wanted:
            raise RowError(f"{name} is {found!r:.40}, not '{wanted}'")
    if says.get("regionCode") != region:
        raise RowError(f"regionCode is {says.get('regionCode')!r:.40}, not '{region}'")


def _memory(says: Fields) -> Decimal | None:
    """In GB, as written: `2,048 GiB`."""
    text = says.get("memory")
    found = re.fullmatch(r"([\d,]+(?:\.\d+)?) GiB", text) if isinstance(text, str) else None
    return Decimal(found[1].replace(",", "")) if found and found[1].strip(",") else None


def _commitment(says: Fields) -> tuple[Tenor, str]:
    if says.get("OfferingClass") != "standard":
        raise RowError(f"OfferingClass is {says.get('OfferingClass')!r:.40}, not 'standard'")
    length = re.fullmatch(r"([13]) ?yr", says.text("LeaseContractLength"))
    if length is None:
        raise RowError(f"a lease of {says.text('LeaseContractLength')}")
    payment = says.text("PurchaseOption")
    if payment not in _PAYMENTS:
        raise RowError(f"PurchaseOption is '{payment[:40]}'")
    return Tenor(months=12 * int(length[1])), payment


def _rates(term: Fields, currency: str) -> tuple[Decimal | None, Decimal | None]:
    """Per hour, and once at the start; None where there is no such rate."""
    found: dict[str, Decimal] = {}
    dimensions = term.inner("priceDimensions").row
    for code, dimension in dimensions.items():
        rate = Fields(dimension, str(code))
        unit = rate.text("unit")
        if unit not in _RATE_UNITS or unit in found:
            raise RowError(f"{'two rates' if unit in found else 'a rate'} per '{unit[:40]}'")
        prices = rate.inner("pricePerUnit")
        if prices.get(currency) is None:
            others = ", ".join(str(name)[:10] for name in prices.row) or "nothing"
            raise RowError(f"priced in {others}, not {currency}")
        found[unit] = tidy(prices.number(currency))
    return found.get("Hrs"), found.get("Quantity")


def tidy(price: Decimal) -> Decimal:
    """The same price without the zeros that AWS writes behind it: 55.0400000000."""
    return exact(f"{price.normalize():f}", "a price")
