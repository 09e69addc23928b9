"""Why is it not in the plan? It never entered, for a reason; or it did, and lost by so much.

The best plan that uses it at all (one term, one node-hour, one slice of load, one purchase) is
found, so no plan with it costs less than that bound. And the factor on its prices at which the best
plan begins to use it is bracketed between two that are proven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from optimizer.breakeven.bracket import FARTHEST, Bracket, Cost, search
from optimizer.breakeven.rows import said
from optimizer.breakeven.scale import with_rent
from optimizer.breakeven.sides import Side, Solver
from optimizer.breakeven.whole import judge
from optimizer.explain.ask import Ask, Asker, asked_numbers
from optimizer.explain.reasons import market_reasons
from optimizer.formulate import formulate
from optimizer.milp.choices import is_made
from optimizer.milp.instance import INF, Choice, Instance
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.named import Named, find
from optimizer.plans import WhyNot
from optimizer.problem import Problem
from optimizer.solved import Solved
from providers.money import Money

EDGE = 1e-9
FINE_BELOW = Decimal("0.1")


@dataclass(slots=True)
class Steady(Side):
    """The best plan without it: the same at every factor of its prices."""

    def cost(self, factor: float) -> Cost:
        return Cost(min(self.lows[1.0], self.highs[1.0]), self.highs[1.0])

    def slope(self, factor: float) -> float | None:
        return 0.0

    def improve(self, factor: float, options: SolveOptions) -> None:
        Side.improve(self, 1.0, options)


def why_not(name: str, best: Solved, asker: Asker) -> WhyNot:
    """
    Args:
        best: the plan in full, whose solution carries the bound of all plans.

    Raises:
        UnknownNameError: nothing is called so.
    """
    named = find(name, asker.book)
    problem = asker.problem(Ask(f"using {name}", used=named))
    reasons = tuple(market_reasons(named, asker.book, problem, best.problem, asker.wishes))
    if _uses(named, best):
        return _in_the_plan(named, best, asker, reasons)
    ask = Ask(f"using {name}", used=named)
    numbers = asked_numbers(problem, ask).instance
    choice = numbers.choices[-1]
    if not (choice.terms or choice.hourly or choice.apis or choice.assets):
        words = reasons[0] if reasons else "nothing of it is to be had"
        return _nothing(named, f"it never entered: {words}", reasons)
    found = asker.solve(ask, 2)
    beside = _beside(numbers, choice)
    if isinstance(found, Solved):
        extra, least, most = _differs(found, best)
    elif beside is not None and not found.infeasible:
        gap = Decimal(repr(max(0.0, best.solution.objective - best.solution.bound)))
        extra, least, most = beside, Decimal(0), beside + gap
    else:
        words = "no plan uses it" if found.infeasible else "no plan that uses it was found in time"
        return _nothing(named, words, reasons)
    if beside is not None and beside < extra:  # a search stops within its gap
        extra, most = beside, most - (extra - beside)
    bracket = _price(named, problem, best, asker)
    below = None if bracket.buy is None else Decimal(repr(bracket.buy.factor))
    above = None if bracket.rent is None else Decimal(repr(bracket.rent.factor))
    words = _regret(extra, least, most, problem.costs.currency)
    words += _enters(bracket, below, above, named, problem)
    return WhyNot(
        name, named.sort, False, words, reasons, extra, least, most, below, above
    )  # fmt: skip


def _beside(data: Instance, choice: Choice) -> Decimal | None:
    """What the least use costs beside the plan as it is, which makes another plan; None where a
    limit of money, sellers or stock may be in its way."""
    limits = data.limits
    if limits.budget or limits.cash < INF or limits.sellers < INF or data.lots:
        return None
    costs = [
        offer.least * begin.cost
        for o, offer in enumerate(data.term_offers)
        if o in choice.terms and offer.stock >= offer.least
        for begin in offer.starts
    ]
    for h, hourly in enumerate(data.hourly_offers):
        if h in choice.hourly and hourly.stock >= 1:
            costs += [
                cost * point.hours for cost, point in zip(hourly.cost, data.slices, strict=True)
            ]
    least = min(costs, default=INF)
    return None if least == INF else Decimal(repr(max(0.0, least)))


def _nothing(named: Named, answer: str, reasons: tuple[str, ...], used: bool = False) -> WhyNot:
    return WhyNot(named.name, named.sort, used, answer, reasons, None, None, None, None, None)


def _uses(named: Named, best: Solved) -> bool:
    made = best.made
    choice = asked_numbers(best.problem, Ask("", used=named)).instance.choices[-1]
    return is_made(made.instance, choice, best.solution)


def _in_the_plan(named: Named, best: Solved, asker: Asker, reasons: tuple[str, ...]) -> WhyNot:
    found = asker.solve(Ask(f"without {named.name}", barred=(named,)))
    if isinstance(found, NoSolution):
        words = "the plan uses it, and there is no plan without it"
        if not found.infeasible:
            words = "the plan uses it; no plan without it was found in time"
        return _nothing(named, words, reasons, used=True)
    extra, least, most = _differs(found, best)
    currency = best.problem.costs.currency
    words = (
        f"the plan uses it; without it the best plan found costs {said(extra)} {currency} more "
        f"(proven: {said(least)} to {said(most)})"
    )
    return WhyNot(
        named.name, named.sort, True, words, reasons, extra, least, most, None, None
    )  # fmt: skip


def _differs(found: Solved, best: Solved) -> tuple[Decimal, Decimal, Decimal]:
    """Present value more than the best plan's: as found, proven least, proven most."""
    _, npv = found.value(found.parts)
    _, lowest = best.value(best.parts)
    least = Decimal(repr(found.solution.bound)) - lowest
    return npv - lowest, max(Decimal(0), least), npv - Decimal(repr(best.solution.bound))


