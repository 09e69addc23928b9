"""What following a plan until today has left: money sunk, terms running, nodes owned, work done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from optimizer.costs import Flow
from optimizer.options.market import Listing, on_nodes
from optimizer.problem import JobDemand, Problem
from optimizer.replan.actuals import News
from optimizer.standing import (
    Continued,
    JobDone,
    KeptNodes,
    QuotaUsed,
    RunningTerm,
    Standing,
    SunkLine,
)
from optimizer.verify.checker import Checker
from optimizer.verify.plan_document import BoughtPart, PlanDocument, RentalPart
from optimizer.verify.working import gangs_at_work, work_of


@dataclass(slots=True)
class _Past:
    """Adds up a plan's days before today."""

    check: Checker
    day: int
    """Of today, in the horizon."""
    today: date
    sunk: dict[tuple[date, str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """(day, component, cause) → amount"""
    running: dict[tuple[str, date], RunningTerm] = field(default_factory=dict)
    kept: list[KeptNodes] = field(default_factory=list)

    @property
    def problem(self) -> Problem:
        return self.check.problem

    def pay(self, cause: str, flows: Iterable[Flow], factor: Decimal | int = 1) -> None:
        for flow in flows:
            if flow.amount:
                day = self.problem.horizon.day(flow.day)
                self.sunk[day, flow.component, cause] += flow.amount * factor

    def before(self, flows: Iterable[Flow]) -> list[Flow]:
        return [flow for flow in flows if flow.day < self.day]

    def days(self, start: date, end: date) -> range:
        """Days of a span that are over."""
        span = self.check.days(start, end)
        return range(span.start, min(span.stop, self.day))


def standing_after(
    problem: Problem, plan: PlanDocument, today: date, sha256: str, news: News | None = None
) -> Standing:
    """The state on the morning of `today`, if the plan was followed until then.

    Decisions of earlier days are sunk with all the bills they bring; those of today are open.

    Args:
        problem: what the plan answers, with the prices it was made with.
        plan: a plan that holds.
        sha256: of the plan's file.
        news: what went otherwise than planned.
    """
    past = _Past(Checker(plan, problem), problem.horizon.index(today), today)
    earlier = problem.standing or Standing(today)
    for line in earlier.sunk:
        past.sunk[line.day, line.component, line.cause] += line.amount
    for term in earlier.running:
        if term.until > today:
            past.running[term.name, term.until] = term
    for rental in plan.rentals:
        if rental.offer not in problem.costs.paid:
            _rental(past, rental)
    for bought in plan.bought:
        _bought(past, bought)
    _owning(past)
    _services(past)
    moved = [*earlier.moved, *_moved(past)]
    done, continued = _jobs(past, earlier)
    standing = Standing(
        today=today,
        plan_sha256=sha256,
        sunk=tuple(
            SunkLine(day, component, cause, amount)
            for (day, component, cause), amount in sorted(past.sunk.items())
            if amount
        ),
        running=tuple(past.running[key] for key in sorted(past.running)),
        kept=tuple(past.kept),
        done=done,
        continued=continued,
        moved=tuple(moved),
        loads=earlier.loads,
        lost=earlier.lost,
        deadlines=earlier.deadlines,
        quotas=_quotas(past, earlier),
    )
    return standing if news is None else news.told(standing, problem)


# -- renting -------------------------------------------------------------------------------


def _rental(past: _Past, rental: RentalPart) -> None:
    offers = {offer.sku: offer for offer in past.problem.costs.book.offers}
    offer = offers[rental.offer]
    listing = next(x for x in on_nodes(offer) if x.units == rental.units_per_node)
    costs, horizon = past.problem.costs, past.problem.horizon
    tenor = costs.term(offer)
    if not tenor:
        for t in past.days(rental.start, rental.end):
            flows = costs.hourly(offer, listing.units, t, rental.hours_per_day)
            past.pay(offer.sku, flows, rental.nodes)
        return
    start = rental.start
    for _ in range(rental.terms):
        if start >= past.today:
            break
        flows = costs.rental(offer, listing.units, horizon.index(start))
        past.pay(offer.sku, flows, rental.nodes)
        if tenor.end(start) > past.today:
            _runs_on(past, listing, rental.nodes, start, tenor.end(start))
        start = tenor.end(start)


def _runs_on(past: _Past, listing: Listing, nodes: int, start: date, until: date) -> None:
    offer = listing.offer
    term = RunningTerm(
        offer=listing.name,
        provider=offer.provider,
        region=offer.region,
        tier=str(offer.tier),
        purchase_model=str(offer.purchase_model),
        node=str(listing.kind),
        nodes=nodes,
        start=start,
        until=until,
        price=(offer.price * listing.units + offer.upfront * listing.units).amount,
        currency=offer.price.currency,
        increment=str(offer.increment),
        observed_at=offer.observed_at,
        confidence=offer.confidence,
        source=offer.source,
    )
    same = past.running.get((term.name, until))
    past.running[term.name, until] = replace(term, nodes=nodes + (same.nodes if same else 0))


# -- owning --------------------------------------------------------------------------------


def _bought(past: _Past, bought: BoughtPart) -> None:
    horizon, costs = past.problem.horizon, past.problem.costs
    option = next(o for o in past.problem.purchases if o.name == bought.option)
    if bought.paid >= past.today:
        return
    flows = costs.purchase(option.item, horizon.index(bought.paid), horizon.index(bought.sold))
    if bought.sold <= past.today:
        past.pay(option.name, flows, bought.nodes)
        return
    past.pay(option.name, past.before(flows), bought.nodes)
    earlier = past.problem.standing.kept if past.problem.standing else ()
    name = next((item.option for item in earlier if item.name == option.name), option.name)
    past.kept.append(KeptNodes(name, bought.node, bought.nodes, bought.paid, bought.sold))


def _owning(past: _Past) -> None:
    """Hosting and idle power of owned hardware, and the energy of all that was in use."""
    problem, costs = past.problem, past.problem.costs
    for asset in problem.owned:
        past.pay(asset.name, past.before(costs.owned(asset.item, asset.count)))
    items = {asset.name: asset.item for asset in problem.owned}
    bought = {option.name: option.item for option in problem.purchases}
    for usage in past.check.plan.usages:
        item = items.get(usage.asset) or bought.get(usage.asset)
        k = past.check.slice_of(usage.hours)
        if item is None or k is None:
            continue
        piece = problem.horizon.slices[k]
        flows = (costs.busy_energy(item, t, piece) for t in past.days(usage.start, usage.end))
        past.pay(usage.asset, flows, usage.nodes)


def _quotas(past: _Past, earlier: Standing) -> tuple[QuotaUsed, ...]:
    """Free hours used in today's month."""
    first = past.today.replace(day=1)
    hours: dict[str, Decimal] = defaultdict(Decimal)
    if earlier.today >= first:
        hours.update({item.quota: item.hours for item in earlier.quotas})
    names = {quota.name for quota, _ in past.problem.quotas}
    for usage in past.check.plan.usages:
        if usage.asset in names:
            days = past.days(max(usage.start, first), usage.end)
            name = usage.asset.removesuffix(" (this month)")
            hours[name] += usage.nodes * usage.hours_per_day * len(days)
    return tuple(QuotaUsed(name, used) for name, used in sorted(hours.items()) if used)


# -- workloads -----------------------------------------------------------------------------


def _services(past: _Past) -> None:
    """Tokens bought from APIs."""
    for demand in past.problem.services:
        sizes = [bucket.label for bucket in demand.buckets] or [""]
        offers = {f"{offer.provider}/{offer.provider_model}": offer for offer in demand.apis}
        for part in past.check.plan.assignments:
            k = past.check.slice_of(part.hours)
            if part.workload != demand.service.name or part.label != "api" or k is None:
                continue
            prompt, output = demand.tokens_per_hour(sizes.index(part.bucket))
            n = part.load * past.problem.horizon.slices[k].n_hours
            flows = (
                past.problem.costs.tokens(offers[part.node], prompt * n, output * n, t)
                for t in past.days(part.start, part.end)
            )
            past.pay(part.node, flows)


def _moved(past: _Past) -> list[str]:
    """Jobs whose data was moved before today, on the first day they might have run."""
    price = past.problem.schedule.document.market.transfer
    moved = []
    for demand in past.problem.jobs:
        name = demand.job.name
        if price is not None and name in past.check.plan.moved and demand.first < past.day:
            flow = past.problem.costs.transfer(price, demand.job.data, demand.first)
            past.pay(name, [flow])
            moved.append(name)
    return moved


def _jobs(past: _Past, earlier: Standing) -> tuple[tuple[JobDone, ...], tuple[Continued, ...]]:
    """Work done by the plan until today, and the jobs that may not pause now."""
    done = {item.job: item.work for item in earlier.done}
    continued = []
    for demand in past.problem.jobs:
        work, last = _worked(past, demand)
        name = demand.job.name
        if work:
            done[name] = done.get(name, Decimal(0)) + work
        if last is not None and not demand.job.interruptible:
            continued.append(last)
    if earlier.today == past.today:
        begun = {item.job for item in continued}
        continued += [item for item in earlier.continued if item.job not in begun]
    return (
        tuple(JobDone(name, work) for name, work in sorted(done.items())),
        tuple(continued),
    )


def _worked(past: _Past, demand: JobDemand) -> tuple[Decimal, Continued | None]:
    """Work of a job before today, and the gang that did the last of it."""
    done, last = Decimal(0), None
    for moment, gangs in sorted(gangs_at_work(past.check, demand).items()):
        if moment[0] >= past.day:
            break
        for gang in gangs:
            done += work_of(past.check, demand, gang, moment)
            last = Continued(
                demand.job.name,
                str(gang.option.kind),
                gang.spot,
                gang.option.nodes,
                gang.site,
                gang.rented_hours is not None,
            )
    return done, last
