"""Spot prices, savings plans and capacity blocks: rows that name a machine described elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.adapter import Snapshot
from providers.adapters.aws.machines import Region
from providers.adapters.aws.products import tidy
from providers.live import Fields, RowError
from providers.offers import Offer, Rejected
from providers.terms import Increment, PurchaseModel, Tenor

_YEAR_H = 8760
_YEARS = {31_536_000: 1, 94_608_000: 3}
"""Seconds of a savings plan → years; AWS counts 365 days."""
_PAID_AT_START = {
    "No Upfront": Decimal(0),
    "Partial Upfront": Decimal("0.5"),
    "All Upfront": Decimal(1),
}
"""Share of the commitment of a savings plan that is paid when it starts (Savings Plans user
guide: "at least half" is paid with Partial Upfront; half is what is quoted)."""
_PLANS = {"Compute": "compute", "EC2Instance": "ec2"}
_WHOLE = {1: Increment.DAY, 7: Increment.WEEK}


def newest(rows: object) -> dict[tuple[str, str], str]:
    """(zone, machine) → time of its last change of the spot price, as written."""
    found: dict[tuple[str, str], tuple[datetime, str]] = {}
    for row in rows if isinstance(rows, list) else []:
        try:
            place = _place(Fields(row))
            at = moment(Fields(row), "Timestamp")
        except RowError:
            continue
        if place not in found or at > found[place][0]:
            found[place] = (at, str(row["Timestamp"]))
    return {place: text for place, (_, text) in found.items()}


def _place(row: Fields) -> tuple[str, str]:
    # The name of a zone is another zone in another account; its id is not.
    zone = row.get("AvailabilityZoneId") or row.get("AvailabilityZone")
    if not isinstance(zone, str):
        raise RowError("no AvailabilityZoneId")
    return zone, row.text("InstanceType")


def moment(row: Fields, name: str) -> datetime:
    """A time in ISO 8601 with its offset."""
    try:
        at = datetime.fromisoformat(row.text(name))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise RowError(f"{name} is {row.get(name)!r:.40}, not a time")
    return at.astimezone(UTC)


def spot(
    row: Fields,
    region: Region,
    snapshot: Snapshot,
    last: Mapping[tuple[str, str], str],
    advisor: object,
) -> Iterator[Offer | Rejected]:
    """The spot price in force in one zone.

    Raises:
        RowError: an older price, another system, or a machine that is not read.
    """
    zone, instance_type = _place(row)
    if row.get("ProductDescription") != "Linux/UNIX":
        raise RowError(f"for {row.get('ProductDescription')!r:.40}, not Linux/UNIX")
    at = moment(row, "Timestamp")
    if last.get((zone, instance_type)) != row.get("Timestamp"):
        raise RowError(f"an older price, of {at:%Y-%m-%d %H:%M}")
    machine = region.machine(instance_type, snapshot, increment=Increment.SECOND, zone=zone)
    note = f"zone {zone}, since {at:%Y-%m-%d}"
    taken_back = interruptions(advisor, region.name, instance_type)
    if taken_back:
        note += f"; interrupted within a month: {taken_back}"
    yield machine.offer(PurchaseModel.SPOT, tidy(row.number("SpotPrice")), note=note)


def interruptions(advisor: object, region: str, instance_type: str) -> str:
    """The spot advisor's class, such as `15-20%`; empty where it has none."""
    if not isinstance(advisor, Mapping):
        return ""
    found: Any = advisor.get("spot_advisor")
    for step in (region, "Linux", instance_type, "r"):
        found = found.get(step) if isinstance(found, Mapping) else None
    ranges = advisor.get("ranges")
    for entry in ranges if isinstance(ranges, list) else []:
        if isinstance(entry, Mapping) and found is not None and entry.get("index") == found:
            label = entry.get("label")
            return label if isinstance(label, str) else ""
    return ""


