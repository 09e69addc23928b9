"""The rules for the undecided on the demand of one who rents on demand: terms, purchases, spot."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from optimizer.online import reservation, ski_rental, spot
from optimizer.options.market import Listing, market_filters, on_nodes
from optimizer.problem import JobDemand, Problem, PurchaseOption
from optimizer.simulate.history import History
from optimizer.simulate.run import Followed, Row, worth
from providers.terms import Tenor

DRAWS = 20
"""Thresholds drawn for the mean of a randomised rule."""
HOURS = 24

Flows = list[tuple[date, Decimal]]


@dataclass(slots=True)
class Demand:
    """Nodes of one kind that were rented on demand."""

    hours: list[list[float]]
    """[day][k] hours of the day in which more than k nodes were rented."""
    price: list[float]
    """[day] mean price of a node-hour; 0 where none was rented."""

    def costs(self) -> list[list[float]]:
        """[day][k] what the (k+1)-th node cost."""
        return [
            [hours * price for hours in day]
            for day, price in zip(self.hours, self.price, strict=True)
        ]


@dataclass(slots=True)
class _Day:
    """One day's rentals of one kind, slice by slice."""

    levels: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """slice → hours of each node, one node after the other"""
    cost: float = 0.0
    hours: float = 0.0


def demand_of(rented: Followed) -> dict[str, Demand]:
    """Node kind → how many were rented in each hour, and at which price."""
    horizon = rented.problem.horizon
    days: dict[str, dict[int, _Day]] = defaultdict(lambda: defaultdict(_Day))
    for week in rented.weeks:
        offers = {offer.sku: offer for offer in week.problem.costs.book.offers}
        for line in week.plan.rentals:
            first, last = max(line.start, week.today), min(line.end, week.until)
            for t in range(horizon.index(first), horizon.index(last)):
                day = days[line.node][t]
                day.levels[line.hours] += [float(line.hours_per_day)] * line.nodes
                flows = week.problem.costs.hourly(
                    offers[line.offer], line.units_per_node, t, line.hours_per_day
                )
                day.cost += float(flows[0].amount) * line.nodes
                day.hours += line.hours_per_day * line.nodes
    found = {}
    for node, by_day in sorted(days.items()):
        hours = [_stacked(by_day[t]) if t in by_day else [] for t in range(horizon.n_days)]
        price = [
            by_day[t].cost / by_day[t].hours if t in by_day and by_day[t].hours else 0.0
            for t in range(horizon.n_days)
        ]
        found[node] = Demand(hours, price)
    return found


def _stacked(day: _Day) -> list[float]:
    """The k-th node of every slice together, the busiest first."""
    slices = [sorted(levels, reverse=True) for levels in day.levels.values()]
    most = max(map(len, slices), default=0)
    return [sum(s[k] for s in slices if k < len(s)) for k in range(most)]


# -- terms ---------------------------------------------------------------------------------


def term_rows(rented: Followed, history: History, seed: int) -> list[Row]:
    """Reserving one more node when the last term on demand, at that level, would have paid it."""
    name = "break-even rule, terms"
    choices = {
        node: chosen
        for node in demand_of(rented)
        if (chosen := _cheapest_term(rented.problem, history, node)) is not None
    }
    if not choices:
        note = "no rental for a term is on offer for what was rented"
        return [Row(name, None, None, note=note)]
    ratio = f"proven at most {reservation.deterministic_ratio():g} times the best at fixed prices"
    rows = [_reserved_row(rented, choices, 1.0, name, ratio)]
    rng = random.Random(seed)
    drawn = [
        _reserved_row(rented, choices, reservation.draw_threshold(rng), name, "")
        for _ in range(DRAWS)
    ]
    rows.append(_mean(f"{name}, drawn", drawn, reservation.randomised_ratio()))
    return rows


def _mean(name: str, rows: Sequence[Row], ratio: float) -> Row:
    totals = [row.total for row in rows if row.total is not None]
    values = [row.present_value for row in rows if row.present_value is not None]
    cent = Decimal("0.01")
    total = (sum(totals, Decimal(0)) / len(totals)).quantize(cent)
    value = (sum(values, Decimal(0)) / len(values)).quantize(cent)
    bought = round(sum(row.nodes_bought for row in rows) / len(rows))
    note = (
        f"mean of {len(rows)} draws, {min(totals):,.2f} to {max(totals):,.2f} undiscounted; proven "
        f"{ratio:.3f} times the best in expectation at fixed prices"
    )
    return Row(name, total, value, nodes_bought=bought, note=note)


@dataclass(frozen=True, slots=True)
class _Term:
    listings: tuple[Listing, ...]
    tenor: Tenor
    days: int


