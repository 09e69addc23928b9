"""Checks of services with several sizes of requests: all are served, within the replicas' time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

from optimizer.options.workloads import ServiceOption
from optimizer.problem import SECONDS_PER_HOUR, ServiceDemand
from optimizer.verify.checker import (
    DEMAND,
    SERVICE_RESTART_H,
    SLACK,
    Checker,
    Moment,
    short,
    spot_share,
)
from optimizer.verify.plan_document import AssignmentPart, BucketUsePart

MIXES = "sizes of requests"

Replica = tuple[str, bool, int]
"""(node, spot, GPUs)"""
Use = tuple[Decimal, Decimal]
"""(requests, busy replica-hours)"""


class MixCheck:
    """Gathers what one service has in every slice, and holds the routes of its requests to it."""

    def __init__(self, check: Checker, demand: ServiceDemand) -> None:
        self.check, self.demand = check, demand
        self.name = demand.service.name
        self.labels = [bucket.label for bucket in demand.buckets]
        self.replicas: dict[Replica, Counter[Moment]] = defaultdict(Counter)
        self.served: dict[tuple[str, Moment], Decimal] = defaultdict(Decimal)
        """(bucket, slice) → share of its requests"""
        self.busy: dict[tuple[Replica, Moment], Decimal] = defaultdict(Decimal)
        """(replica, slice) → replicas kept busy, headroom not counted"""
        self.use: dict[tuple[str, Replica], Use] = defaultdict(lambda: (Decimal(0), Decimal(0)))
        """By bucket and replica or API"""

    def there(self, part: AssignmentPart, k: int) -> None:
        """Replicas that were assigned."""
        days = self.check.days(part.start, part.end)
        self.replicas[part.node, part.spot, part.gpus].update({(t, k): part.count for t in days})

    def bought(self, part: AssignmentPart, k: int, load: Decimal) -> None:
        """Requests/s of a bucket that go through an API."""
        if not self.labels or not load:
            return
        b = self.labels.index(part.bucket)
        for t in self.check.days(part.start, part.end):
            asked = self._load(b, (t, k))
            if asked:
                self.served[part.bucket, (t, k)] += load / asked
            seconds = self.check.horizon.slices[k].n_hours * SECONDS_PER_HOUR
            self._count(part.bucket, (part.node, False, 0), load * seconds, Decimal(0))

    def finish(self) -> None:
        """Every request is served, and no replica works longer than its headroom allows."""
        for number, route in enumerate(self.check.plan.routes, 1):
            if route.workload == self.name:
                self._route(number)
        lost, overfull = [], []
        for moment in self.check.moments():
            for b, label in enumerate(self.labels):
                share = self.served[label, moment]
                if self._load(b, moment) and share < 1 - SLACK:
                    words = f"{self.name}: {short(100 * share)} % of requests of {label} are served"
                    lost.append((moment, words))
        headroom = 1 + Decimal(str(self.demand.service.headroom))
        for (replica, moment), busy in sorted(self.busy.items()):
            there = self.replicas[replica][moment]
            if busy * headroom > there * (1 + SLACK):
                words = (
                    f"{self.name}: {short(busy * headroom)} replicas on {replica[0]} have work, "
                    f"{there} are there"
                )
                overfull.append((moment, words))
        moments = self.check.horizon.n_days * len(self.check.horizon.slices)
        self.check.everywhere(DEMAND, lost, moments * len(self.labels))
        self.check.everywhere(DEMAND, overfull, len(self.busy))

    def _route(self, number: int) -> None:
        route = self.check.plan.routes[number - 1]
        where = f"route {number} ({self.name}, {route.bucket})"
        k = self.check.span(MIXES, where, route.start, route.end, route.hours)
        known = self.check.check(MIXES, route.bucket in self.labels, f"{where}: no such size")
        replica = (route.node, route.spot, route.gpus)
        option = self._option(replica)
        rate = option.rates[self.labels.index(route.bucket)] if option and known else 0.0
        words = f"{where}: {route.node} cannot serve it"
        if not self.check.check(MIXES, rate > 0, words) or k is None:
            return
        self.check.check(MIXES, 0 < route.share <= 1, f"{where}: a share of {route.share}")
        exact = Decimal(repr(rate))
        if route.spot:
            exact *= spot_share(self.check, SERVICE_RESTART_H, Decimal(0))
        hours = self.check.horizon.slices[k].n_hours
        for t in self.check.days(route.start, route.end):
            load = route.share * self._load(self.labels.index(route.bucket), (t, k))
            self.served[route.bucket, (t, k)] += route.share
            self.busy[replica, (t, k)] += load / exact
            self._count(
                route.bucket, replica, load * hours * SECONDS_PER_HOUR, load / exact * hours
            )

    def _option(self, replica: Replica) -> ServiceOption | None:
        node, _, gpus = replica
        found = (o for o in self.demand.options if (str(o.kind), o.gpus) == (node, gpus))
        return next(found, None)

    def _load(self, b: int, moment: Moment) -> Decimal:
        """Requests/s of a bucket."""
        day, k = moment
        share = Decimal(repr(self.demand.buckets[b].share))
        return share * Decimal(repr(self.demand.load[day][k]))

    def _count(self, bucket: str, replica: Replica, requests: Decimal, hours: Decimal) -> None:
        before = self.use[bucket, replica]
        self.use[bucket, replica] = (before[0] + requests, before[1] + hours)

    # -- what the plan says of it all -------------------------------------------------------------

    def costs(self) -> dict[tuple[str, Replica], Decimal]:
        """Cost of every bucket on all that serves it: of nodes by time, of tokens as paid."""
        weighed: dict[tuple[str, Replica], Decimal] = {}
        whole: dict[tuple[str, bool], Decimal] = defaultdict(Decimal)
        for (bucket, replica), (_, hours) in self.use.items():
            option = self._option(replica)
            if option is not None:
                weighed[bucket, replica] = hours * Decimal(repr(option.share))
                whole[replica[:2]] += weighed[bucket, replica]
        paid = {
            (str(kind), spot): cost
            for ((kind, spot), name), cost in self.check.pool_shares.items()
            if name == self.name
        }
        costs = {}
        for bucket, replica in self.use:
            if (bucket, replica) in weighed:
                part = weighed[bucket, replica] / whole[replica[:2]]
                costs[bucket, replica] = paid.get(replica[:2], Decimal(0)) * part
            else:
                costs[bucket, replica] = self.check.token_bills[self.name, replica[0], bucket]
        return costs


def check_mix_use(check: Checker, mixes: Sequence[MixCheck]) -> None:
    """What the plan says each size of request takes and costs, and how full replicas are."""
    plan = check.plan
    told = {line.workload for line in plan.routes}
    told |= {line.workload for line in plan.bucket_use}
    told |= {line.workload for line in plan.replica_use}
    for name in sorted(told - {mix.name for mix in mixes}):
        check.check(MIXES, False, f"'{name}' has no sizes of requests in the schedule")
    for mix in mixes:
        _bucket_use(check, mix)
        _replica_use(check, mix)


def _bucket_use(check: Checker, mix: MixCheck) -> None:
    costs, seen = mix.costs(), set()
    for line in check.plan.bucket_use:
        if line.workload != mix.name:
            continue
        key = (line.bucket, (line.node, line.spot, line.gpus))
        where = f"bucket_use: {mix.name}, {line.bucket} on {line.node}"
        if not check.check(MIXES, key in mix.use and key not in seen, f"{where}: not routed"):
            continue
        seen.add(key)
        _line(check, line, mix.use[key], costs[key], where)
    for bucket, (node, _, _) in mix.use.keys() - seen:
        check.check(MIXES, False, f"bucket_use: {mix.name}, {bucket} on {node} is missing")


def _line(check: Checker, line: BucketUsePart, use: Use, cost: Decimal, where: str) -> None:
    check.equal(MIXES, line.requests, use[0], f"{where}: requests")
    check.equal(MIXES, line.busy_hours, use[1], f"{where}: busy_hours")
    check.equal(MIXES, line.cost, cost, f"{where}: cost")


def _replica_use(check: Checker, mix: MixCheck) -> None:
    found = {
        (line.node, line.spot, line.gpus): line
        for line in check.plan.replica_use
        if line.workload == mix.name
    }
    for replica in sorted(mix.replicas.keys() | found.keys()):
        where = f"replica_use: {mix.name} on {replica[0]}"
        line, there = found.get(replica), mix.replicas.get(replica)
        if not check.check(MIXES, line is not None and there is not None, f"{where}: not so"):
            continue
        if line is None or there is None:
            continue
        hours = check.horizon.slices
        held = sum((Decimal(n * hours[k].n_hours) for (_, k), n in there.items()), Decimal(0))
        busy = sum(
            (b * hours[k].n_hours for (r, (_, k)), b in mix.busy.items() if r == replica),
            Decimal(0),
        )
        check.equal(MIXES, line.replica_hours, held, f"{where}: replica_hours")
        check.equal(MIXES, line.busy_hours, busy, f"{where}: busy_hours")
