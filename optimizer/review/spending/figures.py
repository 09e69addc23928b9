"""How the figures of a spending review come about, beside those of its plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from optimizer.review.commitments import Commitment
from optimizer.review.derivation.steps import summed, worked_out
from optimizer.review.figure import Figure, How, find
from optimizer.review.spending.spending import CAPITAL, Spending


def spending_figures(spending: Spending, of_plan: tuple[Figure, ...]) -> Iterator[Figure]:
    """
    Args:
        of_plan: figures of the plan, which these are made of.
    """
    plan, money = spending.plan, spending.plan.currency
    terms = tuple(term_figures(spending.signed, of_plan, money))
    yield from terms
    costs = [figure for figure in terms if figure.name.endswith(".cost")]
    total = find(of_plan, "plan.total").called("total")
    committed = summed("committed", "owed once the terms are signed", money, *costs,
                       symbol="committed")  # fmt: skip
    capital = (
        Figure(f"bill.{line.component}.{line.cause}", f"{line.component} of {line.cause}",
               line.amount, money, source="the bill of the plan", set_by="the plan")
        for line in plan.ledger if line.component in CAPITAL
    )  # fmt: skip
    bought = summed("bought_net", "purchases less what their sale brings", money, *capital,
                    symbol="bought")  # fmt: skip
    by_use = worked_out("by_use", "paid as used", money, "total - committed - bought", total,
                        committed, bought, symbol="by_use")  # fmt: skip
    swing = Figure("swing", "share by which prices are moved", spending.swing, "",
                   source="risk.swing", set_by="default", symbol="swing")  # fmt: skip
    yield from (committed, bought, by_use)
    yield worked_out("dearer", "more, where what is paid as used gets dearer", money,
                     "by_use * swing", by_use, swing)  # fmt: skip
    until = spending.until
    note = f"{until.day}: {until.why} of {until.subject or 'the schedule'}"
    words = "first day on which a price, an offer or a start asks for another look"
    yield Figure("valid_until", "last day of the recommendation", None, "date", How.WORDS, words,
                 code="a_day", note=note)  # fmt: skip


def term_figures(
    signed: Sequence[Commitment], of_plan: tuple[Figure, ...], money: str
) -> Iterator[Figure]:
    """Of each term: what it costs, its use, and the same hours rented by the hour."""
    for number, each in enumerate(signed, start=1):
        line = find(of_plan, f"plan.rent.{each.group.sample.offer}")
        yield from _term(f"commitment.{number}", each, money, line)


def _term(key: str, each: Commitment, money: str, line: Figure) -> Iterator[Figure]:
    """
    Args:
        line: of the bill, for the offer; several nodes may share it.
    """
    sample = each.group.sample

    def given(name: str, title: str, value: Decimal, unit: str, source: str) -> Figure:
        return Figure(f"{key}.{name}", title, value, unit, source=source, symbol=name)

    title = f"terms of {sample.node}, {sample.quoted}"
    cost = given("cost", title, each.cost, money, f"{sample.offer}: {sample.source}")
    if line.value == each.cost:
        cost = summed(cost.name, title, money, line, symbol="cost")
    use = given("use", "planned use of the term", each.use, "share",
                "utilisation of the plan, less hours rented by the hour or owned")  # fmt: skip
    yield cost
    yield use
    if each.by_hour is None:
        return
    offer = each.by_hour.listing.offer
    price = Figure(
        f"{key}.price", f"{each.by_hour.name}, by the hour", each.by_hour.per_hour,
        f"{money}/node-hour", source=offer.source, observed_at=offer.observed_at, symbol="price",
    )  # fmt: skip
    hours = given("hours", "node-hours of the term", each.paid_hours, "h", "rentals of the plan")
    by_hour = worked_out(f"{key}.by_hour", "the hours used, rented by the hour", money,
                         "hours * use * price", hours, use, price, symbol="by_hour")  # fmt: skip
    yield by_hour
    yield worked_out(f"{key}.saves", "saved by the term", money, "by_hour - cost", by_hour, cost)
    yield worked_out(f"{key}.even_use", "use from which the term is cheaper", "share",
                     "cost / (hours * price)", cost, hours, price)  # fmt: skip
