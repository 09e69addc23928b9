"""Prices as tables: offers, token prices, purchase prices, running costs, rejected rows.

Tables are read from CSV, YAML, XLSX and Parquet, and written as CSV.

A user's own quotes use the columns of the offer table; `QUOTE_COLUMNS` are the ones they need.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from providers.errors import DocumentError, Fault
from providers.hardware import NodeKind, UnknownHardwareError, node_kind
from providers.money import Money
from providers.offers import HardwareOffer, Offer, Rejected, TokenOffer
from providers.strict_table import Row, Table
from providers.terms import Increment, PurchaseModel, Tenor, Tier

OFFER_COLUMNS = (
    "provider", "sku", "instance_type", "region", "tier", "gpu", "gpu_count", "interconnect",
    "vcpu", "ram_gb", "purchase_model", "increment", "tenor", "price", "currency", "upfront",
    "tax_included", "min_units", "max_units", "max_gpus_per_host", "observed_at", "valid_until",
    "confidence", "source", "note",
)  # fmt: skip
QUOTE_COLUMNS = (
    "provider", "instance_type", "gpu", "gpu_count", "purchase_model", "increment", "price",
    "currency", "observed_at", "source",
)  # fmt: skip
TOKEN_COLUMNS = (
    "provider", "model", "provider_model", "input_per_million", "output_per_million", "currency",
    "context_tokens", "observed_at", "confidence", "source", "note",
)  # fmt: skip
HARDWARE_COLUMNS = (
    "item", "kind", "condition", "low", "high", "currency", "complete", "tax_included",
    "observed_at", "as_of_text", "confidence", "source", "note",
)  # fmt: skip
RUNNING_COST_COLUMNS = (
    "item", "value", "unit", "currency", "region", "observed_at", "as_of_text", "confidence",
    "source", "note",
)  # fmt: skip
REJECTED_COLUMNS = ("row", "reason", "source")

CONFIDENCES = ("A", "B", "C")
INTERCONNECTS = ("nvlink", "nvlink_pair", "pcie", "none", "unknown")
CONDITIONS = ("new", "used", "mixed")
_COMMITTED = (
    PurchaseModel.RESERVED,
    PurchaseModel.SAVINGS_PLAN,
    PurchaseModel.COMMITTED_USE,
    PurchaseModel.CAPACITY_BLOCK,
    PurchaseModel.PREPAID,
)
_SHORTEST_DAYS = {
    Increment.DAY: 1.0,
    Increment.WEEK: 7.0,
    Increment.MONTH: 28.0,
    Increment.YEAR: 365.0,
}


@dataclass(frozen=True, slots=True)
class RunningCost:
    """What running a machine costs besides its price: electricity, hosting."""

    item: str
    value: Money
    unit: str
    """What the value is paid for: kwh, kw_month."""
    region: str
    observed_at: date
    confidence: str
    source: str
    note: str = ""


def read_offers(
    source: Path | bytes, name: str = "", *, as_of: date | None = None
) -> tuple[list[Offer], list[Rejected]]:
    """Offers of a price table or a quotes file; with `as_of`, quotes past their day are rejected.

    Args:
        source: a file, or its bytes.
        name: what faults call the file, and by its ending its format; the path when left out.
        as_of: the day on which the prices would be used.

    Raises:
        DocumentError: with every fault of the file.
    """
    table = _table(source, name, OFFER_COLUMNS, QUOTE_COLUMNS)
    offers: list[Offer] = []
    rejected: list[Rejected] = []
    first: dict[str, str] = {}
    for row in table.rows:
        offer = _offer(row, first)
        if offer is None:
            continue
        if offer.sku in first:
            said = f"sku '{offer.sku}' is on {first[offer.sku]} already"
            row.fault("sku", said, "a sku names one offer")
            continue
        first[offer.sku] = row.name
        if as_of is not None and offer.valid_until is not None and offer.valid_until < as_of:
            reason = f"valid until {offer.valid_until}, not on {as_of}"
            rejected.append(Rejected(offer.sku, reason, offer.source))
        else:
            offers.append(offer)
    table.check()
    return offers, rejected


def _offer(row: Row, taken: Collection[str]) -> Offer | None:
    provider, instance_type = row.text("provider"), row.text("instance_type")
    region = row.text("region", "any")
    gpu, gpu_count = row.gpu(), row.count("gpu_count")
    tier = row.choice("tier", Tier, Tier.OWN_QUOTE)
    interconnect = row.word("interconnect", INTERCONNECTS, "unknown")
    vcpu, ram_gb = row.maybe_number("vcpu"), row.maybe_number("ram_gb")
    currency = row.currency()
    upfront = Money(row.maybe_number("upfront") or Decimal(0), currency)
    price = row.price("price", currency, zero_allowed=upfront.amount > 0)
    tax_included = row.yes_no("tax_included")
    model, increment, tenor = _terms(row)
    min_units, max_units = row.count("min_units", 1), row.maybe_count("max_units")
    if max_units is not None and max_units < min_units:
        row.fault("max_units", f"{max_units} is fewer than min_units, {min_units}")
    max_gpus = row.count("max_gpus_per_host", gpu_count)
    if max_gpus < gpu_count:
        row.fault("max_gpus_per_host", f"{max_gpus} is fewer than gpu_count, {gpu_count}")
    observed_at, valid_until = row.day("observed_at"), row.maybe_day("valid_until")
    if valid_until is not None and valid_until < observed_at:
        row.fault("valid_until", f"{valid_until} is before observed_at, {observed_at}")
    confidence = row.word("confidence", CONFIDENCES, "B")
    source = row.text("source")
    if row.faulty:
        return None
    terms = [provider, instance_type, region, model.value, *([str(tenor)] if tenor else [])]
    return Offer(
        provider=provider,
        sku=row.text("sku") or next(n for n in _numbered("/".join(terms)) if n not in taken),
        instance_type=instance_type,
        region=region,
        tier=tier,
        gpu=gpu,
        gpu_count=gpu_count,
        interconnect=interconnect,
        vcpu=vcpu,
        ram_gb=ram_gb,
        purchase_model=model,
        increment=increment,
        tenor=tenor,
        price=price,
        upfront=upfront,
        tax_included=tax_included,
        min_units=min_units,
        max_units=max_units,
        max_gpus_per_host=max_gpus,
        observed_at=observed_at,
        valid_until=valid_until,
        confidence=confidence,
        source=source,
        note=row.text("note"),
    )


def _terms(row: Row) -> tuple[PurchaseModel, Increment, Tenor]:
    model = row.choice("purchase_model", PurchaseModel)
    increment, tenor = row.choice("increment", Increment), row.tenor()
    if row.faulty:
        return model, increment, tenor
    if model in _COMMITTED and not tenor:
        row.fault("tenor", f"{model} needs a tenor", "how long it runs, such as P1M or P1Y")
    if tenor and tenor.about_days < _SHORTEST_DAYS.get(increment, 0):
        row.fault("tenor", f"a tenor of {tenor} is shorter than its increment, a {increment}")
    return model, increment, tenor


def _numbered(sku: str) -> Iterator[str]:
    yield sku
    yield from (f"{sku}/{number}" for number in itertools.count(2))


def write_offers(offers: Iterable[Offer]) -> bytes:
    """The offers as a price table, from which `read_offers` makes the same offers."""
    return _written(
        OFFER_COLUMNS,
        (
            (
                o.provider, o.sku, o.instance_type, o.region, o.tier, o.gpu, o.gpu_count,
                o.interconnect, _plain(o.vcpu), _plain(o.ram_gb), o.purchase_model, o.increment,
                o.tenor, _plain(o.price.amount), o.price.currency,
                _plain(o.upfront.amount) if o.upfront.amount else "", _yes_no(o.tax_included),
                o.min_units, o.max_units, o.max_gpus_per_host, o.observed_at, o.valid_until,
                o.confidence, o.source, o.note,
            )
            for o in offers
        ),
    )  # fmt: skip


def read_tokens(source: Path | bytes, name: str = "") -> list[TokenOffer]:
    """Prices of models served per token.

    Raises:
        DocumentError: with every fault of the file.
    """
    required = set(TOKEN_COLUMNS) - {"context_tokens", "note"}
    table = _table(source, name, TOKEN_COLUMNS, required)
    offers = []
    for row in table.rows:
        currency = row.currency()
        offer = TokenOffer(
            provider=row.text("provider"),
            model=row.text("model"),
            provider_model=row.text("provider_model"),
            input_per_million=row.price("input_per_million", currency),
            output_per_million=row.price("output_per_million", currency),
            context_tokens=row.maybe_count("context_tokens"),
            observed_at=row.day("observed_at"),
            confidence=row.word("confidence", CONFIDENCES, "B"),
            source=row.text("source"),
            note=row.text("note"),
        )
        offers.append(offer)
    table.check()
    return offers


def read_hardware_offers(source: Path | bytes, name: str = "") -> list[HardwareOffer]:
    """Purchase prices of cards, machines and servers.

    Raises:
        DocumentError: with every fault of the file.
    """
    required = set(HARDWARE_COLUMNS) - {"tax_included", "as_of_text", "note"}
    table = _table(source, name, HARDWARE_COLUMNS, required)
    offers = []
    for row in table.rows:
        currency = row.currency()
        low, high = row.price("low", currency), row.price("high", currency)
        if high < low:
            row.fault("high", f"{high.amount} is less than low, {low.amount}")
        complete = row.yes_no("complete")
        if complete is None:
            row.fault("complete", "complete is empty", "yes for a machine that runs as it is")
        offer = HardwareOffer(
            item=row.text("item"),
            kind=_kind(row),
            condition=row.word("condition", CONDITIONS, ""),
            low=low,
            high=high,
            complete=complete is True,
            tax_included=row.yes_no("tax_included"),
            observed_at=row.day("observed_at"),
            confidence=row.word("confidence", CONFIDENCES, "B"),
            source=row.text("source"),
            note=row.text("note"),
        )
        offers.append(offer)
    table.check()
    return offers


def _kind(row: Row) -> NodeKind:
    try:
        return node_kind(row.text("kind"))
    except UnknownHardwareError as error:
        message, _, hint = str(error).partition("; ")
        row.fault("kind", message, hint)
        return NodeKind("", 1)


def read_running_costs(source: Path | bytes, name: str = "") -> list[RunningCost]:
    """Electricity and hosting prices.

    Raises:
        DocumentError: with every fault of the file.
    """
    required = set(RUNNING_COST_COLUMNS) - {"region", "as_of_text", "note"}
    table = _table(source, name, RUNNING_COST_COLUMNS, required)
    costs = [
        RunningCost(
            item=row.text("item"),
            value=row.price("value", row.currency()),
            unit=row.text("unit"),
            region=row.text("region", "any"),
            observed_at=row.day("observed_at"),
            confidence=row.word("confidence", CONFIDENCES, "B"),
            source=row.text("source"),
            note=row.text("note"),
        )
        for row in table.rows
    ]
    table.check()
    return costs


def read_rejected(source: Path | bytes, name: str = "") -> list[Rejected]:
    """Rows that were found and not used, with the reason.

    Raises:
        DocumentError: with every fault of the file.
    """
    table = _table(source, name, REJECTED_COLUMNS, REJECTED_COLUMNS)
    rows = [Rejected(row.text("row"), row.text("reason"), row.text("source")) for row in table.rows]
    table.check()
    return rows


def _table(
    source: Path | bytes, name: str, columns: Sequence[str], required: Collection[str]
) -> Table:
    if isinstance(source, bytes):
        return Table(source, name or "table.csv", columns, required)
    try:
        data = source.read_bytes()
    except OSError as error:
        fault = Fault(name or str(source), 0, 0, "", f"cannot be read: {error.strerror}")
        raise DocumentError([fault]) from error
    return Table(data, name or str(source), columns, required)


def _written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


def _yes_no(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]
