"""Plans that come near the best one and differ from it in what a person would call a decision.

Each decision of the best plan is taken away in turn (a seller, a GPU, a purchase, commitments,
spot, tokens), each that it did not take is made (a purchase, a commitment), and the best plan of
that kind is found. Where too few differ, the cheapest of them are asked in the same way. Every one
has its own proof: no plan of its kind costs less than its bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from optimizer.decisions import Decisions, decisions, gpu_of, said_difference
from optimizer.explain.ask import Ask, Asker
from optimizer.milp.solve import NoSolution
from optimizer.named import COMMITMENTS, TOKENS, Named
from optimizer.plans import Alternative, AlternativesSearch
from optimizer.problem import Problem
from optimizer.solved import Solved

SPOT = Named("spot", "purchase model")
DEEPER = 2
"""Decisions that are turned at once, at most."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search came to."""

    alternatives: tuple[Alternative, ...]
    indispensable: tuple[str, ...]
    """What no plan can do without, such as ``without acme``."""
    search: AlternativesSearch

    @property
    def cut_short(self) -> bool:
        """The time ended before everything that was begun was settled."""
        return bool(self.search.unsettled or self.search.not_asked)


@dataclass(frozen=True, slots=True)
class _Near:
    ask: Ask
    solved: Solved
    made: Decisions
    npv: Decimal
    total: Decimal


def alternatives(best: Solved, asker: Asker, most: int) -> Found:
    """The cheapest plans that decide otherwise, at most so many, the cheapest first."""
    first = _near(Ask("best"), best)
    seen: dict[object, _Near] = {first.made.kinds: first}
    impossible: list[str] = []
    queue = [first]
    problem = asker.problem(first.ask)
    asked: set[frozenset[str]] = set()
    settled: list[str] = []
    unsettled: list[str] = []
    not_asked: list[str] = []
    for _ in range(DEEPER):
        following: list[_Near] = []
        for origin in queue:
            asks = [a for a in _turned(origin, problem) if _parts(a) not in asked]
            for number, ask in enumerate(asks):
                asked.add(_parts(ask))
                if asker.left_s <= 0:
                    not_asked.append(ask.words)
                    continue
                found = asker.solve(ask, len(asks) - number)
                if isinstance(found, NoSolution):
                    (settled if found.infeasible else unsettled).append(ask.words)
                    if found.infeasible and origin is first:
                        impossible.append(ask.words)
                    continue
                settled.append(ask.words)
                near = _near(ask, found)
                known = seen.get(near.made.kinds)
                if known is None:
                    following.append(near)
                if known is None or (known is not first and near.npv < known.npv):
                    seen[near.made.kinds] = near
        queue = sorted(following, key=lambda near: near.npv)[:most]
        if len(seen) > most or unsettled or not_asked:
            break
    others = sorted((n for n in seen.values() if n is not first), key=lambda n: n.npv)
    rows = tuple(_row(first, near) for near in others[:most])
    search = AlternativesSearch(tuple(settled), tuple(unsettled), tuple(not_asked))
    return Found(rows, tuple(impossible), search)


def _parts(ask: Ask) -> frozenset[str]:
    return frozenset(ask.words.split(", "))


def _near(ask: Ask, solved: Solved) -> _Near:
    parts = solved.parts
    total, npv = solved.value(parts)
    return _Near(ask, solved, decisions(parts.rentals, parts.bought, parts.assignments), npv, total)


def _turned(origin: _Near, problem: Problem) -> Iterator[Ask]:
    """The questions that each turn one decision of a plan."""
    base, made = origin.ask, origin.made
    lead = "" if base.words == "best" else f"{base.words}, "

    def without(words: str, *named: Named) -> Ask:
        return replace(base, words=f"{lead}without {words}", barred=(*base.barred, *named))

    sellers = {deal.provider for deal in made.deals} | {a.partition("/")[0] for a in made.apis}
    for provider in sorted(sellers):
        yield without(provider, Named(provider, "provider"))
    gpus = {gpu_of(deal.node) for deal in made.deals} | {gpu_of(node) for node, _ in made.bought}
    for gpu in sorted(gpus):
        yield without(gpu, Named(gpu, "hardware", frozenset({gpu})))
    bought = [node for node, _ in made.bought]
    for node in bought:
        words = f"{lead}without buying {node}"
        yield replace(base, words=words, unbought=base.unbought | {node})
    if any(deal.committed for deal in made.deals):
        yield without("commitments", COMMITMENTS)
    if any(deal.spot for deal in made.deals):
        yield without("spot", SPOT)
    if made.apis:
        yield without("tokens", TOKENS)
    if lead:
        return  # one decision is made that the best plan did not make, not several
    for option in problem.purchases:
        if str(option.kind) not in bought:
            yield replace(base, words=f"buying {option.kind}", bought=str(option.kind))
    committed = any(deal.committed for deal in made.deals)
    if not committed and any(COMMITMENTS.has(listing) for listing in problem.market.listings):
        yield replace(base, words="with a commitment", used=COMMITMENTS)
    if not made.apis and any(demand.apis for demand in problem.services):
        yield replace(base, words="with tokens", used=TOKENS)


def _row(best: _Near, near: _Near) -> Alternative:
    low = Decimal(repr(near.solved.solution.bound)) - best.npv
    return Alternative(
        asked=near.ask.words,
        differs=said_difference(best.made, near.made),
        total=near.total,
        npv=near.npv,
        extra=near.npv - best.npv,
        extra_least=max(Decimal(0), low),
        extra_most=near.npv - Decimal(repr(best.solved.solution.bound)),
        gap=near.solved.solution.gap,
        providers=tuple(sorted({deal.provider for deal in near.made.deals})),
        bought=tuple(f"{count} x {node}" for node, count in near.made.bought),
    )
