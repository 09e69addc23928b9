"""Checks of the assignments: loads carried, work done, rules of jobs kept, nodes there."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from optimizer.options.workloads import JobOption
from optimizer.problem import JobDemand, ServiceDemand
from optimizer.verify.checker import (
    DEMAND,
    SERVICE_RESTART_H,
    SLACK,
    Checker,
    Moment,
    Pool,
    short,
    spot_share,
)
from optimizer.verify.mixes import MixCheck
from optimizer.verify.plan_document import AssignmentPart
from providers.hardware import NodeKind

ASSIGNED = "assignments"
JOBS = "jobs"
CAPACITY = "nodes in use"

Rented = Counter[tuple[str, bool, str, int, int]]
"""(node, spot, site, nodes, hours) rented or lent for one job in one slice"""


@dataclass(frozen=True, slots=True)
class Gang:
    """One gang of a job at work in one slice."""

    option: JobOption
    spot: bool
    site: str
    rented_hours: int | None
    """Hours rented for it; None: it holds capacity of its pool through the slice."""


def check_working(check: Checker) -> list[MixCheck]:
    """Every service and every job, then the nodes they hold together.

    Returns what serves the services with several sizes of requests, for `check_mix_use`.
    """
    parts = _parts(check)
    services = check.problem.services
    mixes = [_service(check, service, parts[service.service.name]) for service in services]
    finished: dict[str, int] = {}
    at_work: dict[str, dict[Moment, list[Gang]]] = {}
    for job in check.problem.jobs:
        at_work[job.job.name] = _gangs(check, job, parts[job.job.name])
        finished[job.job.name] = _work(check, job, at_work[job.job.name])
    for job in check.problem.jobs:
        _order(check, job, at_work[job.job.name], finished)
    _capacity(check)
    return [mix for mix in mixes if mix.labels]


def gangs_at_work(check: Checker, demand: JobDemand) -> dict[Moment, list[Gang]]:
    """Who works on a job in which slice, by the plan."""
    return _gangs(check, demand, _parts(check)[demand.job.name])


def work_of(check: Checker, demand: JobDemand, gang: Gang, moment: Moment) -> Decimal:
    """Work that a gang does in a slice, in the job's unit."""
    job, long = demand.job, check.horizon.slices[moment[1]].n_hours
    hours = long if gang.rented_hours is None else gang.rented_hours
    kept = spot_share(check, Decimal(str(job.restart)), Decimal(str(job.checkpoint)))
    return Decimal(repr(gang.option.rate)) * hours * (kept if gang.spot else 1)


def _parts(check: Checker) -> dict[str, list[tuple[AssignmentPart, int]]]:
    """Workload → its assignments, with the number of their slice of the day."""
    names = {demand.service.name for demand in check.problem.services}
    names |= {demand.job.name for demand in check.problem.jobs}
    parts: dict[str, list[tuple[AssignmentPart, int]]] = defaultdict(list)
    for number, part in enumerate(check.plan.assignments, 1):
        where = f"assignment {number} ({part.workload})"
        k = check.span(ASSIGNED, where, part.start, part.end, part.hours)
        words = f"{where}: '{part.workload}' is no workload of the schedule"
        if check.check(ASSIGNED, part.workload in names, words) and k is not None:
            parts[part.workload].append((part, k))
    return parts


# -- services --------------------------------------------------------------------------------


