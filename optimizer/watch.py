"""What changed between two plans of a schedule: cost, decision, break-even points crossed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from optimizer.breakeven.rows import said
from optimizer.plans import Plan

NOTABLE = Decimal("0.001")
"""Smaller relative changes of cost are not worth a line."""


@dataclass(frozen=True, slots=True)
class Point:
    """A break-even rental price of one purchase, beside what renting and buying cost now."""

    subject: str
    rent: Decimal
    break_even: Decimal
    purchase: Decimal | None
    unit: str

    @property
    def pays(self) -> bool:
        return self.rent >= self.break_even


@dataclass(frozen=True, slots=True)
class Summary:
    """The part of a plan that the next one is compared with."""

    schedule: str
    schedule_sha256: str
    as_of: str
    currency: str
    npv: Decimal
    rent_npv: Decimal | None
    own_npv: Decimal | None
    bought: tuple[tuple[str, int], ...]
    """Node kind → nodes."""
    rented: tuple[tuple[str, str], ...]
    """(provider, node kind), each once."""
    points: tuple[Point, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Summary:
        """
        Raises:
            ValueError, KeyError, TypeError: it is no summary.
        """
        body = json.loads(text)
        for name in ("npv", "rent_npv", "own_npv"):
            body[name] = None if body[name] is None else Decimal(body[name])
        body["bought"] = tuple((node, count) for node, count in body["bought"])
        body["rented"] = tuple((seller, node) for seller, node in body["rented"])
        body["points"] = tuple(_point(point) for point in body["points"])
        return cls(**body)


def _point(body: dict[str, Any]) -> Point:
    numbers = {
        name: None if body[name] is None else Decimal(body[name])
        for name in ("rent", "break_even", "purchase")
    }
    return Point(**(body | numbers))


def summarise(plan: Plan) -> Summary:
    """A plan in short."""
    bought: Counter[str] = Counter()
    for item in plan.bought:
        bought[item.node] += item.nodes
    return Summary(
        schedule=plan.name,
        schedule_sha256=plan.schedule_sha256,
        as_of=plan.as_of.isoformat(),
        currency=plan.currency,
        npv=plan.npv,
        rent_npv=plan.answer("rent").npv,
        own_npv=plan.answer("own").npv,
        bought=tuple(sorted(bought.items())),
        rented=tuple(sorted({(rental.provider, rental.node) for rental in plan.rentals})),
        points=tuple(_points(plan)),
    )


def _points(plan: Plan) -> Iterator[Point]:
    """One for each purchase: against the rental it is compared with first, at interest."""
    rows = [r for r in plan.breakeven if r["kind"] == "pair" and r["basis"] == "economic"]
    prices = {r["subject"]: r["now"] for r in rows if r["quantity"] == "purchase price"}
    seen = set()
    for row in rows:
        if row["quantity"] != "rental price" or row["subject"] in seen or not row["now"]:
            continue
        seen.add(row["subject"])
        raw, purchase = row["raw"], prices.get(row["subject"])
        if raw is not None:
            yield Point(
                row["subject"],
                Decimal(row["now"]),
                Decimal(raw),
                Decimal(purchase) if purchase else None,
                row["unit"],
            )


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that changed, as a sentence."""

    kind: str
    """cost, mix (who is rented from), decision (what is bought), break_even or schedule."""
    text: str


def compare(old: Summary, new: Summary) -> list[Event]:
    """What a person should hear; empty when nothing worth a line changed."""
    events = []
    if old.schedule_sha256 != new.schedule_sha256:
        text = "the schedule itself has changed since: not only prices are behind what follows"
        events.append(Event("schedule", text))
    if old.currency != new.currency:
        return [*events, Event("schedule", f"now in {new.currency}, before in {old.currency}")]
    if old.npv and abs(new.npv / old.npv - 1) >= NOTABLE:
        events.append(
            Event(
                "cost",
                f"the best plan costs {said(new.npv)} {new.currency}, "
                f"{_percent(new.npv / old.npv)} (was {said(old.npv)})",
            )
        )
    if old.bought != new.bought:
        text = f"the best plan is now to {bought(new)}{_saving(new)}; on {old.as_of}: {bought(old)}"
        events.append(Event("decision", text))
    if old.rented != new.rented:
        came = [_name(pair) for pair in new.rented if pair not in old.rented]
        went = [_name(pair) for pair in old.rented if pair not in new.rented]
        parts = [("now rents ", came), ("no longer rents ", went)]
        words = "; ".join(f"{start}{', '.join(names)}" for start, names in parts if names)
        events.append(Event("mix", f"the best plan {words}"))
    before = {point.subject: point for point in old.points}
    for point in new.points:
        earlier = before.get(point.subject)
        if earlier is not None and earlier.pays != point.pays:
            events.append(Event("break_even", _crossed(earlier, point, new.as_of)))
    return events


def flipped(events: list[Event]) -> bool:
    """Whether what one should buy has changed."""
    return any(event.kind in ("decision", "break_even") for event in events)


def _crossed(old: Point, new: Point, day: str) -> str:
    than = "cheaper than renting" if new.pays else "dearer than renting"
    causes = []
    if new.rent != old.rent:
        verb = "rose" if new.rent > old.rent else "fell"
        causes.append(f"rent {verb} {_share(new.rent / old.rent)}")
    if old.purchase and new.purchase and new.purchase != old.purchase:
        verb = "rose" if new.purchase > old.purchase else "fell"
        causes.append(f"its price {verb} {_share(new.purchase / old.purchase)}")
    cause = " and ".join(causes) or "the break-even point moved"
    return (
        f"{new.subject} became {than} on {day}: {cause} "
        f"(rent {said(new.rent)} {new.unit}, it pays above {said(new.break_even)})"
    )


def bought(summary: Summary) -> str:
    """What a plan buys: ``buy 2 2xRTX4090``."""
    items = " and ".join(f"{count} {node}" for node, count in summary.bought)
    return f"buy {items or 'nothing'}"


def _saving(summary: Summary) -> str:
    """By how much the mix beats renting everything: a flip within the gap is none to act on."""
    if summary.rent_npv is None or not summary.bought:
        return ""
    return f" (saves {said((1 - summary.npv / summary.rent_npv) * 100)} % against renting all)"


def _name(pair: tuple[str, str]) -> str:
    return f"{pair[1]} from {pair[0]}"


def _percent(ratio: Decimal) -> str:
    return f"{float(ratio) - 1:+.1%}".replace("%", " %")


def _share(ratio: Decimal) -> str:
    return f"{abs(float(ratio) - 1):.0%}".replace("%", " %")
