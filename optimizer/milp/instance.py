"""The border to the solver: sets and numbers, no dates, no money, no solver object. It pickles.

Time is periods (one day each in the exact model, several days in the merged relaxation), each cut
into slices; `s` numbers the slices of all periods in order. Names are the letters of MODEL.md.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

INF = float("inf")


@dataclass(frozen=True, slots=True)
class SlicePoint:
    """One slice of one period."""

    period: int
    hours: float
    """Hours of one day that the slice has."""


@dataclass(frozen=True, slots=True)
class Start:
    """A column of `start` or `hold`: one unit whose term begins at one point."""

    day: int
    cost: float
    """Present value of all its flows."""
    cover: tuple[tuple[int, float], ...]
    """(period, share of the period's days it covers); shares are 1 in the exact model."""
    cash: tuple[tuple[int, float], ...] = ()
    """(month, money paid in it, undiscounted); only where a budget or cash limit needs it."""
    until: int = 0
    """Day it ends (first day not covered, or day of sale)."""
    group: int = -1
    """Merged starts of one group are parts of whole ones: only their sum is whole. -1: alone."""


@dataclass(frozen=True, slots=True)
class TermOffer:
    """A rental that is paid for whole terms: a day, a week, a month, a year."""

    name: str
    pool: int
    site: str
    starts: tuple[Start, ...]
    stock: float = INF
    least: int = 1
    """Smallest number of units of one order."""


@dataclass(frozen=True, slots=True)
class HourlyOffer:
    """A rental that can be given back after any hour."""

    name: str
    pool: int
    site: str
    cost: tuple[float, ...]
    """[s] present value of one node for one hour."""
    price: float
    """Undiscounted cost of a node-hour, for budgets."""
    stock: float = INF
    efficiency: float = 1.0
    """Work done per hour against an uninterrupted node (spot restarts)."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Instances of one offer that is listed on nodes of several sizes."""

    name: str
    stock: float
    """Instances that can be had at once."""
    terms: tuple[tuple[int, int], ...]
    """(term offer, instances in one of its nodes)"""
    hourly: tuple[tuple[int, int], ...]
    """(hourly offer, instances in one of its nodes)"""


@dataclass(frozen=True, slots=True)
class Asset:
    """Nodes that are owned: bought earlier (`owned`), or bought in the plan (`holds`)."""

    name: str
    pool: int
    owned: tuple[float, ...]
    """[period] nodes there whatever the plan does."""
    holds: tuple[Start, ...]
    """Purchases: paid on `day`, sold on `until`."""
    most: float
    """Most bought nodes at once."""
    busy: tuple[float, ...]
    """[s] present value of using one node for the slice's hours of one day."""
    busy_cash: tuple[float, ...]
    """[s] the same, undiscounted."""
    kilowatts: float = 0.0
    rack_units: float = 0.0
    site: str = "own"
    """Where they stand; elsewhere only where rented nodes are given in place of their terms."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Free capacity: so many nodes, so many node-hours a month."""

    name: str
    pool: int
    nodes: tuple[float, ...]
    """[period]"""
    hours_per_month: float


@dataclass(frozen=True, slots=True)
class ReplicaOption:
    """A replica of a service on a share of a node of a pool."""

    pool: int
    share: float
    capacity: float
    """Load it carries; not used where the service has buckets."""
    rates: tuple[float, ...] = ()
    """[bucket] requests/s of that size alone, 0: it cannot serve them; empty: no buckets."""


@dataclass(frozen=True, slots=True)
class ApiOption:
    """A token API for a service, or for one bucket of it."""

    name: str
    cost: tuple[float, ...]
    """[s] present value of one unit of load for the slice's hours of one day."""
    cash: tuple[float, ...]
    bucket: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    load: tuple[float, ...]
    """[s] in the service's unit, mean of the period's days."""
    headroom: float
    replicas: tuple[ReplicaOption, ...]
    apis: tuple[ApiOption, ...]
    least_replicas: int = 0
    buckets: tuple[float, ...] = ()
    """Share of the load that each size of request has, above 0; empty: one size for all."""

    worths: tuple[tuple[float, ...], ...] = ()
    """Each [bucket] what one request is worth, 1 on average: the load is told by these (`worth`),
    and no longer by routes. Empty: by routes."""

    @property
    def routed(self) -> bool:
        """Whether every bucket is routed to replicas column by column."""
        return bool(self.buckets) and not self.worths

    def earnings(self, worth: tuple[float, ...], c: int) -> float:
        """Worth of the load that a replica of size c can carry, at most."""
        if not self.buckets:
            return self.replicas[c].capacity
        return max(w * rate for w, rate in zip(worth, self.replicas[c].rates, strict=True))

    def bucket_load(self, b: int, s: int) -> float:
        """Load of one bucket in a slice; of all where the service has none."""
        return self.load[s] * self.buckets[b] if self.buckets else self.load[s]

    def busy_replicas(self, b: int, c: int, s: int) -> float:
        """Replicas of size c that all requests of a bucket would keep busy, with headroom."""
        load = self.bucket_load(b, s) * (1 + self.headroom)
        return load / self.replicas[c].rates[b]


@dataclass(frozen=True, slots=True)
class GangOption:
    """A configuration of a job: equal nodes of one pool, at one site when there are several."""

    pool: int
    nodes: int
    rate: float
    """Work per hour of the gang."""
    site: str = ""
    """Empty: one node, wherever the pool has it. ``own``: on owned nodes."""
    hourly: int = -1
    """Index of the hourly offer it runs on by the hour; -1: on capacity of the pool."""
    hour_cost: tuple[float, ...] = ()
    """[s] present value of a gang-hour on that offer."""
    hour_cash: float = 0.0
    rented: bool = False
    """Whether data must be moved to it: no owned node of the pool can be what it runs on."""
    quota: int = -1
    """Index of the free quota it runs on by the hour; -1: none."""
    most: int = 1
    """How often it may run at once; 1 but in a relaxation (`gangs`)."""

    @property
    def by_hour(self) -> bool:
        """Whether it holds its nodes for the hours it works; else for whole slices."""
        return self.hourly >= 0 or self.quota >= 0


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    work: float
    first: int
    """First day it may run."""
    last: int
    """Last day it may run."""
    gangs: tuple[GangOption, ...]
    contiguous: bool = False
    after: tuple[int, ...] = ()
    move_cost: float = 0.0
    """Present value of moving its data to rented nodes, once."""
    move_cash: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    budget: tuple[float, ...] = ()
    """[month]; INF where free. Empty: no budget."""
    cash: float = INF
    fixed_cash: tuple[float, ...] = ()
    """[month] paid whatever the plan does."""
    kilowatts: float = INF
    rack_units: float = INF
    sellers: float = INF
    """Most sellers that are asked; those are the counted `choices`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Things to use that are one decision: all of one seller, one offer, one way to buy."""

    name: str
    terms: tuple[int, ...] = ()
    hourly: tuple[int, ...] = ()
    apis: tuple[tuple[int, int], ...] = ()
    """(service, API)"""
    assets: tuple[int, ...] = ()
    beyond: int = 0
    """Nodes of each asset that may be bought without making the choice."""
    fewer: int = 0
    """Buying fewer of the assets than this, together, is making the choice."""
    counted: bool = False
    """Whether it counts against `Limits.sellers`."""
    charge: float = 0.0
    """What making it seems to cost, beside its price: a plan changes only for more than this."""
    least: float = 0.0
    """Least use: terms, node-hours, nodes bought, and slices of load through APIs, together."""

    @property
    def decided(self) -> bool:
        """Whether the model must know if it is made."""
        return self.counted or self.charge > 0


@dataclass(frozen=True)
class Instance:
    """One optimisation problem."""

    period_days: tuple[int, ...]
    slices: tuple[SlicePoint, ...]
    pools: tuple[str, ...]
    month_of_period: tuple[int, ...]
    term_offers: tuple[TermOffer, ...] = ()
    hourly_offers: tuple[HourlyOffer, ...] = ()
    assets: tuple[Asset, ...] = ()
    quotas: tuple[Quota, ...] = ()
    lots: tuple[Lot, ...] = ()
    services: tuple[Service, ...] = ()
    jobs: tuple[Job, ...] = ()
    limits: Limits = field(default_factory=Limits)
    constant: float = 0.0
    """Present value of what is paid whatever the plan does."""
    least_bought: tuple[tuple[tuple[int, ...], int], ...] = ()
    """(assets, fewest nodes bought of them together): break-even points ask for what would not
    be bought by itself. Empty in a plan."""
    choices: tuple[Choice, ...] = ()
    prices_by_day: bool = False
    """Whether an hour may cost differently on every day, and INF where it is not to be had."""

    @cached_property
    def exact(self) -> bool:
        """Whether every period is one day, so that whole numbers mean what they say."""
        return all(days == 1 for days in self.period_days)

    def days_before(self) -> list[int]:
        """[period] first day of each period; one more entry at the end."""
        firsts = [0]
        for days in self.period_days:
            firsts.append(firsts[-1] + days)
        return firsts

    def slice_days(self, s: int) -> int:
        return self.period_days[self.slices[s].period]

    def slices_of_days(self, first: int, last: int) -> range:
        """Slices of the periods that touch the days `first` to `last` (included)."""
        n_periods = len(self.period_days)
        per_period = len(self.slices) // n_periods
        begin = max(0, bisect_right(self._firsts, first) - 1)
        end = min(n_periods, bisect_right(self._firsts, last))
        return range(begin * per_period, max(begin, end) * per_period)

    def window_share(self, j: int, s: int) -> float:
        """Share of a slice's days on which a job may run."""
        job, t = self.jobs[j], self.slices[s].period
        first, after = self._firsts[t], self._firsts[t + 1]
        return (min(after, job.last + 1) - max(first, job.first)) / (after - first)

    @cached_property
    def _firsts(self) -> list[int]:
        return self.days_before()


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of the columns that are not zero, and how good they are proven to be."""

    objective: float
    bound: float
    start: dict[tuple[int, int], int]
    """(term offer, index of its start) → units."""
    hourly: dict[tuple[int, int], int]
    """(hourly offer, slice) → nodes for the whole slice."""
    hold: dict[tuple[int, int], int]
    """(asset, index of its hold) → nodes."""
    busy: dict[tuple[int, int], float]
    """(asset, slice) → owned nodes in use."""
    free: dict[tuple[int, int], float]
    """(quota, slice) → free nodes in use."""
    serve: dict[tuple[int, int, int], int]
    """(service, replica option, slice) → replicas."""
    api: dict[tuple[int, int, int], float]
    """(service, API, slice) → load."""
    run: dict[tuple[int, int, int], int]
    """(job, gang, slice) → 1 when it runs through the slice on pool capacity."""
    hours: dict[tuple[int, int, int], int]
    """(job, gang, slice) → hours it runs on nodes rented by the hour, or free."""
    moved: tuple[int, ...] = ()
    """Jobs whose data is moved to rented nodes."""

    @property
    def gap(self) -> float:
        """Share by which the plan may at most be too dear: (objective - bound) / objective."""
        if self.objective <= self.bound:
            return 0.0
        return (self.objective - self.bound) / max(abs(self.objective), 1e-9)
