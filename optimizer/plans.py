"""The answer: what to rent and buy, what runs where and when, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from optimizer.standing import Standing
from providers.offers import PriceSource

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rental:
    """Nodes rented on one offer: back-to-back terms, or the same hours of neighbouring days."""

    offer: str
    """SKU in the price table."""
    provider: str
    region: str
    tier: str
    purchase_model: str
    node: str
    units_per_node: int
    """Quoted instances that make one node."""
    nodes: int
    start: date
    end: date
    """First day no longer rented."""
    terms: int
    """Terms paid for, one after the other; 0 when billed by the hour."""
    hours: str
    """Hours of the day, ``00-24`` for all of it."""
    hours_per_day: int
    """Node-hours billed each day of one node; 24 for terms."""
    workload: str
    """The job it is rented for by the hour; empty for capacity that workloads share."""
    quoted: str
    """Price as quoted, such as ``1,052.00 CNY a month``."""
    cost: Decimal
    observed_at: date
    age_days: int
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Bought:
    """Nodes bought on one day, and sold on one day or kept until the horizon ends."""

    option: str
    node: str
    nodes: int
    paid: date
    usable: date
    sold: date
    """Day after the last use; the horizon's end counts as a sale at the residual value."""
    price: Decimal
    """Paid for all of them, in the reporting currency."""
    resale: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A workload on hardware, on neighbouring days, in some hours of each."""

    workload: str
    node: str
    """Node kind, or the API's name."""
    spot: bool
    gpus: int
    """Of one replica; all GPUs of the gang for a job; 0 for an API."""
    count: int
    """Replicas of a service, nodes of a job's gang; 0 for an API."""
    load: Decimal
    """Load through an API; 0 otherwise."""
    site: str
    """Where a gang of several nodes stands; empty when it does not matter."""
    start: date
    end: date
    """First day no longer assigned."""
    hours: str
    label: str
    """measured, interpolated or modelled; ``api`` for an API."""
    bucket: str = ""
    """Size of the requests that go through an API, where a service has several; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Owned nodes or free quota in use, on neighbouring days, in some hours of each."""

    asset: str
    nodes: Decimal
    start: date
    end: date
    """First day no longer used."""
    hours: str
    """Hours of the day within which it is used."""
    hours_per_day: int
    """How many of them: all, or fewer for a job on a free quota."""
    workload: str
    """The job that holds a free quota by the hour; empty for capacity that workloads share."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a router sends requests of one size, on neighbouring days, in some hours of each."""

    workload: str
    bucket: str
    """Prompt/output tokens, as in the schedule: ``250-500/100-250``."""
    node: str
    spot: bool
    gpus: int
    """Of one replica."""
    share: Decimal
    """Of the requests of that size; what is left goes through APIs."""
    start: date
    end: date
    """First day no longer routed so."""
    hours: str


@dataclass(frozen=True, slots=True)
class BucketUse:
    """What one kind of replica, or one API, does for requests of one size, and what that costs."""

    workload: str
    bucket: str
    node: str
    """Node kind, or the API's name."""
    spot: bool
    gpus: int
    """Of one replica; 0 for an API."""
    requests: Decimal
    busy_hours: Decimal
    """Replica-hours spent on them, headroom not counted; 0 for an API."""
    cost: Decimal
    """Undiscounted; that of nodes is shared by the time spent."""


@dataclass(frozen=True, slots=True)
class ReplicaUse:
    """How much of its time one kind of replica of a service works."""

    workload: str
    node: str
    spot: bool
    gpus: int
    replica_hours: Decimal
    busy_hours: Decimal
    """Headroom not counted."""

    @property
    def utilisation(self) -> Decimal:
        return self.busy_hours / self.replica_hours


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of the bill: a component (rent, electricity …) for one cause."""

    component: str
    cause: str
    """Offer, asset, API or workload the money is paid for."""
    amount: Decimal
    present_value: Decimal


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How much of the capacity of one kind of node is used."""

    node: str
    available_node_hours: Decimal
    used_node_hours: Decimal

    @property
    def utilisation(self) -> Decimal:
        return self.used_node_hours / self.available_node_hours