def _service(
    check: Checker, demand: ServiceDemand, parts: list[tuple[AssignmentPart, int]]
) -> MixCheck:
    service = demand.service
    carried: dict[Moment, Decimal] = defaultdict(Decimal)
    replicas: Counter[Moment] = Counter()
    mix = MixCheck(check, demand)
    for part, k in parts:
        where = f"{service.name} on {part.node} from {part.start}"
        days = check.days(part.start, part.end)
        if part.label == "api":
            each = _api(check, demand, part, k, where)
            mix.bought(part, k, each)
        else:
            each = _replicas(check, demand, part, k, where)
            mix.there(part, k)
            replicas.update({(t, k): part.count for t in days})
        for t in days:
            carried[t, k] += each
    if demand.buckets:
        mix.finish()
    least = 0 if demand.apis or not demand.options else service.min_replicas
    faults, few = [], []
    for t, k in check.moments():
        load = Decimal(repr(demand.load[t][k]))
        if not demand.buckets and carried[t, k] < load * (1 - SLACK):
            words = f"{service.name}: {short(carried[t, k])} of a load of {short(load)} is carried"
            faults.append(((t, k), words))
        if load and replicas[t, k] < least:
            few.append(((t, k), f"{service.name}: {replicas[t, k]} replicas of at least {least}"))
    slices = check.horizon.n_days * len(check.horizon.slices)
    check.everywhere(DEMAND, faults, slices)
    check.everywhere(DEMAND, few, slices if least > 1 else 0)
    return mix


def _replicas(
    check: Checker, demand: ServiceDemand, part: AssignmentPart, k: int, where: str
) -> Decimal:
    """Load that the replicas carry with their headroom kept free; counts the nodes they hold."""
    service = demand.service
    found = [o for o in demand.options if (str(o.kind), o.gpus) == (part.node, part.gpus)]
    words = f"{where}: a replica on {part.gpus} GPUs does not fit, or is too slow"
    if not check.check(ASSIGNED, bool(found), words):
        return Decimal(0)
    option = found[0]
    _label(check, part.label, option.label, where)
    words = f"{where}: may not run on spot capacity"
    check.check(ASSIGNED, service.spot or not part.spot, words)
    _hold(check, (option.kind, part.spot), service.name, part, k, Decimal(repr(option.share)))
    capacity = Decimal(repr(option.capacity)) / (1 + Decimal(str(service.headroom)))
    if part.spot:
        capacity *= spot_share(check, SERVICE_RESTART_H, Decimal(0))
    return capacity * part.count


def _api(
    check: Checker, demand: ServiceDemand, part: AssignmentPart, k: int, where: str
) -> Decimal:
    offers = {f"{offer.provider}/{offer.provider_model}": offer for offer in demand.apis}
    offer = offers.get(part.node)
    words = f"{where}: no such API for this service in the price tables"
    if not check.check(ASSIGNED, offer is not None, words) or offer is None:
        return Decimal(0)
    check.check(ASSIGNED, part.load > 0, f"{where}: a load of {part.load}")
    labels = [bucket.label for bucket in demand.buckets] or [""]
    words = f"{where}: '{part.bucket}' is no size of its requests"
    if not check.check(ASSIGNED, part.bucket in labels, words):
        return Decimal(0)
    prompt, output = demand.tokens_per_hour(labels.index(part.bucket))
    n = part.load * check.horizon.slices[k].n_hours
    flows = (
        check.costs.tokens(offer, prompt * n, output * n, t)
        for t in check.days(part.start, part.end)
    )
    paid = check.pay(part.node, flows)
    check.direct[demand.service.name] += paid
    check.token_bills[demand.service.name, part.node, part.bucket] += paid
    return part.load


def _label(check: Checker, found: str, expected: str, where: str) -> None:
    words = f"{where}: its speed is said to be {found}, it is {expected}"
    check.check(ASSIGNED, found == expected, words)


def _hold(
    check: Checker, pool: Pool, workload: str, part: AssignmentPart, k: int, share: Decimal
) -> None:
    days = check.days(part.start, part.end)
    for t in days:
        check.in_use[pool][t, k] += share * part.count
    hours = check.horizon.slices[k].n_hours * len(days) * part.count
    check.used[pool, workload] += hours * share


# -- jobs ------------------------------------------------------------------------------------


