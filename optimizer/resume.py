"""A problem in the middle of its horizon: what is paid stays usable, what is done is done.

The days before today stay in the horizon, empty, so that discounting, months, growth and resale
values are those of the whole schedule, and the cost of the rest adds up with what is sunk.

- A running term is an offer of its own, paid already, that can be taken once, today.
- Nodes bought earlier are a purchase option paid in the past: only the day of sale is open.
- A job has its remaining work; one that may not pause goes on at once, on the same nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from optimizer.milp.instance import INF, Instance, Job, Limits, Start, TermOffer
from optimizer.milp.variables import contiguous_shares
from optimizer.options.market import WHOLE_MARKET, Listing, View
from optimizer.problem import JobDemand, OwnedAsset, Problem, PurchaseOption, gather
from optimizer.schedule.document import FreeQuota
from optimizer.schedule.schedule import Schedule
from optimizer.standing import Continued, KeptNodes, Standing
from optimizer.trade_days import SHORT_HORIZON_DAYS, days_of_change
from providers.hardware import NodeKind
from providers.offers import OfferBook
from providers.terms import add_months

NEARLY = 1e-9
"""Share of a job's work that rounding may leave undone."""


def gather_rest(
    schedule: Schedule, book: OfferBook, standing: Standing | None, view: View = WHOLE_MARKET
) -> Problem:
    """Everything that can serve what is left of a schedule; all of it without a standing."""
    if standing is None:
        return gather(schedule, book, view)
    paid = standing.paid_terms
    terms = tuple(term.as_offer(standing.today) for term in standing.running)

    def spared(listing: Listing) -> bool:
        return listing.offer.sku in paid or view.spared(listing)

    whole = gather(
        schedule,
        replace(book, offers=(*book.offers, *terms)),
        replace(view, spared=spared),
    )
    return resumed(whole, standing)


def resumed(problem: Problem, standing: Standing) -> Problem:
    """The problem from the morning of `standing.today` on."""
    today = problem.horizon.index(standing.today)
    costs = replace(problem.costs, from_day=today, paid=standing.paid_terms)
    services = tuple(
        replace(
            demand,
            load=tuple(
                tuple(x * standing.load_factor(demand.service.name) * (t >= today) for x in day)
                for t, day in enumerate(demand.load)
            ),
        )
        for demand in problem.services
    )
    kept = tuple(_kept(problem, item) for item in standing.kept)
    return replace(
        problem,
        standing=standing,
        costs=costs,
        services=services,
        jobs=_jobs(problem, standing, today),
        owned=tuple(_owned(asset, standing, today) for asset in problem.owned),
        purchases=(*kept, *(_fewer(option, standing) for option in problem.purchases)),
        quotas=tuple(_quotas(problem, standing)),
    )


def _kept(problem: Problem, item: KeptNodes) -> PurchaseOption:
    option = next(o for o in problem.purchases if o.name == item.option)
    paid = problem.horizon.index(item.paid)
    return PurchaseOption(item.name, option.kind, option.item, item.nodes, paid)


def _fewer(option: PurchaseOption, standing: Standing) -> PurchaseOption:
    """Nodes bought earlier count against the most that may be owned, also after their sale."""
    kept = sum(item.nodes for item in standing.kept if item.option == option.name)
    return replace(option, most=max(0, option.most - kept))


def _owned(asset: OwnedAsset, standing: Standing, today: int) -> OwnedAsset:
    lost = sum(item.nodes for item in standing.lost if item.asset == asset.name)
    return replace(asset, count=asset.count - lost, first_day=max(asset.first_day, today))


def _jobs(problem: Problem, standing: Standing, today: int) -> tuple[JobDemand, ...]:
    """Jobs with work left; those they wait for are named only while they have some, too."""
    left = {}
    for demand in problem.jobs:
        done = float(standing.work_done(demand.job.name))
        if demand.work - done > NEARLY * demand.work:
            left[demand.job.name] = demand.work - done
    deadlines = {item.job: problem.horizon.index(item.deadline) for item in standing.deadlines}
    jobs = []
    for demand in problem.jobs:
        job = demand.job
        if job.name not in left:
            continue
        changes: dict[str, object] = {"after": [name for name in job.after if name in left]}
        if job.name in standing.moved:
            changes["data"] = 0.0
        jobs.append(
            replace(
                demand,
                job=job.model_copy(update=changes),
                work=left[job.name],
                first=max(demand.first, today),
                last=deadlines.get(job.name, demand.last),
            )
        )
    return tuple(jobs)


