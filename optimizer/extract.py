"""From a solver's numbers back to a plan in domain terms, with its bill in exact money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from optimizer.costs import Flow
from optimizer.formulate import Formulation
from optimizer.milp.instance import Solution
from optimizer.options.market import Listing
from optimizer.plans import Assignment, Bought, PoolUse, Rental, Usage
from optimizer.problem import OwnedAsset, Problem, PurchaseOption

NODE_STEPS = 1024
"""Owned nodes in use are counted in 1/1024 of a node: shares of a node are powers of two."""


@dataclass(slots=True)
class Extract:
    """Parts of a plan that follow from a solution alone."""

    rentals: list[Rental] = field(default_factory=list)
    bought: list[Bought] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    bill: list[tuple[str, Flow]] = field(default_factory=list)
    """(cause, flow)"""
    by_workload: dict[str, Decimal] = field(default_factory=dict)
    pool_shares: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    """(pool, workload) → its part of what the pool's nodes cost"""
    token_bills: dict[tuple[str, str, int], Decimal] = field(default_factory=dict)
    """(service, API, bucket) → paid for tokens"""
    utilisation: list[PoolUse] = field(default_factory=list)


def extract(problem: Problem, made: Formulation, solution: Solution) -> Extract:
    return _Reader(problem, made, solution).read()


K = TypeVar("K")
V = TypeVar("V")


def runs(by_day: Mapping[int, V]) -> Iterable[tuple[int, int, V]]:
    """Neighbouring days with equal values, as (first day, day after the last, value)."""
    days = sorted(by_day)
    begin = 0
    for i in range(1, len(days) + 1):
        if i == len(days) or days[i] != days[i - 1] + 1 or by_day[days[i]] != by_day[days[begin]]:
            yield days[begin], days[i - 1] + 1, by_day[days[begin]]
            begin = i


