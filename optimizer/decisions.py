"""What a person would call the decisions of a plan: whom to rent what from, how, what to buy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from optimizer.named import COMMITMENTS, COMMITTED_DAYS
from optimizer.options.market import Listing
from optimizer.plans import Assignment, Bought, Plan, Rental
from optimizer.verify.plan_document import AssignmentPart, BoughtPart, PlanDocument, RentalPart


@dataclass(frozen=True, slots=True, order=True)
class Deal:
    """Nodes of one kind from one seller, on one sort of terms; dates and numbers may vary."""

    provider: str
    node: str
    committed: bool = False
    spot: bool = False

    @classmethod
    def of(cls, listing: Listing) -> Deal:
        committed = COMMITMENTS.has(listing)
        return cls(listing.offer.provider, str(listing.kind), committed, listing.spot)

    @classmethod
    def of_rental(cls, rental: Rental | RentalPart) -> Deal:
        days = (rental.end - rental.start).days / rental.terms if rental.terms else 0
        return cls(
            rental.provider, rental.node, days >= COMMITTED_DAYS, rental.purchase_model == "spot"
        )

    def __str__(self) -> str:
        how = " by the month or longer" if self.committed else " on spot" if self.spot else ""
        return f"{self.node} from {self.provider}{how}"


@dataclass(frozen=True, slots=True)
class Decisions:
    """All decisions of a plan."""

    deals: frozenset[Deal]
    bought: tuple[tuple[str, int], ...]
    """Node kind → nodes, in order."""
    apis: frozenset[str]
    """``provider/model``"""

    @property
    def kinds(self) -> object:
        """What two plans must differ in to be told apart: sellers, GPUs, buying, commitment."""
        gpus = {(gpu_of(deal.node), deal.spot) for deal in self.deals}
        return (
            frozenset(deal.provider for deal in self.deals),
            frozenset(gpus),
            frozenset(node for node, _ in self.bought),
            any(deal.committed for deal in self.deals),
            self.apis,
        )


def gpu_of(node: str) -> str:
    """``RTX4090`` of ``8xRTX4090``."""
    return node.partition("x")[2]


def decisions(
    rentals: Iterable[Rental] | Iterable[RentalPart],
    bought: Iterable[Bought] | Iterable[BoughtPart],
    assignments: Iterable[Assignment] | Iterable[AssignmentPart],
) -> Decisions:
    nodes: Counter[str] = Counter()
    for line in bought:
        nodes[line.node] += line.nodes
    return Decisions(
        frozenset(Deal.of_rental(rental) for rental in rentals),
        tuple(sorted(nodes.items())),
        frozenset(part.node for part in assignments if part.label == "api"),
    )


def decisions_of(plan: Plan | PlanDocument) -> Decisions:
    return decisions(plan.rentals, plan.bought, plan.assignments)


def differences(before: Decisions, after: Decisions) -> tuple[list[str], list[str]]:
    """What `after` does that `before` does not, and what it no longer does at all."""
    return list(_new(before, after)), list(_new(after, before, other_numbers=False))


def common(one: Decisions, other: Decisions) -> list[str]:
    """What both do."""
    bought = tuple(item for item in one.bought if item in other.bought)
    shared = Decisions(one.deals & other.deals, bought, one.apis & other.apis)
    return list(_new(Decisions(frozenset(), (), frozenset()), shared))


def _new(before: Decisions, after: Decisions, *, other_numbers: bool = True) -> Iterator[str]:
    known = dict(before.bought)
    for node, count in after.bought:
        if node not in known:
            yield f"buy {count} x {node}"
        elif other_numbers and count != known[node]:
            yield f"buy {count} x {node} instead of {known[node]}"
    yield from (f"rent {deal}" for deal in sorted(after.deals - before.deals))
    yield from (f"pay for tokens of {api}" for api in sorted(after.apis - before.apis))


def said_difference(best: Decisions, other: Decisions) -> str:
    """One line: what the other plan does instead."""
    more, less = differences(best, other)
    if not more and not less:
        return "the same sellers, nodes and purchases, in other numbers or on other days"
    parts = [_some(more)] if more else []
    parts += ["not: " + _some(less)] if less else []
    return "; ".join(parts)


def _some(words: Sequence[str], most: int = 4) -> str:
    """The first few, under one verb where they share it."""
    shown = list(words[:most])
    for i in range(len(shown) - 1, 0, -1):
        if shown[i].startswith("rent ") and shown[i - 1].startswith("rent "):
            shown[i] = shown[i].removeprefix("rent ")
    more = len(words) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
