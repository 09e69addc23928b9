"""A plan as FOCUS rows: rentals by month, owned nodes as commitments, a resale as a credit.

Amounts are whole cents. Those of a line of the plan's ledger add up to that line, and all lines to
the total, rounded once (largest remainder).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from optimizer.finance.amortisation import Amortisation
from optimizer.plans import Bought, LedgerLine, Plan, Rental
from optimizer.report.money_text import footed
from optimizer.review.focus_columns import Charge, Commitment, Origin, focus_text
from providers.errors import RentoptError
from providers.hardware import node_kind

HOURS_IN_DAY = 24
COMPUTE = ("Compute", "Virtual Machines")
OTHER = ("Other", "Other (Other)")
ZERO = Decimal(0)
AHEAD = ("reserved", "savings_plan", "committed_use", "capacity_block", "prepaid")
"""Purchase models that are paid for, or bound, before they are used."""
_WORDS = {"electricity": "Electricity", "hosting": "Hosting", "maintenance": "Maintenance"}


def focus_csv(plan: Plan, version: str = "1.2") -> str:
    """Cost and Usage rows of a plan, in FOCUS 1.2 or 1.4.

    Raises:
        RentoptError: the plan's ledger has a component this export does not know.
    """
    snapshot = ";".join(f"{s.name}#{s.sha256[:12]}" for s in plan.price_sources)
    known = plan.prices_known_at
    if known is not None:
        snapshot = f"{known.isoformat()};{snapshot}"
    origin = Origin(plan.name, plan.schedule, plan.currency, snapshot)
    rows = sorted(charges(plan), key=lambda c: (c.start, c.component, c.cause, c.category, c.what))
    return focus_text(rows, origin, version)


def charges(plan: Plan) -> list[Charge]:
    """All rows; the bills of a ledger line add up to it in cents."""
    paid = footed([line.amount for line in plan.ledger])
    found: list[Charge] = []
    for line, cents in zip(plan.ledger, paid, strict=True):
        found += [
            replace(charge, component=line.component, cause=line.cause)
            for charge in _of_line(plan, line, cents)
        ]
    return found + list(_free(plan))


def _of_line(plan: Plan, line: LedgerLine, cents: Decimal) -> Iterator[Charge]:
    if line.component == "rent":
        rentals = [rental for rental in plan.rentals if rental.offer == line.cause]
        parts = shared(cents, [rental.cost for rental in rentals])
        for number, (rental, part) in enumerate(zip(rentals, parts, strict=True), start=1):
            yield from _rental(rental, part, number)
    elif line.component in ("purchase", "resale"):
        lots = _lots(plan, line.cause)
        weights = [lot.bought.price for lot in lots]
        if line.component == "resale":
            weights = [lot.bought.resale for lot in lots]
        for lot, part in zip(lots, shared(cents, weights), strict=True):
            if line.component == "purchase":
                yield from _purchase(plan, lot, part)
            else:
                yield _resale(lot, part)
    elif line.component in _WORDS:
        yield from _running(plan, line, cents)
    elif line.component == "api":
        yield from _api(plan, line, cents)
    elif line.component == "data":
        yield _data(plan, line, cents)
    else:
        raise RentoptError(f"FOCUS rows for '{line.component}' are not defined")


def shared(cents: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Cents in proportion to weights, adding up to them; all in the first where there is none."""
    whole = sum(weights, ZERO)
    if not whole:
        return [cents, *(ZERO for _ in weights[1:])]
    parts = footed([abs(cents) * weight / whole for weight in weights])
    # A long product may be a digit off in its last place: the largest part takes that cent.
    largest = max(range(len(parts)), key=lambda i: weights[i])
    parts[largest] += abs(cents) - sum(parts, ZERO)
    return [part if cents >= 0 else -part for part in parts]


def months(start: date, end: date) -> list[tuple[date, date]]:
    """The span cut where calendar months end: charges belong to one billing period."""
    cuts: list[tuple[date, date]] = []
    at = start
    while at < end:
        following = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
        cuts.append((at, min(end, following)))
        at = following
    return cuts


def _days(cuts: Sequence[tuple[date, date]]) -> list[Decimal]:
    return [Decimal((end - start).days) for start, end in cuts]


# -- renting -----------------------------------------------------------------------------------