def _quotas(problem: Problem, standing: Standing) -> Iterator[tuple[FreeQuota, NodeKind]]:
    """Today's month apart, with the hours that are left of it."""
    used = {item.quota: item.hours for item in standing.quotas}
    this_month = standing.today.replace(day=1)
    next_month = add_months(this_month, 1)
    last = problem.schedule.last_day
    for quota, kind in problem.quotas:
        if not used.get(quota.name):
            yield quota, kind
            continue
        start, end = quota.start or problem.schedule.first_day, quota.end or last
        left = max(0.0, quota.hours_per_month - float(used[quota.name]))
        now = {"end": min(end, next_month - timedelta(1)), "hours_per_month": left}
        yield quota.model_copy(update=now | {"name": f"{quota.name} (this month)"}), kind
        if end >= next_month:
            yield quota.model_copy(update={"start": max(start, next_month)}), kind


# -- the numbers ---------------------------------------------------------------------------


def resumed_instance(
    problem: Problem,
    data: Instance,
    terms: Sequence[Listing],
    assets: Sequence[OwnedAsset | PurchaseOption],
) -> Instance:
    """The instance without decisions before today, and with those that were made."""
    standing = problem.standing
    if standing is None:
        return data
    today = problem.horizon.index(standing.today)
    sellable = {
        a: option
        for a, option in enumerate(assets)
        if isinstance(option, PurchaseOption) and option.paid is not None
    }
    goes_on = {item.job: item for item in standing.continued}
    return replace(
        data,
        term_offers=tuple(
            _paid_term(offer, today)
            if listing.offer.sku in problem.costs.paid
            else replace(offer, starts=_from(offer.starts, today))
            for offer, listing in zip(data.term_offers, terms, strict=True)
        ),
        assets=tuple(
            replace(asset, holds=tuple(_sales(problem, sellable[a], data)))
            if a in sellable
            else replace(asset, holds=_from(asset.holds, today))
            for a, asset in enumerate(data.assets)
        ),
        jobs=tuple(
            _unbroken(data, job, goes_on[job.name], today) if job.name in goes_on else job
            for job in data.jobs
        ),
        limits=_limits(data, today),
        least_bought=(
            *data.least_bought,
            *(((a,), option.most) for a, option in sellable.items() if option.most),
        ),
    )


def _from(starts: Sequence[Start], today: int) -> tuple[Start, ...]:
    return tuple(start for start in starts if start.day >= today)


def _paid_term(offer: TermOffer, today: int) -> TermOffer:
    """To be taken once, today. It was there yesterday too, which tells it from a daily offer."""
    starts = (
        replace(start, cover=((today - 1, 1.0), *start.cover))
        for start in offer.starts
        if start.day == today
    )
    return replace(offer, starts=tuple(starts))


def _sales(problem: Problem, option: PurchaseOption, data: Instance) -> Iterator[Start]:
    """One hold for each day on which nodes bought earlier may be sold, today the first."""
    standing, costs = problem.standing, problem.costs
    assert standing is not None
    assert option.paid is not None
    n_days, today = problem.horizon.n_days, problem.horizon.index(standing.today)
    delivered = option.paid + option.item.lead_time
    planned = {
        problem.horizon.index(item.sold) for item in standing.kept if item.name == option.name
    }
    changes = days_of_change(problem) | planned | {today, n_days}
    for sell in range(max(today, delivered + 1), n_days + 1):
        if n_days > SHORT_HORIZON_DAYS and sell not in changes:
            continue
        flows = costs.purchase(option.item, option.paid, sell)
        months: dict[int, float] = {}
        for flow in flows if data.limits.fixed_cash or data.limits.budget else ():
            month = data.month_of_period[min(flow.day, n_days - 1)]
            months[month] = months.get(month, 0.0) + float(flow.amount)
        yield Start(
            option.paid,
            float(costs.present_value(flows)),
            tuple((t, 1.0) for t in range(delivered, sell)),
            tuple(sorted(months.items())),
            sell,
        )


def _unbroken(data: Instance, job: Job, at: Continued, today: int) -> Job:
    """A job that may not pause: the same nodes, from today on, until its work is done.

    Where they are not to be had any more it goes on elsewhere, but at once.
    """
    pool = f"{at.node} spot" if at.spot else at.node
    same = tuple(
        gang
        for gang in job.gangs
        if (data.pools[gang.pool], gang.nodes, gang.site, gang.by_hour)
        == (pool, at.nodes, at.site, at.by_hour)
    )
    gangs = same or job.gangs
    last = job.last
    for gang in gangs:
        shares = contiguous_shares(data, replace(job, first=today), gang, today)
        if shares is not None:
            ends = data.slices[shares[-1][0]].period
            last = ends if last == job.last else max(last, ends)
    return replace(job, gangs=gangs, first=today, last=last)


def _limits(data: Instance, today: int) -> Limits:
    """Months that are over keep no budget: what was paid in them was paid."""
    over = data.month_of_period[today]
    budget = tuple(INF if m < over else limit for m, limit in enumerate(data.limits.budget))
    return replace(data.limits, budget=budget)