def _gangs(
    check: Checker, demand: JobDemand, parts: list[tuple[AssignmentPart, int]]
) -> dict[Moment, list[Gang]]:
    """Who works when, each gang matched with the hours rented for it."""
    job, rented = demand.job, _rented_for(check, demand.job.name)
    at_work: dict[Moment, list[Gang]] = defaultdict(list)
    lenders = {quota.name for quota, _ in check.problem.quotas}
    for part, k in parts:
        where = f"{job.name} on {part.count} x {part.node} from {part.start}"
        found = [o for o in demand.options if (str(o.kind), o.nodes) == (part.node, part.count)]
        words = f"{where}: such a gang does not fit, or is not allowed"
        if not check.check(JOBS, bool(found), words):
            continue
        option = found[0]
        _label(check, part.label, option.label, where)
        words = f"{where}: {part.gpus} GPUs, the gang has {option.kind.count * option.nodes}"
        check.check(JOBS, part.gpus == option.kind.count * option.nodes, words)
        words = f"{where}: may not run on spot capacity"
        check.check(JOBS, not part.spot or (job.spot and job.interruptible), words)
        days = check.days(part.start, part.end)
        inside = days.start >= demand.first and days.stop - 1 <= demand.last
        words = f"{where} to {part.end}: outside its window of days"
        check.check(JOBS, inside, words)
        for t in days:
            hours = _take(rented[t, k], part)
            at_work[t, k].append(Gang(option, part.spot, part.site, hours))
            if hours is None:
                _hold_gang(check, job.name, part, option.kind, (t, k))
            elif part.site in lenders:
                pool = (option.kind, False)
                check.used[pool, job.name] += part.count * hours
                check.available[pool] += part.count * hours
    idle = [(moment, left) for moment, left in sorted(rented.items()) if left]
    words = f"{job.name}: nodes are held for it by the hour, and it does not run on them"
    check.everywhere(JOBS, [(moment, words) for moment, _ in idle], len(rented))
    return at_work


def _rented_for(check: Checker, job: str) -> dict[Moment, Rented]:
    rented: dict[Moment, Rented] = defaultdict(Counter)
    for rental in check.plan.rentals:
        k = check.slice_of(rental.hours)
        if rental.workload == job and k is not None:
            spot, site = rental.purchase_model == "spot", f"{rental.provider}/{rental.region}"
            for t in check.days(rental.start, rental.end):
                gang = (rental.node, spot, site, rental.nodes, rental.hours_per_day)
                rented[t, k][gang] += 1
    quotas = {quota.name: str(kind) for quota, kind in check.problem.quotas}
    for usage in check.plan.usages:
        k = check.slice_of(usage.hours)
        if usage.workload == job and usage.asset in quotas and k is not None:
            nodes, node = int(usage.nodes), quotas[usage.asset]
            for t in check.days(usage.start, usage.end):
                rented[t, k][node, False, usage.asset, nodes, usage.hours_per_day] += 1
    return rented


def _take(rented: Rented, part: AssignmentPart) -> int | None:
    """Hours rented for this gang, taken off the list; None: none are."""
    wanted = (part.node, part.spot, part.site, part.count)
    for gang in sorted(rented, key=lambda item: item[4]):
        if gang[:4] == wanted:
            rented -= Counter([gang])
            return gang[4]
    return None


def _hold_gang(
    check: Checker, job: str, part: AssignmentPart, kind: NodeKind, moment: Moment
) -> None:
    pool = (kind, part.spot)
    check.in_use[pool][moment] += part.count
    check.used[pool, job] += Decimal(part.count * check.horizon.slices[moment[1]].n_hours)
    if part.count > 1:
        words = f"{job}: several nodes of {kind} without the site where they stand together"
        check.check(JOBS, bool(part.site), words)
    if part.site:
        check.at_site[pool, part.site][moment] -= part.count