def _cheapest_term(problem: Problem, history: History, node: str) -> _Term | None:
    """The length of term that is cheapest by the day, and all that sell the node for it."""
    by_tenor: dict[Tenor, list[Listing]] = defaultdict(list)

    passes = market_filters(problem.schedule.document.market, problem.costs.book.as_of)
    for offer in history.all_offers().offers:
        if not all(test(offer) for _, test in passes):
            continue
        for listing in on_nodes(offer):
            tenor = problem.costs.term(offer)
            if str(listing.kind) == node and tenor and not listing.spot:
                by_tenor[tenor].append(listing)

    def by_the_day(tenor: Tenor) -> float:
        fees = _fees(problem, history, by_tenor[tenor])
        return min(fee for fee, _ in fees) / tenor.about_days

    if not by_tenor:
        return None
    best = min(by_tenor, key=lambda tenor: (by_the_day(tenor), tenor))
    first = problem.horizon.first_day
    return _Term(tuple(by_tenor[best]), best, (best.end(first) - first).days)


def _fees(
    problem: Problem, history: History, listings: Sequence[Listing]
) -> list[tuple[float, Listing]]:
    """[day] lowest bill of a term that begins then, and who sells it."""
    fees = []
    for t in range(problem.horizon.n_days):
        found = []
        for listing in listings:
            if history.days(listing.offer.sku)[t] is None:
                continue
            flows = problem.costs.rental(listing.offer, listing.units, t)
            found.append((float(sum(flow.amount for flow in flows)), listing))
        fees.append(min(found, key=lambda f: f[0]) if found else (math.inf, listings[0]))
    return fees


def _reserved_row(
    rented: Followed, choices: dict[str, _Term], threshold: float, name: str, note: str
) -> Row:
    problem = rented.problem
    assert isinstance(problem.costs.days, History)
    flows: Flows = list(rented.flows)
    for node, demand in demand_of(rented).items():
        term = choices.get(node)
        if term is None:
            continue
        fees = _fees(problem, problem.costs.days, term.listings)
        costs = demand.costs()
        done = reservation.reserve(costs, [fee for fee, _ in fees], term.days, threshold=threshold)
        there = [0] * problem.horizon.n_days
        for t, number in enumerate(done.starts):
            for i in range(t, min(len(there), t + term.days)):
                there[i] += number
            listing = fees[t][1]
            bill = problem.costs.rental(listing.offer, listing.units, t) if number else []
            flows += [(problem.horizon.day(f.day), f.amount * number) for f in bill]
        flows += _saved(problem, costs, there)
    total, value = worth(problem, flows)
    return Row(name, total, value, nodes_bought=rented.nodes_bought, note=note)


def _saved(problem: Problem, costs: list[list[float]], there: Sequence[int]) -> Flows:
    """What need not be rented on demand."""
    return [
        (problem.horizon.day(t), -Decimal(repr(sum(day[: there[t]]))))
        for t, day in enumerate(costs)
        if there[t] and day
    ]


# -- purchases -----------------------------------------------------------------------------


def purchase_rows(rented: Followed, seed: int) -> list[Row]:
    """Buying one more node when the rents paid at that level would have paid it."""
    name = "break-even rule, buying"
    kinds = demand_of(rented)
    options = [o for o in rented.problem.purchases if str(o.kind) in kinds]
    if not options:
        note = "nothing that was rented may be bought"
        return [Row(name, None, None, note=note)]
    ratio = f"ski rental: proven at most {ski_rental.DETERMINISTIC_RATIO:g} times the best"
    rows = [_bought_row(rented, options, kinds, 1.0, name, f"{ratio} at fixed prices")]
    rng = random.Random(seed)
    drawn = [
        _bought_row(rented, options, kinds, ski_rental.draw_threshold(rng), name, "")
        for _ in range(DRAWS)
    ]
    rows.append(_mean(f"{name}, drawn", drawn, ski_rental.RANDOMISED_RATIO))
    return rows


def _bought_row(
    rented: Followed,
    options: Sequence[PurchaseOption],
    kinds: dict[str, Demand],
    threshold: float,
    name: str,
    note: str,
) -> Row:
    problem = rented.problem
    flows, bought = list(rented.flows), 0
    n_days, costs = problem.horizon.n_days, problem.costs
    piece = problem.horizon.slices[0]
    for option in options:
        demand = kinds[str(option.kind)]
        paid = demand.costs()
        energy = float(costs.busy_energy(option.item, 0, piece).amount) / piece.n_hours
        for k in range(option.most):
            rents = [day[k] if k < len(day) else 0.0 for day in paid]
            bill = costs.purchase(option.item, 0, n_days)
            price = float(sum(flow.amount for flow in bill))
            t = ski_rental.break_even_day(rents, price, threshold)
            if t is None or t + option.item.lead_time >= n_days:
                continue
            bought += 1
            bill = costs.purchase(option.item, t, n_days)
            flows += [(problem.horizon.day(f.day), f.amount) for f in bill]
            for day in range(t + option.item.lead_time, n_days):
                hours = demand.hours[day][k] if k < len(demand.hours[day]) else 0.0
                saved = rents[day] - hours * energy
                flows.append((problem.horizon.day(day), -Decimal(repr(saved))))
    total, value = worth(problem, flows)
    return Row(name, total, value, nodes_bought=bought, note=note)