def plan(row: Fields, region: Region, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
    """One machine's rate under one savings plan.

    A plan is a spend per hour for its whole term, used or not, so it is an offer with a tenor:
    the share paid at the start is `upfront`, the rest the price of each hour.

    Raises:
        RowError: another product, plan or length.
    """
    says: dict[str, object] = {}
    for entry in row.rows("properties"):
        pair = Fields(entry, "properties")
        says[pair.text("name")] = pair.get("value")
    properties = Fields(says, "properties")
    for name, wanted in (("productDescription", "Linux/UNIX"), ("tenancy", "shared")):
        if properties.get(name) != wanted:
            raise RowError(f"{name} is {properties.get(name)!r:.40}, not '{wanted}'")
    if properties.get("region") != region.name:
        raise RowError(f"region is {properties.get('region')!r:.40}, not '{region.name}'")
    if row.get("unit") != "Hrs":
        raise RowError(f"a rate per {row.get('unit')!r:.40}")
    offering = row.inner("savingsPlanOffering")
    kind, payment = offering.text("planType"), offering.text("paymentOption")
    if kind not in _PLANS or payment not in _PAID_AT_START:
        raise RowError(f"a plan '{kind[:40]}' with '{payment[:40]}'")
    seconds = offering.count("durationSeconds")
    if seconds not in _YEARS:
        raise RowError(f"a plan of {seconds} s")
    years, share = _YEARS[seconds], _PAID_AT_START[payment]
    rate = tidy(row.number("rate"))
    machine = region.machine(
        properties.text("instanceType"),
        snapshot,
        payment=f"{_PLANS[kind]}-{payment.lower().replace(' ', '-')}",
        currency=offering.text("currency"),
    )
    yield machine.offer(
        PurchaseModel.SAVINGS_PLAN,
        tidy(rate * (1 - share)),
        tenor=Tenor(months=12 * years),
        upfront=tidy(rate * share * _YEAR_H * years),
        note=f"{kind} savings plan, {payment}: {rate} per hour, used or not",
    )


def block_order(row: object) -> tuple[int, str, str]:
    """Soonest first; rows that cannot be read last."""
    if not isinstance(row, Mapping):
        return 1, "", ""
    return 0, str(row.get("StartDate")), str(row.get("CapacityBlockOfferingId"))


def block(row: Fields, region: Region, snapshot: Snapshot) -> Iterator[Offer | Rejected]:
    """One capacity block: machines for some days from a fixed start, paid whole, not given back.

    Its sku names machine, region and length, not the offering: the soonest stands for all.

    Raises:
        RowError: not whole days, or not a machine that is read.
    """
    hours, machines = row.count("CapacityBlockDurationHours"), row.count("InstanceCount")
    if hours < 24 or hours % 24:
        raise RowError(f"a block of {hours} h is not whole days")
    if machines < 1:
        raise RowError("a block of no machines")
    if row.get("Tenancy") not in (None, "default"):
        raise RowError(f"tenancy is {row.get('Tenancy')!r:.40}, not 'default'")
    start, fee = moment(row, "StartDate"), tidy(row.number("UpfrontFee"))
    each = fee / machines
    if each != round(each, 4):
        raise RowError(f"{fee} cannot be shared among {machines} machines")
    machine = region.machine(
        row.text("InstanceType"),
        snapshot,
        currency=row.text("CurrencyCode"),
        units=machines,
        max_units=machines,
    )
    if start < snapshot.observed_at:
        raise RowError(f"it started on {start:%Y-%m-%d %H:%M}")
    days = hours // 24
    whole = _WHOLE.get(days)
    yield machine.offer(
        PurchaseModel.CAPACITY_BLOCK,
        each if whole else Decimal(0),
        tenor=Tenor(days=days),
        increment=whole or Increment.HOUR,
        upfront=Decimal(0) if whole else each,
        valid_until=start.date(),
        note=f"starts {start:%Y-%m-%d %H:%M} UTC in {row.get('AvailabilityZone') or 'any zone'}; "
        "paid when booked, cannot be cancelled",
    )