def _work(check: Checker, demand: JobDemand, at_work: dict[Moment, list[Gang]]) -> int:
    """Whether the work is done, by one gang at a time; the day on which it is finished."""
    job, work = demand.job, Decimal(repr(demand.work))
    done, finished, crowded = Decimal(0), check.horizon.n_days, []
    for moment, gangs in sorted(at_work.items()):
        long = check.horizon.slices[moment[1]].n_hours
        hours = [long if gang.rented_hours is None else gang.rented_hours for gang in gangs]
        if sum(hours) > long:
            words = f"{job.name}: gangs work {sum(hours)} hours, one at a time, in {long}"
            crowded.append((moment, words))
        done += sum((work_of(check, demand, gang, moment) for gang in gangs), Decimal(0))
        if done >= work * (1 - SLACK):
            finished = min(finished, moment[0])
    check.everywhere(JOBS, crowded, len(at_work))
    words = f"{job.name}: {short(done)} of {short(work)} units of its work are done"
    check.check(JOBS, done >= work * (1 - SLACK), words)
    if not job.interruptible:
        _unbroken(check, demand, at_work)
    market = check.problem.schedule.document.market
    away = any(gang.site != "own" for gangs in at_work.values() for gang in gangs)
    if market.transfer is not None and job.data:
        moved = job.name in check.plan.moved
        words = f"{job.name}: its data is not moved to the rented nodes it runs on"
        check.check(JOBS, moved or not away, words)
        if moved:
            flow = check.costs.transfer(market.transfer, job.data, demand.first)
            check.direct[job.name] += check.pay(job.name, [flow])
    return finished


def _unbroken(check: Checker, demand: JobDemand, at_work: dict[Moment, list[Gang]]) -> None:
    """One gang, from the first slice of a day on, through every slice until the end."""
    name, moments = demand.job.name, sorted(at_work)
    if not moments:
        return
    first, per_day = moments[0], len(check.horizon.slices)
    begins = first[0] * per_day
    wanted = [divmod(begins + i, per_day) for i in range(len(moments))]
    words = f"{name}: may not pause, and does not run without a break from the start of a day"
    check.check(JOBS, moments == wanted, words)
    gangs = {
        (g.option.kind, g.option.nodes, g.spot, g.site, g.rented_hours is None)
        for moment in moments
        for g in at_work[moment]
    }
    words = f"{name}: may not pause, and changes its gang"
    check.check(JOBS, len(gangs) == 1, words)
    short_days = [
        (moment, f"{name}: may not pause, and works only {gang.rented_hours} hours")
        for moment in moments[:-1]
        for gang in at_work[moment]
        if gang.rented_hours is not None
        and gang.rented_hours < check.horizon.slices[moment[1]].n_hours
    ]
    check.everywhere(JOBS, short_days, len(moments))


def _order(
    check: Checker,
    demand: JobDemand,
    at_work: dict[Moment, list[Gang]],
    finished: dict[str, int],
) -> None:
    for before in demand.job.after:
        early = [
            (moment, f"{demand.job.name}: runs before the day after '{before}' is finished")
            for moment in sorted(at_work)
            if moment[0] <= finished[before]
        ]
        check.everywhere(JOBS, early, len(at_work))


# -- nodes -----------------------------------------------------------------------------------


def _capacity(check: Checker) -> None:
    """Nodes in use are rented, owned and in use, or lent; and those of a gang at one site."""
    for (kind, spot), used in sorted(check.in_use.items()):
        there = check.supply[kind, spot]
        name = f"{kind} spot" if spot else str(kind)
        faults = [
            (moment, f"{name}: {short(nodes)} nodes in use, {short(there[moment])} are there")
            for moment, nodes in sorted(used.items())
            if nodes > there[moment]
        ]
        check.everywhere(CAPACITY, faults, len(used))
    for ((kind, spot), site), left in sorted(check.at_site.items()):
        name = f"{kind} spot" if spot else str(kind)
        faults = [
            (moment, f"{name}: gangs need {short(-nodes)} nodes more than stand at {site}")
            for moment, nodes in sorted(left.items())
            if nodes < 0
        ]
        check.everywhere(CAPACITY, faults, len(left))
