"""A plan that somebody asks for: without some things, with the use of some; solved in full."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from optimizer.formulate import Formulation, formulate
from optimizer.milp.instance import Choice
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.milp.timed import Deadline
from optimizer.named import Named
from optimizer.options.market import WHOLE_MARKET, Listing
from optimizer.problem import Problem, PurchaseOption
from optimizer.schedule.schedule import Schedule
from optimizer.solved import Solved, solve_made
from optimizer.wishes import NO_WISHES, Wishes, wished
from providers.offers import OfferBook

LEAST_SOLVE_S = 5.0
"""A shorter share of the time answers nothing of a large schedule: rather fewer questions."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a plan is asked to do without, and what to use at least a little."""

    words: str
    """As in "the best plan …"."""
    barred: tuple[Named, ...] = ()
    unbought: frozenset[str] = frozenset()
    """Node kinds that are not bought."""
    used: Named | None = None
    """At least one term, node-hour, slice of load through an API, or purchase of it."""
    bought: str = ""
    """Node kind of which at least one is bought."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Solves what is asked, within one time for all questions."""

    schedule: Schedule
    book: OfferBook
    options: SolveOptions
    deadline: float
    """On the monotonic clock."""
    wishes: Wishes = NO_WISHES

    @property
    def left_s(self) -> float:
        return self.deadline - time.monotonic()

    def within(self, share: int = 1) -> SolveOptions:
        """Options for one of `share` solves that are still to come, all within the deadline."""
        limit = min(self.options.time_limit_s, max(LEAST_SOLVE_S, self.left_s / max(1, share)))
        watch = Deadline(self.deadline, self.options.watch)
        return replace(self.options, time_limit_s=limit, watch=watch)

    def problem(self, ask: Ask, spared: Callable[[Listing], bool] = WHOLE_MARKET.spared) -> Problem:
        """With what is asked for kept in the market, though other offers outdo it."""
        used = ask.used

        def kept(listing: Listing) -> bool:
            return spared(listing) or (used is not None and used.has(listing))

        problem = wished(self.schedule, self.book, self.wishes, barred=ask.barred, spared=kept)
        purchases = tuple(p for p in problem.purchases if str(p.kind) not in ask.unbought)
        return replace(problem, purchases=purchases)

    def solve(self, ask: Ask, share: int = 1) -> Solved | NoSolution:
        """The best plan that does as asked."""
        problem = self.problem(ask)
        return solve_made(problem, asked_numbers(problem, ask), self.within(share))


def asked_numbers(problem: Problem, ask: Ask) -> Formulation:
    """The numbers of a problem, with the use that is asked for."""
    made = formulate(problem)
    data = made.instance
    if ask.used is not None:
        data = replace(data, choices=(*data.choices, use_of(ask.used, problem, made)))
    if ask.bought:
        assets = (a for a, asset in enumerate(made.assets) if _may_be_bought(asset, ask.bought))
        data = replace(data, least_bought=(*data.least_bought, (tuple(assets), 1)))
    return replace(made, instance=data)


def _may_be_bought(asset: object, node: str) -> bool:
    return isinstance(asset, PurchaseOption) and str(asset.kind) == node


def use_of(named: Named, problem: Problem, made: Formulation, least: float = 1.0) -> Choice:
    """All that a name means, of which at least so much is used."""
    return Choice(
        named.name,
        terms=tuple(o for o, listing in enumerate(made.terms) if named.has(listing)),
        hourly=tuple(h for h, listing in enumerate(made.hourly) if named.has(listing)),
        apis=tuple(
            (v, a)
            for v, demand in enumerate(problem.services)
            for a, (offer, _) in enumerate(demand.token_uses)
            if named.sells(offer)
        ),
        assets=tuple(
            a
            for a, asset in enumerate(made.assets)
            if isinstance(asset, PurchaseOption) and named.is_kind(asset.kind)
        ),
        least=least,
    )
