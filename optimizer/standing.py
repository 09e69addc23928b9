"""How things stand on a day in the middle of a schedule: what is paid, what runs, what is done.

A plan that was made again carries it (`replanned_from`), so that it can be checked and replanned
without the files it came from. Days are dates, work is in the job's unit, money in the currency of
the schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from providers.hardware import node_kind
from providers.money import Money
from providers.offers import Offer
from providers.terms import Increment, PurchaseModel, Tenor, Tier


@dataclass(frozen=True, slots=True)
class SunkLine:
    """Money that no decision from today on can change: paid, or owed for what was agreed."""

    day: date
    component: str
    cause: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RunningTerm:
    """Nodes whose rental began before today and goes on; every bill of it is sunk."""

    offer: str
    provider: str
    region: str
    tier: str
    purchase_model: str
    node: str
    nodes: int
    start: date
    """First day of the term that runs."""
    until: date
    """First day no longer rented."""
    price: Decimal
    """Of one node and increment, as it was quoted."""
    currency: str
    increment: str
    observed_at: date
    confidence: str
    source: str

    @property
    def name(self) -> str:
        """Tells it from the offer, which may be ordered again."""
        return f"{self.offer} (paid, since {self.start})"

    def as_offer(self, today: date) -> Offer:
        """What is left of it, as an offer of so many nodes for just as long."""
        kind = node_kind(self.node)
        return Offer(
            provider=self.provider,
            sku=self.name,
            instance_type=self.node,
            region=self.region,
            tier=Tier(self.tier),
            gpu=kind.gpu,
            gpu_count=kind.count,
            interconnect="unknown",
            vcpu=None,
            ram_gb=None,
            purchase_model=PurchaseModel(self.purchase_model),
            increment=Increment(self.increment),
            tenor=Tenor(days=(self.until - today).days),
            price=Money(self.price, self.currency),
            upfront=Money(Decimal(0), self.currency),
            tax_included=None,
            min_units=1,
            max_units=self.nodes,
            max_gpus_per_host=kind.count,
            observed_at=self.observed_at,
            valid_until=None,
            confidence=self.confidence,
            source=self.source,
        )


@dataclass(frozen=True, slots=True)
class KeptNodes:
    """Nodes bought before today and not sold: there, or paid and on their way."""

    option: str
    """Name of the purchase option they were bought on."""
    node: str
    nodes: int
    paid: date
    sold: date
    """Day of sale in the plan that bought them."""

    @property
    def name(self) -> str:
        return f"{self.node}, bought {self.paid}"


@dataclass(frozen=True, slots=True)
class JobDone:
    """Work of a job that is done."""

    job: str
    work: Decimal
    """Tokens, requests or GPU-hours."""


@dataclass(frozen=True, slots=True)
class Continued:
    """A job that may not pause, in the middle of its run."""

    job: str
    node: str
    spot: bool
    nodes: int
    site: str
    by_hour: bool
    """Whether its nodes are rented for the hours it runs."""


@dataclass(frozen=True, slots=True)
class LoadFactor:
    """A service's load from today on, as a multiple of what the schedule says."""

    service: str
    factor: float


@dataclass(frozen=True, slots=True)
class Lost:
    """Owned nodes that are there no more."""

    asset: str
    nodes: int


@dataclass(frozen=True, slots=True)
class NewDeadline:
    job: str
    deadline: date


@dataclass(frozen=True, slots=True)
class QuotaUsed:
    """Hours of a free quota that were used before today, in today's month."""

    quota: str
    hours: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """The state on the morning of `today`."""

    today: date
    """First day that is planned anew."""
    plan_sha256: str = ""
    """Of the plan that was followed until today."""
    sunk: tuple[SunkLine, ...] = ()
    running: tuple[RunningTerm, ...] = ()
    kept: tuple[KeptNodes, ...] = ()
    done: tuple[JobDone, ...] = ()
    continued: tuple[Continued, ...] = ()
    moved: tuple[str, ...] = ()
    """Jobs whose data was moved to rented nodes, and is there."""
    loads: tuple[LoadFactor, ...] = ()
    lost: tuple[Lost, ...] = ()
    deadlines: tuple[NewDeadline, ...] = ()
    quotas: tuple[QuotaUsed, ...] = ()

    @property
    def total(self) -> Decimal:
        """Sunk money, undiscounted."""
        return sum((line.amount for line in self.sunk), Decimal(0))

    @property
    def paid_terms(self) -> frozenset[str]:
        """Names of the offers that stand for what runs already."""
        return frozenset(term.name for term in self.running)

    def work_done(self, job: str) -> Decimal:
        return sum((item.work for item in self.done if item.job == job), Decimal(0))

    def load_factor(self, service: str) -> float:
        return next((item.factor for item in self.loads if item.service == service), 1.0)
