"""What the first page says: what is asked, what is recommended, and until when that holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from optimizer.cautions import STALE_DAYS
from optimizer.plans import Plan
from optimizer.problem import Problem
from optimizer.review.memo.register import Assumption
from optimizer.review.memo.what_if import ZERO
from optimizer.review.sensitivity.results import Bar
from optimizer.review.workbook.question import Question


@dataclass(frozen=True, slots=True)
class Ends:
    """A day after which the recommendation must be looked at again, and why."""

    day: date
    """The last on which it holds."""
    why: str
    """price, offer, default, payment of a purchase, start of renting, or begin of the schedule"""
    subject: str
    """Offer, assumption or node it is about."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision asked for."""

    buys: bool
    """What the plan does, and so what is recommended."""
    agrees: bool
    """Whether the purchase alone says the same: NPV above 0 where the plan buys."""
    nodes: tuple[tuple[int, str], ...]
    """(number, node) that are bought, or weighed."""
    gpus: int
    capex: Decimal
    paid: date
    """First payment."""
    whole: Decimal | None
    """Present value that the best plan saves over renting all; None: not everything can be rented,
    or nothing is bought."""
    flip: Bar | None
    """The assumption that flips the answer with the smallest relative change."""
    until: Ends
    draft: bool
    unproven: Decimal | None
    """Present value by which a better plan may still be cheaper, where that is more than NPV."""

    def expired(self, as_of: date) -> bool:
        return self.until.day < as_of


def decide(
    plan: Plan, problem: Problem, question: Question, npv: Decimal, flip: Bar | None,
    assumptions: list[Assumption], draft: bool,
) -> Decision:  # fmt: skip
    lots = question.lots
    nodes: dict[str, int] = {}
    for lot in lots:
        nodes[lot.node] = nodes.get(lot.node, 0) + lot.nodes
    buys = question.planned
    return Decision(
        buys=buys,
        agrees=(npv > 0) == buys,
        nodes=tuple((number, node) for node, number in nodes.items()),
        gpus=sum(lot.nodes * lot.gpus for lot in lots),
        capex=sum((lot.nodes * lot.price for lot in lots), ZERO),
        paid=question.first_day + timedelta(min(lot.paid for lot in lots)),
        whole=_whole(plan),
        flip=flip,
        until=min(_ends(plan, problem, question, assumptions), key=lambda end: end.day),
        draft=draft,
        unproven=_unproven(plan, npv),
    )


def _whole(plan: Plan) -> Decimal | None:
    rent, mix = plan.answer("rent").npv, plan.answer("mix").npv
    return None if rent is None or mix is None or not plan.bought else rent - mix


def _unproven(plan: Plan, npv: Decimal) -> Decimal | None:
    best = plan.answer("mix")
    if best.npv is None or best.bound is None:
        return None
    left = best.npv - best.bound
    return left if left > abs(npv) else None


def _ends(
    plan: Plan, problem: Problem, question: Question, assumptions: list[Assumption]
) -> Iterator[Ends]:
    """Every day that could be the first: prices get old, offers end, payments fall due."""
    yield from price_ends(plan, problem)
    for row in assumptions:
        if row.valid_until is not None:
            yield Ends(row.valid_until, "price" if row.set_by == "quote" else "default",
                       row.subject if row.set_by == "quote" else row.name)  # fmt: skip
    lot = min(question.lots, key=lambda lot: lot.paid)
    if question.planned:
        yield Ends(question.first_day + timedelta(lot.paid), "payment", lot.node)
    for rental in plan.rentals if not question.planned else ():
        yield Ends(rental.start, "start", rental.offer)


def price_ends(plan: Plan, problem: Problem) -> Iterator[Ends]:
    """When a price that is paid is too old, or an offer ends."""
    offers = {offer.sku: offer for offer in problem.costs.book.offers}
    for rental in plan.rentals:
        yield Ends(rental.observed_at + timedelta(STALE_DAYS), "price", rental.offer)
        offer = offers.get(rental.offer)
        if offer is not None and offer.valid_until is not None:
            yield Ends(offer.valid_until, "offer", rental.offer)
