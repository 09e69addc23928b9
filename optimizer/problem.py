"""A schedule met with a market: everything the optimiser may choose from, still in domain terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from optimizer.costs import Costs, Flow
from optimizer.horizon import Horizon, cut_day
from optimizer.options.market import (
    WHOLE_MARKET,
    UsableMarket,
    View,
    market_filters,
    on_nodes,
    sold_alone,
    usable_market,
)
from optimizer.options.workloads import (
    JobOption,
    RejectedOption,
    ServiceOption,
    job_options,
    service_options,
)
from optimizer.schedule.demand import load_profile
from optimizer.schedule.document import (
    BatchInferenceJob,
    Bucket,
    FreeQuota,
    Market,
    OwnedHardware,
    Purchase,
    ServiceWorkload,
    TrainingJob,
)
from optimizer.schedule.quantities import hours_of_day
from optimizer.schedule.schedule import Schedule
from optimizer.standing import Standing
from providers.hardware import NodeKind, node_kind
from providers.money import Money
from providers.offers import OfferBook, TokenOffer, select

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class OwnedAsset:
    """Nodes bought earlier."""

    name: str
    kind: NodeKind
    item: OwnedHardware
    count: int
    first_day: int


@dataclass(frozen=True, slots=True)
class PurchaseOption:
    """Nodes that may be bought."""

    name: str
    kind: NodeKind
    item: Purchase
    most: int
    paid: int | None = None
    """Day they were paid, for nodes bought before today: all are held, the sale is open."""


@dataclass(frozen=True, slots=True)
class ServiceDemand:
    """A service with its load per day and slice, and all that can carry it."""

    service: ServiceWorkload
    load: tuple[tuple[float, ...], ...]
    """[day][slice] users or requests/s"""
    options: tuple[ServiceOption, ...]
    apis: tuple[TokenOffer, ...]

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """The sizes of its requests; empty where there is only one."""
        mix = self.service.mix
        return tuple(mix) if len(mix) > 1 else ()

    @property
    def token_uses(self) -> list[tuple[TokenOffer, int]]:
        """Every API for every bucket (0 where there are none), in the order of the model's."""
        return [(offer, b) for offer in self.apis for b in range(max(1, len(self.buckets)))]

    def tokens_per_hour(self, bucket: int = 0) -> tuple[Decimal, Decimal]:
        """Prompt and output tokens of one unit of load of a bucket in an hour.

        A user is a stream that is being answered at the floor speed; a request/s is what it says.
        """
        prompt, output = self.service.prompt_tokens, self.service.output_tokens
        if self.service.mix:
            size = self.service.mix[bucket]
            prompt, output = size.prompt_tokens.middle, size.output_tokens.middle
        if self.service.phases[0].users is None:
            per_hour = Decimal(SECONDS_PER_HOUR)
        else:
            per_hour = Decimal(str(self.service.floor)) / output * SECONDS_PER_HOUR
        return per_hour * prompt, per_hour * output


