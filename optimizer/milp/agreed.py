"""An instance in which some decisions are taken already, and the way back to the whole one.

What is agreed becomes offers and assets of its own that are paid for: an offer that can be taken at
no further cost, so many times; nodes of which only the day of sale is open. So the rest is an
instance like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from optimizer.milp.instance import INF, Asset, Choice, Instance, Limits, Lot, Solution, TermOffer
from optimizer.milp.polish import objective
from optimizer.milp.two_stage import Agreed, TwoStage


@dataclass(frozen=True, slots=True)
class Taken:
    """One branch with the shared decisions taken."""

    whole: Instance
    rest: Instance
    starts: tuple[tuple[tuple[int, int], int], ...]
    """(term offer, start) of the whole instance → units agreed"""
    kept_starts: tuple[tuple[int, ...], ...]
    """[term offer][start of the rest] → start of the whole instance"""
    kept_holds: tuple[tuple[int, ...], ...]
    """[asset of the rest][hold] → hold of the whole instance"""
    asset_of: tuple[int, ...]
    """[asset of the rest] → asset of the whole instance"""

    def back(self, x: Solution) -> Solution:
        """A solution of the rest as one of the whole, with all that is agreed in it."""
        offers = len(self.kept_starts)
        start = {(o, self.kept_starts[o][i]): n for (o, i), n in x.start.items() if o < offers}
        start |= dict(self.starts)
        hold: dict[tuple[int, int], int] = defaultdict(int)
        for (a, i), nodes in x.hold.items():
            hold[self.asset_of[a], self.kept_holds[a][i]] += nodes
        busy: dict[tuple[int, int], float] = defaultdict(float)
        for (a, s), used in x.busy.items():
            busy[self.asset_of[a], s] += used
        found = replace(x, start=start, hold=dict(hold), busy=dict(busy))
        cost = objective(self.whole, found)
        return replace(found, objective=cost, bound=min(x.bound, cost))


def take(two: TwoStage, branch: int, agreed: Agreed) -> Taken | None:
    """A branch with the shared decisions taken; None: one of them is not to be had in it."""
    data = two.branches[branch]
    units = {}
    for (o, day), n in agreed.starts:
        number = _start_on(data.term_offers[o], day)
        if number is None:
            return None
        units[o, number] = n
    kept_starts = tuple(
        tuple(i for i, s in enumerate(offer.starts) if o not in two.terms or s.day >= two.until)
        for o, offer in enumerate(data.term_offers)
    )
    kept = [
        replace(offer, starts=tuple(offer.starts[i] for i in kept_starts[o]))
        for o, offer in enumerate(data.term_offers)
    ]
    paid = [_paid(data.term_offers[o], i, n) for (o, i), n in units.items()]
    found = _assets(two, data, agreed)
    if found is None:
        return None
    assets, holds, asset_of = found
    prices = [(data.term_offers[o].starts[i], n) for (o, i), n in units.items()]
    choices, limits = _choices(data, tuple(units))
    rest = replace(
        data,
        term_offers=(*kept, *paid),
        assets=tuple(assets),
        lots=_lots(data, tuple(units)),
        choices=choices,
        limits=_paid_cash(limits, [(month, x * n) for s, n in prices for month, x in s.cash]),
        constant=data.constant + sum(s.cost * n for s, n in prices),
        least_bought=(
            *data.least_bought,
            *(((a,), int(assets[a].most)) for a in range(len(data.assets), len(assets))),
        ),
    )
    return Taken(data, rest, tuple(units.items()), kept_starts, holds, asset_of)


def _start_on(offer: TermOffer, day: int) -> int | None:
    return next((i for i, start in enumerate(offer.starts) if start.day == day), None)


def _paid(offer: TermOffer, number: int, units: int) -> TermOffer:
    """What is agreed of an offer, as an offer that costs nothing more."""
    start = replace(offer.starts[number], cost=0.0, cash=())
    return replace(
        offer, name=f"{offer.name} (agreed, {start.day})", starts=(start,), stock=float(units),
        least=1,
    )  # fmt: skip


def _assets(
    two: TwoStage, data: Instance, agreed: Agreed
) -> tuple[list[Asset], tuple[tuple[int, ...], ...], tuple[int, ...]] | None:
    """Assets with the purchases that are still open, then one for each that is agreed."""
    bought: dict[int, int] = defaultdict(int)
    for (a, _), nodes in agreed.bought:
        bought[a] += nodes
    assets, holds, asset_of = [], [], []
    for a, asset in enumerate(data.assets):
        later = tuple(i for i, h in enumerate(asset.holds) if h.day >= two.until)
        left = asset.most - bought[a]
        assets.append(replace(asset, holds=tuple(asset.holds[i] for i in later), most=left))
        holds.append(later)
        asset_of.append(a)
    for (a, day), nodes in agreed.bought:
        asset = data.assets[a]
        ours = tuple(i for i, h in enumerate(asset.holds) if h.day == day)
        if not ours:
            return None
        assets.append(
            replace(
                asset,
                name=f"{asset.name} (agreed, {day})",
                owned=(0.0,) * len(asset.owned),
                holds=tuple(asset.holds[i] for i in ours),
                most=float(nodes),
            )
        )
        holds.append(ours)
        asset_of.append(a)
    return assets, tuple(holds), tuple(asset_of)


def _lots(data: Instance, agreed: Sequence[tuple[int, int]]) -> tuple[Lot, ...]:
    """What is agreed counts against the seller's stock, like what is rented later."""
    paid: dict[int, list[int]] = defaultdict(list)
    for number, (o, _) in enumerate(agreed):
        paid[o].append(len(data.term_offers) + number)
    in_lot = {o for lot in data.lots for o, _ in lot.terms}
    lots = [
        replace(lot, terms=(*lot.terms, *((p, n) for o, n in lot.terms for p in paid[o])))
        for lot in data.lots
    ]
    for o, offers in sorted(paid.items()):
        offer = data.term_offers[o]
        if offers and o not in in_lot and offer.stock < INF:
            lots.append(Lot(offer.name, offer.stock, tuple((p, 1) for p in (o, *offers)), ()))
    return tuple(lots)


def _choices(
    data: Instance, agreed: Sequence[tuple[int, int]]
) -> tuple[tuple[Choice, ...], Limits]:
    """Sellers that are agreed with may be asked for more; so many fewer others may be asked."""
    offers = {o for o, _ in agreed}
    made = [c for c in data.choices if c.counted and offers & set(c.terms)]
    limits = replace(data.limits, sellers=data.limits.sellers - len(made))
    return tuple(c for c in data.choices if c not in made), limits


def _paid_cash(limits: Limits, paid: Sequence[tuple[int, float]]) -> Limits:
    """Budgets and cash know what is agreed."""
    if not paid:
        return limits
    months = max(len(limits.fixed_cash), 1 + max(month for month, _ in paid))
    fixed = [*limits.fixed_cash, *[0.0] * (months - len(limits.fixed_cash))]
    for month, amount in paid:
        fixed[month] += amount
    return replace(limits, fixed_cash=tuple(fixed))