def _rental(rental: Rental, cents: Decimal, number: int) -> Iterator[Charge]:
    kind = node_kind(rental.node)
    cuts = months(rental.start, rental.end)
    per_day = Decimal(rental.nodes * rental.hours_per_day)
    spot = rental.purchase_model == "spot"
    ahead = rental.terms > 0 and rental.purchase_model in AHEAD
    name = f"{rental.offer}/{rental.start}/{number}"
    base = Charge(
        category="Usage",
        what=f"{rental.nodes} x {rental.node}, {rental.purchase_model}, {rental.hours} h",
        start=rental.start, end=rental.end, billed=ZERO, effective=ZERO,
        provider=rental.provider, service="GPU rental", family=COMPUTE, resource=name,
        resource_type="Node", quantity=ZERO, unit="Hours",
        pricing="Dynamic" if spot else "Committed" if ahead else "Standard",
        sku=rental.offer, meter="GPU node hours", region=rental.region, gpu=(kind.gpu, kind.count),
        workload=rental.workload, seen=rental.observed_at, source=rental.source,
        quoted=rental.quoted,
    )  # fmt: skip
    hours = [per_day * days for days in _days(cuts)]
    held = Commitment(name, base.what, "Reserved rental", sum(hours, ZERO)) if ahead else None
    if held is not None:
        yield from _terms(replace(base, commitment=held), rental, cents)
    for (start, end), part, each in zip(cuts, shared(cents, hours), hours, strict=True):
        yield replace(
            base, start=start, end=end, billed=ZERO if held else part, effective=part, listed=part,
            quantity=each,
            commitment=replace(held, hours=each, status="Used") if held else None,
        )  # fmt: skip