def _regret(extra: Decimal, least: Decimal, most: Decimal, currency: str) -> str:
    return (
        f"any plan that uses it costs more, the best found {said(extra)} {currency} "
        f"(proven: {said(least)} to {said(most)})"
        if least > 0
        else f"a plan that uses it costs as much, or up to {said(most)} {currency} more (proven)"
    )


def _enters(
    bracket: Bracket,
    below: Decimal | None,
    above: Decimal | None,
    named: Named,
    problem: Problem,
) -> str:
    """The price at which it enters, of a single offer in money too."""
    if below is None and above is None:
        return "; at which price it would enter was not settled"
    out = "" if above is None else _share(above, ROUND_CEILING)
    if below is None:
        words = f"; it would not enter at {out} of its price (proven)"
        at_the_end = above is not None and float(above) * FARTHEST <= 1 + EDGE
        return words if at_the_end else f"{words}, and whether below that was not settled"
    words = f"; it would enter the plan at {_share(below, ROUND_FLOOR)} of its price of today"
    offers = {x.offer.sku: x.offer for x in problem.market.listings if named.has(x)}
    if len(offers) == 1:
        price = next(iter(offers.values())).price
        words += f", {said(price.amount * below)} {price.currency} instead of {said(price.amount)}"
    return words + (f", and not yet at {out} (both proven)" if out else " (proven)")


def _share(factor: Decimal, rounding: str) -> str:
    """Rounded to the side on which it is proven all the same."""
    step = Decimal("0.1") if factor >= FINE_BELOW else Decimal("0.01")
    return f"{(100 * factor).quantize(step, rounding)} %"


def _price(named: Named, problem: Problem, best: Solved, asker: Asker) -> Bracket:
    """Where the best plan begins to use it, when its prices fall."""
    limits = best.made.instance.limits
    free = not limits.budget and limits.cash == INF
    solver, solution = Solver(), best.solution
    without = asker.problem(Ask(f"without {named.name}", barred=(named,)))
    rest = Steady(
        lambda factor: formulate(without).instance,
        solver,
        prices=False,
        lows={1.0: solution.bound},
        highs={1.0: solution.objective},
        gaps={1.0: asker.options.gap},
    )
    using = Side(_scaled(named, problem), solver, prices=free)
    at = judge(rest, using, asker.within(), asker.deadline)
    return search(at, up=False, deadline=asker.deadline)


def _scaled(named: Named, problem: Problem) -> Callable[[float], Instance]:
    """The numbers with its use asked for, and its prices times a factor."""
    ask = Ask(f"using {named.name}", used=named)

    def at(factor: float) -> Instance:
        data = asked_numbers(_with_purchase_price(problem, named, factor), ask).instance
        return with_prices(data, data.choices[-1], factor)

    return at


def _with_purchase_price(problem: Problem, named: Named, factor: float) -> Problem:
    times = Decimal(repr(factor))
    purchases = tuple(
        replace(
            option,
            item=option.item.model_copy(
                update={
                    "price": Money(option.item.price.amount * times, option.item.price.currency)
                }
            ),
        )
        if named.is_kind(option.kind)
        else option
        for option in problem.purchases
    )
    return replace(problem, purchases=purchases)


def with_prices(data: Instance, choice: Choice, factor: float) -> Instance:
    """What a choice holds, nodes and tokens, at its prices times a factor."""
    dearer = with_rent(data, factor)
    jobs = tuple(
        replace(
            job,
            gangs=tuple(
                new if old.hourly in choice.hourly else old
                for old, new in zip(job.gangs, scaled.gangs, strict=True)
            ),
        )
        for job, scaled in zip(data.jobs, dearer.jobs, strict=True)
    )
    services = tuple(
        replace(
            service,
            apis=tuple(
                replace(
                    api,
                    cost=tuple(cost * factor for cost in api.cost),
                    cash=tuple(paid * factor for paid in api.cash),
                )
                if (v, a) in choice.apis
                else api
                for a, api in enumerate(service.apis)
            ),
        )
        for v, service in enumerate(data.services)
    )
    return replace(
        data,
        term_offers=tuple(
            dearer.term_offers[o] if o in choice.terms else offer
            for o, offer in enumerate(data.term_offers)
        ),
        hourly_offers=tuple(
            dearer.hourly_offers[h] if h in choice.hourly else offer
            for h, offer in enumerate(data.hourly_offers)
        ),
        jobs=jobs,
        services=services,
    )