# -- spot ----------------------------------------------------------------------------------


def spot_row(rented: Followed, history: History, seed: int) -> Row | None:
    """Jobs that may be interrupted on spot capacity, kept on the line to their deadlines.

    An hour of spot capacity is there where an offer is listed on that day and no interruption,
    drawn at the schedule's rate, falls into it.
    """
    problem, rng = rented.problem, random.Random(seed)
    jobs = [d for d in problem.jobs if d.job.spot and d.job.interruptible and not d.job.after]
    if not jobs:
        return None
    flows, ridden, late = list(rented.flows), 0, False
    for demand in jobs:
        node = _node_of(rented, demand)
        prices = None if node is None else _hour_prices(problem, history, node)
        if node is None or prices is None:
            continue
        rate = next(o.rate for o in demand.options if str(o.kind) == node and o.nodes == 1)
        hours = (demand.last - demand.first + 1) * HOURS
        per_hour = problem.schedule.document.market.spot_interruptions_per_day / HOURS
        there = [
            prices[0][demand.first + h // HOURS] < math.inf and rng.random() >= per_hour
            for h in range(hours)
        ]
        ride = spot.uniform_progress(there, demand.work / rate, hours, demand.job.restart)
        late |= ride.late
        ridden += 1
        for h, mode in enumerate(ride.modes):
            if mode is not spot.Mode.IDLE:
                t = demand.first + h // HOURS
                price = prices[0][t] if mode is spot.Mode.SPOT else prices[1][t]
                flows.append((problem.horizon.day(t), Decimal(repr(price))))
        flows += _without(rented, demand)
    name = "on demand, jobs on spot"
    if not ridden:
        return Row(name, None, None, note="no spot capacity is on offer for what the jobs ran on")
    note = f"uniform progress for {ridden} of {len(jobs)} jobs" + (", some late" * late)
    total, value = worth(problem, flows)
    return Row(name, total, value, note=note)


def _node_of(rented: Followed, demand: JobDemand) -> str | None:
    """The node a job ran on alone, by the hour."""
    nodes = {
        line.node
        for week in rented.weeks
        for line in week.plan.rentals
        if line.workload == demand.job.name and line.nodes == 1
    }
    alone = {str(option.kind) for option in demand.options if option.nodes == 1}
    return min(nodes & alone, default=None)


def _hour_prices(
    problem: Problem, history: History, node: str
) -> tuple[list[float], list[float]] | None:
    """[day] lowest price of an hour on spot and on demand; infinite where there is none."""

    passes = market_filters(problem.schedule.document.market, problem.costs.book.as_of)
    lowest = ([math.inf] * problem.horizon.n_days, [math.inf] * problem.horizon.n_days)
    for offer in history.all_offers().offers:
        if problem.costs.term(offer) or not all(test(offer) for _, test in passes):
            continue
        for listing in on_nodes(offer):
            if str(listing.kind) != node:
                continue
            prices = lowest[0 if listing.spot else 1]
            for t, known in enumerate(history.days(offer.sku)):
                if known is not None and t < len(prices):
                    flow = problem.costs.hourly(offer, listing.units, t, 1)[0]
                    prices[t] = min(prices[t], float(flow.amount))
    found = min(lowest[0]) < math.inf and max(lowest[1]) < math.inf
    return lowest if found else None


def _without(rented: Followed, demand: JobDemand) -> Flows:
    """What was paid on demand for a job alone, given back."""
    flows: Flows = []
    for week in rented.weeks:
        offers = {offer.sku: offer for offer in week.problem.costs.book.offers}
        for line in week.plan.rentals:
            if line.workload != demand.job.name:
                continue
            day = max(line.start, week.today)
            while day < min(line.end, week.until):
                t = rented.problem.horizon.index(day)
                paid = week.problem.costs.hourly(
                    offers[line.offer], line.units_per_node, t, line.hours_per_day
                )
                flows.append((day, -paid[0].amount * line.nodes))
                day += timedelta(1)
    return flows