@dataclass(frozen=True, slots=True)
class Answer:
    """Best plan of one kind: all rent, all own, or the best mix of both."""

    kind: str
    """rent, own or mix"""
    total: Decimal | None
    """Undiscounted; None: no such plan."""
    npv: Decimal | None
    bound: Decimal | None
    """Proven least present value of any plan of this kind."""
    gap: float | None
    reason: str = ""
    """Why there is none."""
    nodes_bought: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """How a plan stays near an earlier one."""

    plan: str
    """File of the earlier plan."""
    tolerance: Decimal
    """Share of the least cost that each change has to save."""
    kept: tuple[str, ...]
    changed: tuple[str, ...]
    """New decisions: each saves more than the tolerance, or there is no plan without it."""
    dropped: tuple[str, ...]
    """Earlier decisions that are no longer of use."""
    free_npv: Decimal
    """Present value of the best plan found that keeps nothing."""
    extra: Decimal
    """What keeping costs more than that plan."""
    extra_most: Decimal
    """Proven: no plan at all saves more than this over the kept one."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one cause does to the cost, all earlier causes being there already."""

    cause: str
    """optimiser, jobs, load and nodes, bills, prices"""
    total: Decimal
    """Undiscounted."""
    present_value: Decimal
    unsure: Decimal
    """Present value by which the two plans compared may at most miss their best, together."""