def _terms(base: Charge, rental: Rental, cents: Decimal) -> Iterator[Charge]:
    """The purchase of each term; it has no effective cost, its hours have."""
    assert base.commitment is not None
    length = (rental.end - rental.start).days
    equal = [Decimal(1)] * rental.terms
    for term, part in enumerate(shared(cents, equal)):
        start = rental.start + timedelta(length * term // rental.terms)
        yield replace(
            base, category="Purchase", what=f"term {term + 1} of {base.what}", start=start,
            end=start + timedelta(1), billed=part, quantity=Decimal(rental.nodes), unit="Terms",
            pricing="Standard", frequency="One-Time", meter="Terms",
            commitment=replace(base.commitment, hours=base.commitment.hours / rental.terms),
        )  # fmt: skip


# -- owning ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lot:
    """Nodes bought on one day, as a commitment with the hours it gives."""

    bought: Bought
    id: str

    @property
    def name(self) -> str:
        return f"Owned: {self.bought.nodes} x {self.bought.node}, paid on {self.bought.paid}"

    def days(self, start: date, end: date) -> int:
        """Node-days owned and usable in a span."""
        inside = min(end, self.bought.sold) - max(start, self.bought.usable)
        return max(0, inside.days) * self.bought.nodes


def _lots(plan: Plan, option: str) -> list[_Lot]:
    return [
        _Lot(bought, f"own-{bought.node}-{bought.paid:%Y%m%d}-{number}")
        for number, bought in enumerate(plan.bought, start=1)
        if bought.option == option
    ]


def _owned(lot: _Lot) -> Charge:
    kind = node_kind(lot.bought.node)
    return Charge(
        category="Usage", what=lot.name, start=lot.bought.usable, end=lot.bought.sold, billed=ZERO,
        effective=ZERO, provider="Internal", service="Owned hardware", family=COMPUTE,
        resource=lot.id, resource_type="Owned node", quantity=ZERO, unit="Hours",
        pricing="Committed", sku=f"own {lot.bought.node}", meter="Owned node hours",
        gpu=(kind.gpu, kind.count), source=lot.bought.source,
    )  # fmt: skip


def _purchase(plan: Plan, lot: _Lot, cents: Decimal) -> Iterator[Charge]:
    """The purchase, and its hours by month: used by the plan's work, or not."""
    bought, base = lot.bought, _owned(lot)
    cuts = months(bought.usable, bought.sold)
    owned = [Decimal(HOURS_IN_DAY * lot.days(start, end)) for start, end in cuts]
    whole = sum(owned, ZERO)
    held = Commitment(lot.id, lot.name, "Owned hardware", whole)
    yield replace(
        base, category="Purchase", what=f"Purchase of {bought.nodes} x {bought.node}",
        start=bought.paid, end=bought.paid + timedelta(1), billed=cents,
        provider="Hardware vendor", quantity=Decimal(bought.nodes), unit="Units",
        pricing="Standard", frequency="One-Time", sku=f"buy {bought.node}", meter="Hardware",
        commitment=held,
    )  # fmt: skip
    pieces: list[tuple[date, date, Decimal, str]] = []
    costs: list[Decimal] = []
    for (start, end), hours in zip(cuts, owned, strict=True):
        used = min(hours, _used(plan, lot, start, end))
        spread = Amortisation(cents * hours / whole, hours, used)
        for row, amount in zip(spread.rows()[1:], (used, hours - used), strict=True):
            if amount:
                pieces.append((start, end, amount, row.charge))
                costs.append(row.effective)
    for (start, end, hours, status), part in zip(pieces, shared(cents, costs), strict=True):
        yield replace(
            base, what=f"{lot.name}, {status.lower()} hours", start=start, end=end,
            effective=part, listed=part, quantity=hours,
            commitment=replace(held, hours=hours, status=status),
        )  # fmt: skip


def _used(plan: Plan, lot: _Lot, start: date, end: date) -> Decimal:
    """Node-hours of work in a span; lots of one kind share it by the days they are there."""
    found = ZERO
    lots = _lots(plan, lot.bought.option)
    changes = {day for other in lots for day in (other.bought.usable, other.bought.sold)}
    for use in plan.usages:
        first, last = max(start, use.start), min(end, use.end)
        if use.asset != lot.bought.option or first >= last:
            continue
        cuts = [first, *sorted(day for day in changes if first < day < last), last]
        for at, until in pairwise(cuts):
            there = sum(other.days(at, until) for other in lots)
            hours = use.nodes * use.hours_per_day * (until - at).days
            found += hours * lot.days(at, until) / there if there else ZERO
    return found


def _resale(lot: _Lot, cents: Decimal) -> Charge:
    day = lot.bought.sold - timedelta(1)
    return replace(
        _owned(lot), category="Credit", what=f"Resale of {lot.bought.nodes} x {lot.bought.node}",
        start=day, end=lot.bought.sold, billed=cents, effective=cents, pricing="",
        frequency="One-Time",
    )  # fmt: skip


def _running(plan: Plan, line: LedgerLine, cents: Decimal) -> Iterator[Charge]:
    """Electricity, hosting, maintenance: over the days owned, or all days for what was owned."""
    lots = _lots(plan, line.cause)
    end = plan.first_day + timedelta(plan.n_days)
    first, last = plan.first_day, end
    if lots:
        first = min(lot.bought.usable for lot in lots)
        last = max(lot.bought.sold for lot in lots)
    cuts = months(first, last)
    days = _days(cuts)
    if lots:
        days = [Decimal(sum(lot.days(start, until) for lot in lots)) for start, until in cuts]
    words = _WORDS[line.component]
    for (start, until), part, each in zip(cuts, shared(cents, days), days, strict=True):
        yield Charge(
            category="Usage", what=f"{words} of {line.cause}", start=start, end=until, billed=part,
            effective=part, provider="Internal", service=words, family=OTHER,
            resource=line.cause, resource_type="Owned node", quantity=each, unit="Days",
            pricing="Standard", sku=f"{line.component} {line.cause}", meter=words,
        )  # fmt: skip


# -- everything else ---------------------------------------------------------------------------


def _api(plan: Plan, line: LedgerLine, cents: Decimal) -> Iterator[Charge]:
    """Tokens through an API, by month and workload, in proportion to the load."""
    found: list[tuple[date, date, Decimal, str]] = []
    for use in plan.assignments:
        if use.node == line.cause and use.label == "api":
            for start, end in months(use.start, use.end):
                days = Decimal((end - start).days)
                found.append((start, end, use.load * _hours(use.hours) * days, use.workload))
    if not found:
        end = plan.first_day + timedelta(plan.n_days)
        found = [(plan.first_day, end, Decimal(1), "")]
    provider = line.cause.split("/")[0]
    parts = shared(cents, [load for _, _, load, _ in found])
    for (start, end, load, workload), part in zip(found, parts, strict=True):
        yield Charge(
            category="Usage", what=f"Tokens of {line.cause}", start=start, end=end, billed=part,
            effective=part, provider=provider, service="Token API",
            family=("AI and Machine Learning", "Generative AI"), resource=line.cause,
            resource_type="API", quantity=load, unit="Load-Hours", pricing="Standard",
            sku=line.cause, meter="Tokens", workload=workload,
        )  # fmt: skip


def _hours(windows: str) -> int:
    """Hours of ``00-09,21-24``."""
    spans = (window.split("-") for window in windows.split(","))
    return sum(int(end) - int(start) for start, end in spans)


def _data(plan: Plan, line: LedgerLine, cents: Decimal) -> Charge:
    """Moved once, when the job begins."""
    runs = [use.start for use in plan.assignments if use.workload == line.cause]
    day = min(runs, default=plan.first_day)
    return Charge(
        category="Usage", what=f"Data moved for {line.cause}", start=day, end=day + timedelta(1),
        billed=cents, effective=cents, provider="Data transfer", service="Data transfer",
        family=("Networking", "Other (Networking)"), resource=line.cause, resource_type="Job",
        quantity=Decimal(1), unit="Transfers", pricing="Standard", sku="data transfer",
        meter="Transfers", workload=line.cause,
    )  # fmt: skip


def _free(plan: Plan) -> Iterator[Charge]:
    """Free capacity in use: no cost, but usage all the same."""
    bought = {lot.option for lot in plan.bought}
    for use in plan.usages:
        if use.asset in bought or use.asset.startswith("owned "):
            continue
        for start, end in months(use.start, use.end):
            hours = use.nodes * use.hours_per_day * (end - start).days
            yield Charge(
                category="Usage", what=f"Free capacity: {use.asset}", start=start, end=end,
                billed=ZERO, effective=ZERO, provider=use.asset, service="Free quota",
                family=COMPUTE, resource=use.asset, resource_type="Node", quantity=hours,
                unit="Hours", pricing="Other", sku=use.asset, meter="Node hours",
                workload=use.workload, component="free", cause=use.asset,
            )  # fmt: skip