class _Reader:
    def __init__(self, problem: Problem, made: Formulation, solution: Solution) -> None:
        self.problem, self.made, self.solution = problem, made, solution
        self.costs, self.horizon = problem.costs, problem.horizon
        self.per_day = len(self.horizon.slices)
        self.out = Extract()
        self.used: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
        """(pool, workload) → node-hours"""
        self.available: dict[int, Decimal] = defaultdict(Decimal)
        self.pool_cost: dict[int, Decimal] = defaultdict(Decimal)
        self.direct: dict[str, Decimal] = defaultdict(Decimal)

    def read(self) -> Extract:
        self._terms()
        self._hours()
        self._assets()
        self._services()
        self._jobs()
        self._by_workload()
        self.out.rentals.sort(key=lambda r: (r.start, r.provider, r.offer, r.hours, r.workload))
        self.out.usages.sort(key=lambda u: (u.asset, u.start, u.hours, u.workload))
        self.out.assignments.sort(key=lambda a: (a.workload, a.start, a.node, a.hours, a.bucket))
        return self.out

    # -- helpers ---------------------------------------------------------------------------

    def _pay(self, cause: str, flows: Iterable[Flow], factor: Decimal | int = 1) -> Decimal:
        paid = Decimal(0)
        for flow in flows:
            scaled = Flow(flow.day, flow.amount * factor, flow.component)
            self.out.bill.append((cause, scaled))
            paid += scaled.amount
        return paid

    def _split(self, s: int) -> tuple[int, int]:
        """Day and number in the day of a slice."""
        return divmod(s, self.per_day)

    def _day_runs(self, values: Mapping[tuple[K, int], V]) -> Iterable[tuple[K, int, int, int, V]]:
        """(key, slice of the day, first day, day after, value) of runs of equal days."""
        tables: dict[tuple[K, int], dict[int, V]] = defaultdict(dict)
        for (key, s), value in values.items():
            day, k = self._split(s)
            tables[key, k][day] = value
        for (key, k), by_day in tables.items():
            for first, end, value in runs(by_day):
                yield key, k, first, end, value

    def _rental(
        self, listing: Listing, nodes: int, first: int, end: int, cost: Decimal, **more: object
    ) -> Rental:
        offer = listing.offer
        values: dict[str, object] = {
            "terms": 0,
            "hours": "00-24",
            "hours_per_day": 24,
            "workload": "",
            **more,
        }
        return Rental(
            offer=offer.sku,
            provider=offer.provider,
            region=offer.region,
            tier=str(offer.tier),
            purchase_model=str(offer.purchase_model),
            node=str(listing.kind),
            units_per_node=listing.units,
            nodes=nodes,
            start=self.horizon.day(first),
            end=self.horizon.day(end),
            quoted=offer.quoted,
            cost=cost,
            observed_at=offer.observed_at,
            age_days=offer.age_days(self.costs.book.as_of),
            confidence=offer.confidence,
            source=offer.source,
            **values,  # type: ignore[arg-type]
        )

    # -- renting ---------------------------------------------------------------------------

    def _terms(self) -> None:
        """Chains of back-to-back terms of one offer, of equally many nodes."""
        by_offer: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
        for (o, i), nodes in self.solution.start.items():
            begin = self.made.instance.term_offers[o].starts[i]
            by_offer[o][begin.day] = (begin.until, nodes)
        for o, starts in sorted(by_offer.items()):
            listing, pool = self.made.terms[o], self.made.instance.term_offers[o].pool
            left = dict(starts)
            for day in sorted(starts):
                if day not in left:
                    continue
                first, nodes, terms, cost = day, starts[day][1], 0, Decimal(0)
                while left.get(day, (0, 0))[1] == nodes:
                    until, _ = left.pop(day)
                    flows = self.costs.rental(listing.offer, listing.units, day)
                    cost += self._pay(listing.offer.sku, flows, nodes)
                    inside = min(until, self.horizon.n_days) - day
                    self.available[pool] += Decimal(24 * inside * nodes)
                    terms, day = terms + 1, until
                self.pool_cost[pool] += cost
                self.out.rentals.append(self._rental(listing, nodes, first, day, cost, terms=terms))

    def _hours(self) -> None:
        for o, k, first, end, nodes in self._day_runs(self.solution.hourly):
            listing, piece = self.made.hourly[o], self.horizon.slices[k]
            pool = self.made.instance.hourly_offers[o].pool
            cost = Decimal(0)
            for day in range(first, end):
                flows = self.costs.hourly(listing.offer, listing.units, day, piece.n_hours)
                cost += self._pay(listing.offer.sku, flows, nodes)
            self.available[pool] += Decimal(piece.n_hours * nodes * (end - first))
            self.pool_cost[pool] += cost
            self.out.rentals.append(
                self._rental(
                    listing,
                    nodes,
                    first,
                    end,
                    cost,
                    hours=str(piece),
                    hours_per_day=piece.n_hours,
                )
            )

    # -- owning ----------------------------------------------------------------------------

    def _assets(self) -> None:
        for cause, flow in self.problem.sunk:
            self.direct["(sunk)"] += self._pay(cause, [flow])
        for a, asset in enumerate(self.made.assets):
            pool = self.made.instance.assets[a].pool
            if isinstance(asset, PurchaseOption):
                self._purchases(a, asset, pool)
        for owned in self.problem.owned:
            paid = self._pay(owned.name, self.costs.owned(owned.item, owned.count))
            p = self._pool_of(owned)
            if p is None:
                self.direct["(idle)"] += paid
            else:
                self.pool_cost[p] += paid
                days = self.horizon.n_days - owned.first_day
                self.available[p] += Decimal(24 * days * owned.count)
        busy = {key: in_steps(nodes) for key, nodes in self.solution.busy.items()}
        for a, k, first, end, nodes in self._day_runs({x: n for x, n in busy.items() if n}):
            asset, piece = self.made.assets[a], self.horizon.slices[k]
            flows = [self.costs.busy_energy(asset.item, t, piece) for t in range(first, end)]
            paid = self._pay(asset.name, (f for f in flows if f.amount), nodes)
            self.pool_cost[self.made.instance.assets[a].pool] += paid
            self.out.usages.append(
                self._usage(asset.name, nodes, first, end, str(piece), worked=piece.n_hours)
            )
        free = {key: in_steps(nodes) for key, nodes in self.solution.free.items()}
        for q, k, first, end, nodes in self._day_runs({x: n for x, n in free.items() if n}):
            quota, piece = self.made.instance.quotas[q], self.horizon.slices[k]
            self.available[quota.pool] += nodes * piece.n_hours * (end - first)
            self.out.usages.append(
                self._usage(quota.name, nodes, first, end, str(piece), worked=piece.n_hours)
            )

    def _pool_of(self, owned: OwnedAsset) -> int | None:
        pool = (owned.kind, False)
        return self.made.pools.index(pool) if pool in self.made.pools else None

    def _usage(
        self,
        name: str,
        nodes: Decimal,
        first: int,
        end: int,
        hours: str,
        *,
        worked: int,
        workload: str = "",
    ) -> Usage:
        start, until = self.horizon.day(first), self.horizon.day(end)
        return Usage(name, nodes, start, until, hours, worked, workload)

    def _purchases(self, a: int, option: PurchaseOption, pool: int) -> None:
        holds = self.made.instance.assets[a].holds
        for (asset, i), nodes in sorted(self.solution.hold.items()):
            if asset != a:
                continue
            hold = holds[i]
            flows = self.costs.purchase(option.item, hold.day, hold.until)
            self.pool_cost[pool] += self._pay(option.name, flows, nodes)
            delivered = hold.day + option.item.lead_time
            first = max(delivered, self.costs.from_day)
            self.available[pool] += Decimal(24 * (hold.until - first) * nodes)
            price = sum((f.amount for f in flows if f.component == "purchase"), Decimal(0))
            resale = -sum((f.amount for f in flows if f.component == "resale"), Decimal(0))
            self.out.bought.append(
                Bought(
                    option.name,
                    str(option.kind),
                    nodes,
                    self.horizon.day(hold.day),
                    self.horizon.day(delivered),
                    self.horizon.day(hold.until),
                    price * nodes,
                    resale * nodes,
                    option.item.source,
                )
            )

    # -- workloads -------------------------------------------------------------------------

    def _services(self) -> None:
        for v, service in enumerate(self.made.instance.services):
            demand = self.problem.services[v]
            serve = {((c,), s): n for (i, c, s), n in self.solution.serve.items() if i == v}
            for (c,), k, first, end, replicas in self._day_runs(serve):
                option, piece = service.replicas[c], self.horizon.slices[k]
                kind, spot = self.made.pools[option.pool]
                source = demand.options[self.made.replicas[v][c]]
                hours = Decimal(piece.n_hours * (end - first) * replicas)
                self.used[option.pool, service.name] += hours * Decimal(str(option.share))
                self.out.assignments.append(
                    self._assignment(
                        service.name, str(kind), first, end, k,
                        spot=spot, gpus=source.gpus, count=replicas, label=source.label,
                    )
                )  # fmt: skip
            self._api_use(v)

    def _api_use(self, v: int) -> None:
        demand = self.problem.services[v]
        name = demand.service.name
        api = {
            (a, s): Decimal(f"{load:.12g}")
            for (i, a, s), load in self.solution.api.items()
            if i == v
        }
        for a, k, first, end, load in self._day_runs(api):
            (offer, b), n = demand.token_uses[a], self.horizon.slices[k].n_hours
            prompt, output = demand.tokens_per_hour(b)
            flows = (
                self.costs.tokens(offer, prompt * load * n, output * load * n, t)
                for t in range(first, end)
            )
            api_name = f"{offer.provider}/{offer.provider_model}"
            paid = self._pay(api_name, flows)
            self.direct[name] += paid
            key = (name, api_name, b)
            self.out.token_bills[key] = self.out.token_bills.get(key, Decimal(0)) + paid
            bucket = demand.buckets[b].label if demand.buckets else ""
            self.out.assignments.append(
                self._assignment(
                    name, api_name, first, end, k, load=load, label="api", bucket=bucket
                )
            )

    def _jobs(self) -> None:
        jobs = self.made.instance.jobs
        for (j, g), k, first, end, _ in self._day_runs(
            {((j, g), s): n for (j, g, s), n in self.solution.run.items()}
        ):
            gang, piece = jobs[j].gangs[g], self.horizon.slices[k]
            hours = Decimal(piece.n_hours * (end - first) * gang.nodes)
            self.used[gang.pool, jobs[j].name] += hours
            self._job_assignment(j, g, first, end, k)
        hours_by = {((j, g), s): n for (j, g, s), n in self.solution.hours.items()}
        for (j, g), k, first, end, worked in self._day_runs(hours_by):
            gang, name = jobs[j].gangs[g], jobs[j].name
            within = str(self.horizon.slices[k])
            self._job_assignment(j, g, first, end, k)
            if gang.quota >= 0:
                self.used[gang.pool, name] += Decimal(gang.nodes * worked * (end - first))
                self.available[gang.pool] += Decimal(gang.nodes * worked * (end - first))
                quota = self.made.instance.quotas[gang.quota].name
                nodes = Decimal(gang.nodes)
                self.out.usages.append(
                    self._usage(quota, nodes, first, end, within, workload=name, worked=worked)
                )
                continue
            listing = self.made.hourly[gang.hourly]
            cost = Decimal(0)
            for day in range(first, end):
                flows = self.costs.hourly(listing.offer, listing.units, day, worked)
                cost += self._pay(listing.offer.sku, flows, gang.nodes)
            self.direct[name] += cost
            self.out.rentals.append(
                self._rental(
                    listing,
                    gang.nodes,
                    first,
                    end,
                    cost,
                    hours=within,
                    hours_per_day=worked,
                    workload=name,
                )
            )
        for j in self.solution.moved:
            demand = self.problem.jobs[j]
            price = self.problem.schedule.document.market.transfer
            if price is not None:
                flow = self.costs.transfer(price, demand.job.data, demand.first)
                self.direct[demand.job.name] += self._pay(demand.job.name, [flow])
                self.out.moved.append(demand.job.name)

    def _job_assignment(self, j: int, g: int, first: int, end: int, k: int) -> None:
        gang = self.made.instance.jobs[j].gangs[g]
        kind, spot = self.made.pools[gang.pool]
        option = self.problem.jobs[j].options[self.made.gangs[j][g]]
        self.out.assignments.append(
            self._assignment(
                option.workload, str(kind), first, end, k,
                spot=spot, gpus=kind.count * gang.nodes, count=gang.nodes,
                label=option.label, site=gang.site,
            )
        )  # fmt: skip

    def _assignment(
        self,
        workload: str,
        node: str,
        first: int,
        end: int,
        k: int,
        *,
        label: str,
        spot: bool = False,
        gpus: int = 0,
        count: int = 0,
        load: Decimal = Decimal(0),
        site: str = "",
        bucket: str = "",
    ) -> Assignment:
        start, until = self.horizon.day(first), self.horizon.day(end)
        hours = str(self.horizon.slices[k])
        return Assignment(
            workload, node, spot, gpus, count, load, site, start, until, hours, label, bucket
        )

    # -- accounts --------------------------------------------------------------------------

    def _by_workload(self) -> None:
        """Each pool's cost is shared by the node-hours its users took; unused pools are idle."""
        shares: dict[str, Decimal] = defaultdict(Decimal, self.direct)
        for p, cost in self.pool_cost.items():
            users = {w: hours for (pool, w), hours in sorted(self.used.items()) if pool == p}
            whole = sum(users.values(), Decimal(0))
            given = Decimal(0)
            for i, (workload, hours) in enumerate(users.items()):
                part = cost - given if i == len(users) - 1 else cost * hours / whole
                shares[workload] += part
                self.out.pool_shares[p, workload] = part
                given += part
            if not users:
                shares["(idle)"] += cost
        self.out.by_workload = dict(sorted(shares.items()))
        for p, (kind, spot) in enumerate(self.made.pools):
            if self.available[p]:
                used = sum((h for (pool, _), h in self.used.items() if pool == p), Decimal(0))
                name = f"{kind} spot" if spot else str(kind)
                self.out.utilisation.append(PoolUse(name, self.available[p], used))


def in_steps(nodes: float) -> Decimal:
    return Decimal(round(nodes * NODE_STEPS)) / NODE_STEPS
