"""What serves which size of request in a plan, how full it is, and what each size costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from optimizer.extract import Extract, runs
from optimizer.milp.routing import routes
from optimizer.plans import BucketUse, ReplicaUse, Route
from optimizer.problem import SECONDS_PER_HOUR, ServiceDemand
from optimizer.solved import Solved

PLACES = Decimal("1e-9")
"""To which shares of a bucket's requests are rounded."""


@dataclass(frozen=True, slots=True)
class MixUse:
    """Parts of a plan that only services with several sizes of requests have."""

    routes: tuple[Route, ...]
    bucket_use: tuple[BucketUse, ...]
    replica_use: tuple[ReplicaUse, ...]


def mix_use(solved: Solved, parts: Extract) -> MixUse:
    """How every mix is served.

    Args:
        parts: of the plan of `solved`.
    """
    services = solved.made.instance.services
    by_service: dict[int, dict[tuple[int, int, int], Decimal]] = {
        v: {} for v, service in enumerate(services) if service.buckets
    }
    for (v, b, c, s), share in routes(solved.made.instance, solved.solution).items():
        by_service[v][b, c, s] = Decimal(repr(share)).quantize(PLACES)
    made = [_Mix(solved, parts, v, shares) for v, shares in by_service.items()]
    return MixUse(
        tuple(line for mix in made for line in mix.routes()),
        tuple(line for mix in made for line in mix.bucket_use()),
        tuple(line for mix in made for line in mix.replica_use()),
    )


class _Mix:
    """One service, with the share of every bucket that each replica serves in each slice."""

    def __init__(
        self,
        solved: Solved,
        parts: Extract,
        v: int,
        shares: Mapping[tuple[int, int, int], Decimal],
    ) -> None:
        self.solved, self.parts, self.v, self.shares = solved, parts, v, shares
        self.demand: ServiceDemand = solved.problem.services[v]
        self.service = solved.made.instance.services[v]
        self.slices = solved.problem.horizon.slices
        self.requests: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
        """(bucket, replica) → requests"""
        for (b, c, s), share in shares.items():
            asked = self._requests_per_s(b, s) * self._hours(s) * SECONDS_PER_HOUR
            self.requests[b, c] += share * asked

    def _requests_per_s(self, b: int, s: int) -> Decimal:
        share = Decimal(repr(self.service.buckets[b]))
        return share * Decimal(repr(self.service.load[s]))

    def _hours(self, s: int) -> int:
        return self.slices[s % len(self.slices)].n_hours

    def _replica(self, c: int) -> tuple[str, bool, int]:
        """Node, spot and GPUs of a replica."""
        kind, spot = self.solved.made.pools[self.service.replicas[c].pool]
        option = self.demand.options[self.solved.made.replicas[self.v][c]]
        return str(kind), spot, option.gpus

    def _busy_hours(self, b: int, c: int) -> Decimal:
        rate = Decimal(repr(self.service.replicas[c].rates[b]))
        return self.requests[b, c] / rate / SECONDS_PER_HOUR

    def routes(self) -> Iterator[Route]:
        by_day: dict[tuple[int, int, int], dict[int, Decimal]] = defaultdict(dict)
        for (b, c, s), share in self.shares.items():
            day, k = divmod(s, len(self.slices))
            by_day[b, c, k][day] = share
        day_of = self.solved.problem.horizon.day
        for (b, c, k), days in sorted(by_day.items()):
            node, spot, gpus = self._replica(c)
            for first, end, share in runs(days):
                yield Route(
                    self.service.name, self.demand.buckets[b].label, node, spot, gpus, share,
                    day_of(first), day_of(end), str(self.slices[k]),
                )  # fmt: skip

    def bucket_use(self) -> Iterator[BucketUse]:
        """By bucket: replicas first, then APIs."""
        name = self.service.name
        busy: dict[int, Decimal] = defaultdict(Decimal)
        """Pool → replica-hours of work, weighed with the share of a node that a replica takes"""
        for b, c in self.requests:
            replica = self.service.replicas[c]
            busy[replica.pool] += self._busy_hours(b, c) * Decimal(repr(replica.share))
        bought = self._bought()
        for b, bucket in enumerate(self.demand.buckets):
            for c, replica in enumerate(self.service.replicas):
                if not self.requests.get((b, c)):
                    continue
                hours = self._busy_hours(b, c)
                part = hours * Decimal(repr(replica.share)) / busy[replica.pool]
                cost = self.parts.pool_shares[replica.pool, name] * part
                node, spot, gpus = self._replica(c)
                requests = self.requests[b, c]
                yield BucketUse(name, bucket.label, node, spot, gpus, requests, hours, cost)
            for api, requests in bought[b].items():
                cost = self.parts.token_bills[name, api, b]
                nothing = Decimal(0)
                yield BucketUse(name, bucket.label, api, False, 0, requests, nothing, cost)

    def _bought(self) -> list[dict[str, Decimal]]:
        """[bucket] API → requests through it."""
        bought: list[dict[str, Decimal]] = [{} for _ in self.demand.buckets]
        for (v, a, s), load in sorted(self.solved.solution.api.items()):
            if v == self.v:
                offer, b = self.demand.token_uses[a]
                api = f"{offer.provider}/{offer.provider_model}"
                requests = Decimal(f"{load:.12g}") * self._hours(s) * SECONDS_PER_HOUR
                bought[b][api] = bought[b].get(api, Decimal(0)) + requests
        return bought

    def replica_use(self) -> Iterator[ReplicaUse]:
        there: dict[int, Decimal] = defaultdict(Decimal)
        for (v, c, s), replicas in self.solved.solution.serve.items():
            if v == self.v:
                there[c] += Decimal(self._hours(s) * replicas)
        for c, hours in sorted(there.items()):
            node, spot, gpus = self._replica(c)
            busy = sum(
                (self._busy_hours(b, c) for b, used in self.requests if used == c), Decimal(0)
            )
            yield ReplicaUse(self.service.name, node, spot, gpus, hours, busy)