@dataclass(frozen=True, slots=True)
class Replanned:
    """What a plan made again in the middle of its horizon has changed."""

    sunk_total: Decimal
    sunk_present_value: Decimal
    rest_total: Decimal
    """What is still to be decided, by this plan."""
    rest_present_value: Decimal
    rest_bound: Decimal
    """Proven least present value of any rest."""
    old_total: Decimal
    """Of the plan that was followed: its days before today and its rest."""
    old_present_value: Decimal
    changes: tuple[Change, ...]
    """From the old plan to this one; they add up."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """The best plan of a kind that decides otherwise than the plan."""

    asked: str
    """Its kind: ``without acme``, ``buying 2xRTX4090``."""
    differs: str
    """What it does instead, in one line."""
    total: Decimal
    npv: Decimal
    extra: Decimal
    """Present value more than the plan's."""
    extra_least: Decimal
    """Proven: the best plan of all and the best of this kind differ by at least this."""
    extra_most: Decimal
    """Proven: they differ by at most this."""
    gap: float
    """Of the best plan of this kind."""
    providers: tuple[str, ...]
    bought: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlternativesSearch:
    """How the search for plans that decide otherwise went."""

    kinds: tuple[str, ...]
    """Kinds of plans that were looked for to the end: found, the plan itself, or proven not to
    exist."""
    unsettled: tuple[str, ...]
    """Kinds of which no plan was found in the time, and which are not proven not to exist."""
    not_asked: tuple[str, ...]
    """Kinds that no time was left for."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why something is not in the plan; or that it is, and what doing without it costs."""

    name: str
    sort: str
    """provider, purchase model, tier, offer, token API, hardware, commitments or tokens"""
    used: bool
    """Whether the plan uses it."""
    answer: str
    """In one sentence."""
    reasons: tuple[str, ...]
    """Why all or some of its offers never entered."""
    extra: Decimal | None
    """Present value that the best plan found with it costs more than the plan; without it, where
    the plan uses it. Null: there is no such plan, or none was found in time."""
    extra_least: Decimal | None
    """Proven: no plan with it (without it) costs less than this more than the best."""
    extra_most: Decimal | None
    """Proven: the best plan with it (without it) costs at most this more than the best."""
    enters_below: Decimal | None
    """Share of its prices of today at which the best plan uses it; proven."""
    stays_out_above: Decimal | None
    """Share of its prices of today at which the best plan does not use it; proven."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """What a small change of the schedule does to the least cost: by optimising again, and by the
    dual value of the linear relaxation."""

    change: str
    """One more user, a day less of deadline, one more unit of a limit."""
    extra: Decimal | None
    """Present value more, of the plans that were found; null: none was found."""
    extra_least: Decimal | None
    """Proven: the least cost changes by at least this; null: nothing is proven."""
    extra_most: Decimal | None
    """Proven: the least cost changes by at most this; null: nothing is proven."""
    impossible: bool
    """Proven: there is no plan with the change."""
    asked: bool
    """Whether it was optimised again. False: the plan as it is will do, and is proven to be as
    good as any; or no time was left, and there is no figure."""
    by_dual: Decimal | None
    """What the relaxation, which takes nodes and terms in parts, pays for the change. Proven: with
    n times the change no plan costs less than `relaxation.npv` + n times this, for any n. Null:
    no dual value tells it (a day of deadline, a provider), or none was found in time."""


@dataclass(frozen=True, slots=True)
class GpuDayPrice:
    """What one more GPU of a node costs on each day from `first` to `last`, by dual values."""

    node: str
    spot: bool
    first: date
    last: date
    price: Decimal
    """Present value per GPU-day."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The linear relaxation: nodes, terms, replicas and purchases in parts, any number of sellers.
    Its dual values are prices for everything at once."""

    npv: Decimal
    """Its least cost. Proven: no plan with more GPU-days in use, on any days together, costs less
    than this and their prices."""
    below: Decimal
    """How far that is below the plan."""
    gpu_days: tuple[GpuDayPrice, ...]
    """Of the nodes that the plan uses, on the days on which a workload may hold them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The best mix, with everything needed to read it, check it and repeat it."""

    name: str
    schedule: str
    schedule_sha256: str
    currency: str
    as_of: date
    tables: tuple[str, ...]
    price_sources: tuple[PriceSource, ...]
    """The price tables, with what finds them again."""
    prices_known_at: datetime | None
    """What the price store knew at this moment was used; null: no store was."""
    fx: tuple[str, ...]
    """Exchange rates used, with date and source."""
    first_day: date
    n_days: int
    answers: tuple[Answer, ...]
    rentals: tuple[Rental, ...]
    bought: tuple[Bought, ...]
    assignments: tuple[Assignment, ...]
    usages: tuple[Usage, ...]
    moved: tuple[str, ...]
    """Jobs whose data is moved to rented nodes, paid once."""
    ledger: tuple[LedgerLine, ...]
    by_workload: tuple[tuple[str, Decimal], ...]
    """Undiscounted cost by workload; ``(idle)`` is capacity nobody used."""
    cash_flow: tuple[tuple[str, Decimal], ...]
    """Month → paid in it, undiscounted; ``after`` for what falls past the horizon."""
    utilisation: tuple[PoolUse, ...]
    total: Decimal
    npv: Decimal
    bound: Decimal
    gap: float
    warnings: tuple[str, ...]
    rejected: tuple[tuple[str, str, str], ...]
    """(workload, hardware, reason)"""
    excluded: tuple[tuple[str, int], ...]
    """(reason, offers left out)"""
    breakeven: tuple[dict[str, Any], ...] = field(default=())
    routes: tuple[Route, ...] = ()
    """Of services whose requests come in several sizes: what serves which size, and when."""
    bucket_use: tuple[BucketUse, ...] = ()
    """The same over all days, with requests and costs."""
    replica_use: tuple[ReplicaUse, ...] = ()
    """How full the replicas of such services are."""
    wishes: tuple[str, ...] = ()
    """What was wanted of the plan beside the schedule, such as ``without aws``."""
    options: tuple[str, ...] = ()
    """The same, gap and time limit as `rentopt plan` takes them, where they are not the default:
    ``--gap 2%``."""
    kept: Kept | None = None
    """How it stays near an earlier plan, where that was asked."""
    alternatives: tuple[Alternative, ...] = ()
    """Near plans that decide otherwise, where they were asked for; the cheapest first."""
    indispensable: tuple[str, ...] = ()
    """Kinds of plans that were tried as alternatives, and proven not to exist."""
    alternatives_search: AlternativesSearch | None = None
    """What was looked for on the way; null: no alternatives were asked for."""
    why_not: tuple[WhyNot, ...] = ()
    """What was asked about, one by one."""
    marginal: tuple[Marginal, ...] = ()
    """What one more, or one less, of everything costs, where that was asked."""
    relaxation: Relaxation | None = None
    """What is behind the prices by dual values; null: not asked for, or not solved in time."""
    questions_cut_short: bool = False
    """Whether the time for questions ended before all of them were settled."""
    replanned_from: Standing | None = None
    """How things stood on the day from which the schedule was planned again; null: at the start."""
    replanned: Replanned | None = None
    """What planning again has changed, and why."""
    timings_s: tuple[tuple[str, float], ...] = field(default=())

    def answer(self, kind: str) -> Answer:
        return next(answer for answer in self.answers if answer.kind == kind)