@dataclass(frozen=True, slots=True)
class JobDemand:
    """A batch job with its window in days, its work, and the gangs that can do it."""

    job: TrainingJob | BatchInferenceJob
    work: float
    first: int
    last: int
    options: tuple[JobOption, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What `formulate` turns into numbers, and what a `Plan` is read back with."""

    schedule: Schedule
    costs: Costs
    market: UsableMarket
    owned: tuple[OwnedAsset, ...]
    purchases: tuple[PurchaseOption, ...]
    quotas: tuple[tuple[FreeQuota, NodeKind], ...]
    services: tuple[ServiceDemand, ...]
    jobs: tuple[JobDemand, ...]
    rejected: tuple[RejectedOption, ...]
    standing: Standing | None = None
    """How things stand on the day from which it is planned again; None: at the start."""
    view: View = WHOLE_MARKET
    """How the market was looked at."""

    @property
    def horizon(self) -> Horizon:
        return self.costs.horizon

    @property
    def sunk(self) -> list[tuple[str, Flow]]:
        """(cause, flow) of what is paid, or owed, whatever is decided from today on."""
        lines = self.standing.sunk if self.standing else ()
        return [(x.cause, Flow(self.horizon.index(x.day), x.amount, x.component)) for x in lines]

    def without_purchases(self) -> Problem:
        """The all-rent question: nothing new is bought; what is owned already stays usable."""
        bought = tuple(option for option in self.purchases if option.paid is not None)
        return replace(self, purchases=bought)

    def without_renting(self) -> Problem:
        """The all-own question: owned and bought hardware only, no rental and no token API."""
        services = tuple(replace(demand, apis=()) for demand in self.services)
        paid = tuple(x for x in self.market.listings if x.offer.sku in self.costs.paid)
        market = replace(self.market, listings=paid)
        return replace(self, market=market, services=services, quotas=())


def gather(schedule: Schedule, book: OfferBook, view: View = WHOLE_MARKET) -> Problem:
    """Everything that can serve the schedule, with the reasons for what cannot."""
    document = schedule.document
    horizon = _horizon(schedule)
    fixed = {
        (pair.split("/")[0], pair.split("/")[1]): Decimal(str(rate))
        for pair, rate in document.money.fx.items()
    }
    book = replace(book, fx=replace(book.fx, fixed=fixed)) if fixed else book
    costs = Costs(horizon, schedule.currency, book, document.money)
    owned = tuple(_owned(i, item, horizon) for i, item in enumerate(document.hardware.owned))
    purchases = tuple(
        PurchaseOption(f"buy {node_kind(item.node)}", node_kind(item.node), item, item.max)
        for item in document.hardware.buy
    )
    quotas = tuple((quota, node_kind(quota.node)) for quota in document.market.free_quotas)
    kinds = {asset.kind for asset in owned} | {option.kind for option in purchases}
    kinds |= {kind for _, kind in quotas}
    kinds |= _rentable(schedule, book)
    services, jobs, rejected = _workloads(schedule, horizon, book, sorted(kinds))
    useful = {o.kind for s in services for o in s.options} | {
        o.kind for j in jobs for o in j.options
    }
    market = usable_market(
        document.market,
        book,
        costs,
        useful,
        spot_wanted=any(workload.spot for workload in document.workloads),
        cash_limited=bool(
            document.limits.budget or document.limits.budget_per_month or document.limits.cash
        ),
        outdoes=_Abilities(services, jobs).outdoes,
        sellers_limited=document.limits.max_providers is not None,
        view=view,
    )
    fixed_kinds = {item.kind for item in owned} | {item.kind for item in purchases}
    fixed_kinds |= {kind for _, kind in quotas}
    fixed_kinds |= {listing.kind for listing in market.listings if view.spared(listing)}
    limited = document.limits.max_providers is not None
    services = tuple(
        replace(
            demand,
            options=tuple(
                option
                for option in demand.options
                if option.kind in fixed_kinds
                or document.market.stock is not None
                or not sold_alone(
                    option.kind, option.gpus, option.share, market, costs, limited, view
                )
            ),
        )
        for demand in services
    )
    return Problem(
        schedule, costs, market, owned, purchases, quotas, services, jobs, tuple(rejected),
        view=view,
    )  # fmt: skip


class _Abilities:
    """What each kind of node can do for the workloads of a schedule."""

    def __init__(self, services: Iterable[ServiceDemand], jobs: Iterable[JobDemand]) -> None:
        self.parts: dict[NodeKind, dict[str, list[tuple[float, Sequence[float]]]]] = {}
        """kind → workload → (share of a node or nodes of a gang, capacity by bucket or rate)"""
        for service in services:
            for replica in service.options:
                self._add(replica.kind, replica.workload, replica.share, replica.abilities)
        for job in jobs:
            for gang in job.options:
                self._add(gang.kind, gang.workload, float(gang.nodes), (gang.rate,))

    def _add(self, kind: NodeKind, workload: str, size: float, ability: Sequence[float]) -> None:
        self.parts.setdefault(kind, {}).setdefault(workload, []).append((size, ability))

    def outdoes(self, better: NodeKind, worse: NodeKind) -> bool:
        """Whether one node of `better` can do whatever any workload does on one of `worse`."""
        if better == worse:
            return True
        mine = self.parts.get(better, {})
        return all(
            any(
                size <= taken and all(a >= b for a, b in zip(ability, given, strict=True))
                for size, ability in mine.get(workload, ())
            )
            for workload, parts in self.parts.get(worse, {}).items()
            for taken, given in parts
        )


def _rentable(schedule: Schedule, book: OfferBook) -> set[NodeKind]:
    filters = market_filters(schedule.document.market, book.as_of)
    return {listing.kind for o in select(book.offers, filters).kept for listing in on_nodes(o)}


def _horizon(schedule: Schedule) -> Horizon:
    """Cut the day where a service's hours or the tariff change."""
    profiles: dict[str, list[object]] = {}
    for workload in schedule.document.workloads:
        if isinstance(workload, ServiceWorkload) and workload.hours:
            values: list[object] = [0.0] * 24
            for window, share in workload.hours.items():
                for hour in hours_of_day(window):
                    values[hour] = share
            profiles[workload.name] = values
    tariff = schedule.document.money.electricity
    if tariff is not None and not isinstance(tariff, Money):
        bands: list[object] = [None] * 24
        for band in tariff:
            for window in band.hours:
                for hour in hours_of_day(window):
                    bands[hour] = str(band.price)
        profiles["tariff"] = bands
    return Horizon(schedule.first_day, schedule.n_days, cut_day(profiles))


def _owned(number: int, item: OwnedHardware, horizon: Horizon) -> OwnedAsset:
    kind = node_kind(item.node)
    first = max(0, horizon.index(item.available)) if item.available else 0
    name = f"owned {kind}" if number == 0 else f"owned {kind} #{number + 1}"
    return OwnedAsset(name, kind, item, item.count, first)


def _workloads(
    schedule: Schedule, horizon: Horizon, book: OfferBook, kinds: Iterable[NodeKind]
) -> tuple[tuple[ServiceDemand, ...], tuple[JobDemand, ...], list[RejectedOption]]:
    services: list[ServiceDemand] = []
    jobs: list[JobDemand] = []
    rejected: list[RejectedOption] = []
    kinds, first_day, own = list(kinds), schedule.first_day, schedule.own_rows
    for workload in schedule.document.workloads:
        if isinstance(workload, ServiceWorkload):
            options, refused = (
                ([], [])
                if workload.api == "only"
                else service_options(workload, kinds, as_of=first_day, own_rows=own)
            )
            load = _sliced(load_profile(workload, schedule), horizon)
            apis = _apis(workload, book, schedule.document.market)
            services.append(ServiceDemand(workload, load, tuple(options), apis))
        else:
            gangs, refused, work = job_options(workload, kinds, as_of=first_day, own_rows=own)
            first = horizon.index(workload.release) if workload.release else 0
            last = horizon.index(workload.deadline) if workload.deadline else horizon.n_days - 1
            jobs.append(JobDemand(workload, work, first, last, tuple(gangs)))
        rejected += refused
    return tuple(services), tuple(jobs), rejected


def _sliced(by_hour: list[list[float]], horizon: Horizon) -> tuple[tuple[float, ...], ...]:
    return tuple(
        tuple(
            day[piece.hours[0]] if day[piece.hours[0]] > 1e-9 else 0.0 for piece in horizon.slices
        )
        for day in by_hour
    )


def _apis(service: ServiceWorkload, book: OfferBook, market: Market) -> tuple[TokenOffer, ...]:
    """Token offers of the very model, from providers and of a quality the market rules allow."""
    if service.api == "no":
        return ()
    from optimizer.model_cards import model_card

    wanted = model_card(service.model).id
    unwanted = {name.lower() for name in market.providers.forbid}
    return tuple(
        offer
        for offer in book.token_offers
        if offer.model == wanted
        and offer.provider.lower() not in unwanted
        and offer.confidence <= market.confidence
    )
