"""From a problem in domain terms to an `Instance` of plain numbers, with the way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from optimizer.choices import sellers
from optimizer.costs import Flow
from optimizer.finance.time_value import discount_factor
from optimizer.horizon import Horizon
from optimizer.milp.instance import (
    INF,
    ApiOption,
    Asset,
    GangOption,
    HourlyOffer,
    Instance,
    Job,
    Limits,
    Lot,
    Quota,
    ReplicaOption,
    Service,
    SlicePoint,
    Start,
    TermOffer,
)
from optimizer.options.market import Listing
from optimizer.problem import JobDemand, OwnedAsset, Problem, PurchaseOption, ServiceDemand
from optimizer.resume import resumed_instance
from optimizer.trade_days import days_of_change, days_of_use, trades
from providers.hardware import NodeKind
from providers.offers import TokenOffer

Pool = tuple[NodeKind, bool]
"""(node kind, spot)"""


@dataclass(frozen=True, slots=True)
class Formulation:
    """An instance, and what its indices stand for."""

    instance: Instance
    pools: tuple[Pool, ...]
    terms: tuple[Listing, ...]
    hourly: tuple[Listing, ...]
    assets: tuple[OwnedAsset | PurchaseOption, ...]
    replicas: tuple[tuple[int, ...], ...]
    """[service][replica] → index of its `ServiceOption`"""
    gangs: tuple[tuple[int, ...], ...]
    """[job][gang] → index of its `JobOption`"""


def formulate(problem: Problem) -> Formulation:
    return _Builder(problem).build()


class _Builder:
    """Holds the index tables while the parts of an instance are made."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.costs = problem.costs
        self.horizon: Horizon = problem.horizon
        self.n_days = self.horizon.n_days
        self.per_day = len(self.horizon.slices)
        # What covers a day is one object wherever it stands: starts cover hundreds of them.
        self.days = tuple((t, 1.0) for t in range(self.n_days))
        rate = Decimal(str(self.costs.money.discount_rate))
        self.factor = [float(discount_factor(rate, t)) for t in range(self.n_days + 1)]
        self.months = {month: m for m, month in enumerate(self.horizon.months)}
        self.month_of_day = [
            self.months[f"{self.horizon.day(t):%Y-%m}"] for t in range(self.n_days)
        ]
        limits = problem.schedule.document.limits
        self.needs_cash = bool(limits.budget or limits.budget_per_month or limits.cash)
        self.use = days_of_use(problem)
        self.pools = tuple(self._pools())
        self.pool_index = {pool: p for p, pool in enumerate(self.pools)}
        listings = [x for x in problem.market.listings if (x.kind, x.spot) in self.pool_index]
        self.terms = tuple(x for x in listings if self.costs.term(x.offer))
        self.hourly = tuple(x for x in listings if not self.costs.term(x.offer))
        nodes: tuple[OwnedAsset | PurchaseOption, ...] = (*problem.owned, *problem.purchases)
        self.assets = tuple(a for a in nodes if (a.kind, False) in self.pool_index)
        self.quotas = tuple(q for q in problem.quotas if (q[1], False) in self.pool_index)

    def build(self) -> Formulation:
        services = [self._service(demand) for demand in self.problem.services]
        jobs_and_sources = [self._job(demand) for demand in self.problem.jobs]
        fixed = self._fixed_flows()
        numbers = Instance(
            period_days=(1,) * self.n_days,
            slices=tuple(
                SlicePoint(t, float(piece.n_hours))
                for t in range(self.n_days)
                for piece in self.horizon.slices
            ),
            pools=tuple(f"{kind} spot" if spot else str(kind) for kind, spot in self.pools),
            month_of_period=tuple(self.month_of_day),
            term_offers=tuple(self._term_offer(x) for x in self.terms),
            hourly_offers=tuple(self._hourly_offer(x) for x in self.hourly),
            assets=tuple(self._asset(asset) for asset in self.assets),
            quotas=tuple(self._quotas()),
            lots=tuple(self._lots()),
            services=tuple(service for service, _ in services),
            jobs=tuple(job for job, _ in jobs_and_sources),
            limits=self._limits(fixed),
            choices=sellers(self.problem, self.terms, self.hourly),
            constant=float(self.costs.present_value(fixed)),
        )
        gangs = tuple(source for _, source in jobs_and_sources)
        instance = resumed_instance(self.problem, numbers, self.terms, self.assets)
        replicas = tuple(source for _, source in services)
        return Formulation(
            instance, self.pools, self.terms, self.hourly, self.assets, replicas, gangs
        )

    # -- pools and days --------------------------------------------------------------------

    def _pools(self) -> Iterable[Pool]:
        supplied = {(x.kind, x.spot) for x in self.problem.market.listings}
        supplied |= {(asset.kind, False) for asset in self.problem.owned}
        supplied |= {(option.kind, False) for option in self.problem.purchases}
        supplied |= {(kind, False) for _, kind in self.problem.quotas}
        return (pool for pool in sorted(supplied) if pool[0] in self.use)

    def _cash(self, flows: Sequence[Flow]) -> tuple[tuple[int, float], ...]:
        """Payments by month, only where a limit asks; what falls after the horizon counts last."""
        if not self.needs_cash:
            return ()
        months: dict[int, float] = {}
        for flow in flows:
            month = self.month_of_day[min(flow.day, self.n_days - 1)]
            months[month] = months.get(month, 0.0) + float(flow.amount)
        return tuple(sorted(months.items()))

    # -- renting ---------------------------------------------------------------------------

    def _term_offer(self, listing: Listing) -> TermOffer:
        offer = listing.offer
        tenor = self.costs.term(offer)
        low, high = self.use[listing.kind]
        starts = []
        for t in range(self.n_days):
            until = self.horizon.index(tenor.end(self.horizon.day(t)))
            if t > high or until <= low:
                continue
            flows = self.costs.rental(offer, listing.units, t)
            cover = self.days[t : min(until, self.n_days)]
            cost = float(self.costs.present_value(flows))
            starts.append(Start(t, cost, cover, self._cash(flows), until))
        return TermOffer(
            listing.name,
            self.pool_index[listing.kind, listing.spot],
            listing.site,
            tuple(starts),
            stock=self._stock(listing),
            least=max(1, -(-offer.min_units // listing.units)),
        )

    def _hourly_offer(self, listing: Listing) -> HourlyOffer:
        price = float(self.costs.increment_price(listing.offer, listing.units))
        return HourlyOffer(
            listing.name,
            self.pool_index[listing.kind, listing.spot],
            listing.site,
            cost=self._by_slice(price),
            price=price,
            stock=self._stock(listing),
        )

    def _by_slice(self, price: float) -> tuple[float, ...]:
        """[s] present value of a price paid on the slice's day."""
        return tuple(price * factor for factor in self.factor[:-1] for _ in range(self.per_day))

    def _limit(self, listing: Listing) -> int | None:
        """Instances of an offer that can be had at once."""
        limit = listing.offer.max_units
        return self.problem.schedule.document.market.stock if limit is None else limit

    def _stock(self, listing: Listing) -> float:
        limit = self._limit(listing)
        return INF if limit is None else float(limit // listing.units)

    def _lots(self) -> Iterable[Lot]:
        """Offers that are listed on nodes of several sizes, and share one limited stock."""
        sizes: dict[str, list[Listing]] = {}
        for listing in (*self.terms, *self.hourly):
            sizes.setdefault(listing.offer.sku, []).append(listing)
        for sku, listings in sizes.items():
            limit = self._limit(listings[0])
            if len(listings) > 1 and limit is not None:
                terms = ((o, x.units) for o, x in enumerate(self.terms) if x in listings)
                hourly = ((h, x.units) for h, x in enumerate(self.hourly) if x in listings)
                yield Lot(sku, float(limit), tuple(terms), tuple(hourly))

    # -- owning ----------------------------------------------------------------------------

    def _asset(self, asset: OwnedAsset | PurchaseOption) -> Asset:
        pieces = self.horizon.slices
        busy = [self.costs.busy_energy(asset.item, 0, piece).amount for piece in pieces]
        cash = tuple(float(amount) for _ in range(self.n_days) for amount in busy)
        cost = tuple(amount * self.factor[s // self.per_day] for s, amount in enumerate(cash))
        if isinstance(asset, OwnedAsset):
            owned = tuple(float(asset.count * (t >= asset.first_day)) for t in range(self.n_days))
            holds: tuple[Start, ...] = ()
            most = 0.0
        else:
            owned = (0.0,) * self.n_days
            holds = tuple(self._holds(asset))
            most = float(asset.most)
        kilowatts = float(self.costs.power_w(asset.item)[0]) / 1000
        return Asset(
            asset.name,
            self.pool_index[asset.kind, False],
            owned,
            holds,
            most,
            cost,
            cash,
            kilowatts=kilowatts,
            rack_units=float(asset.item.rack_units),
        )

    def _holds(self, option: PurchaseOption) -> Iterable[Start]:
        """Purchases with the days they are paid and sold on."""
        changes = days_of_change(self.problem)
        lead = option.item.lead_time
        for buy, sell in trades(lead, self.use[option.kind], self.n_days, changes):
            flows = self.costs.purchase(option.item, buy, sell)
            yield Start(
                buy,
                float(self.costs.present_value(flows)),
                self.days[buy + lead : sell],
                self._cash(flows),
                sell,
            )

    def _quotas(self) -> Iterable[Quota]:
        for quota, kind in self.quotas:
            first = self.horizon.index(quota.start) if quota.start else 0
            last = self.horizon.index(quota.end) if quota.end else self.n_days - 1
            nodes = tuple(float(quota.nodes * (first <= t <= last)) for t in range(self.n_days))
            pool = self.pool_index[kind, False]
            yield Quota(quota.name, pool, nodes, float(quota.hours_per_month))

    def _fixed_flows(self) -> list[Flow]:
        return [
            flow
            for asset in self.problem.owned
            for flow in self.costs.owned(asset.item, asset.count)
        ] + [flow for _, flow in self.problem.sunk]

    # -- workloads -------------------------------------------------------------------------

    def _service(self, demand: ServiceDemand) -> tuple[Service, tuple[int, ...]]:
        """The service, and for each of its replicas the number of its `ServiceOption`."""
        replicas: list[ReplicaOption] = []
        sources: list[int] = []
        kept = self.spot_efficiency(0.25, 0.0)
        for number, option in enumerate(demand.options):
            for spot in (False, True) if demand.service.spot else (False,):
                pool = self.pool_index.get((option.kind, spot))
                if pool is None:
                    continue
                factor = kept if spot else 1.0
                rates = tuple(rate * factor for rate in option.rates)
                capacity = option.capacity * factor
                replicas.append(ReplicaOption(pool, option.share, capacity, rates))
                sources.append(number)
        service = Service(
            demand.service.name,
            tuple(load for day in demand.load for load in day),
            float(demand.service.headroom),
            tuple(replicas),
            tuple(self._api(demand, offer, b) for offer, b in demand.token_uses),
            demand.service.min_replicas if demand.options and not demand.apis else 0,
            tuple(bucket.share for bucket in demand.buckets),
        )
        return service, tuple(sources)

    def _api(self, demand: ServiceDemand, offer: TokenOffer, bucket: int) -> ApiOption:
        prompt, output = demand.tokens_per_hour(bucket)
        hourly = [
            float(self.costs.tokens(offer, prompt * n, output * n, 0).amount)
            for n in (piece.n_hours for piece in self.horizon.slices)
        ]
        cash = tuple(amount for _ in range(self.n_days) for amount in hourly)
        cost = tuple(amount * self.factor[s // self.per_day] for s, amount in enumerate(cash))
        return ApiOption(f"{offer.provider}/{offer.provider_model}", cost, cash, bucket)

    def spot_efficiency(self, restart_h: float, checkpoint_h: float) -> float:
        """Share of spot hours that count: each interruption costs a restart and, on average,
        half of the work since the last checkpoint."""
        per_day = self.problem.schedule.document.market.spot_interruptions_per_day
        return max(0.05, 1 - per_day * (restart_h + checkpoint_h / 2) / 24)

    def _job(self, demand: JobDemand) -> tuple[Job, tuple[int, ...]]:
        gangs: list[GangOption] = []
        sources: list[int] = []
        for number in range(len(demand.options)):
            made = [
                *self._gangs_on_pool(demand, number),
                *self._gangs_by_hour(demand, number),
                *self._gangs_on_quota(demand, number),
            ]
            gangs += made
            sources += [number] * len(made)
        names = [job.job.name for job in self.problem.jobs]
        price = self._move_price(demand)
        job = Job(
            demand.job.name,
            demand.work,
            demand.first,
            demand.last,
            tuple(gangs),
            contiguous=not demand.job.interruptible,
            after=tuple(names.index(name) for name in demand.job.after),
            move_cost=price * self.factor[demand.first],
            move_cash=price,
        )
        return job, tuple(sources)

    def _move_price(self, demand: JobDemand) -> float:
        """Undiscounted price of moving a job's data to rented nodes."""
        price = self.problem.schedule.document.market.transfer
        if price is None or not demand.job.data:
            return 0.0
        return float(self.costs.transfer(price, demand.job.data, 0).amount)

    def _gangs_on_pool(self, demand: JobDemand, number: int) -> list[GangOption]:
        """On owned nodes, terms and quotas; one per site when it takes several nodes."""
        option = demand.options[number]
        pool = self.pool_index.get((option.kind, False))
        if pool is None:
            return []
        own = any(asset.kind == option.kind for asset in self.assets)
        terms = {x.site for x in self.terms if (x.kind, x.spot) == (option.kind, False)}
        # An hourly offer with a stock limit is rented through whole slices, like a term.
        terms |= {
            x.site
            for x in self.hourly
            if (x.kind, x.spot) == (option.kind, False) and self._stock(x) < INF
        }
        if not (own or terms):
            return []
        if option.nodes == 1 and own and self._move_price(demand):
            # Data stays where it is on owned nodes only: tell them from rented ones.
            owned = GangOption(pool, 1, option.rate, "own")
            anywhere = GangOption(pool, 1, option.rate, rented=True)
            rents = any((x.kind, x.spot) == (option.kind, False) for x in self.terms + self.hourly)
            return [owned, anywhere] if rents else [owned]
        if option.nodes == 1:
            return [GangOption(pool, 1, option.rate, rented=not own)]
        sites = sorted(terms) + (["own"] if own else [])
        return [
            GangOption(pool, option.nodes, option.rate, site, rented=site != "own")
            for site in sites
        ]

    def _gangs_by_hour(self, demand: JobDemand, number: int) -> list[GangOption]:
        """On nodes of one hourly offer, rented for the hours the job runs."""
        option, job = demand.options[number], demand.job
        gangs = []
        for h, listing in enumerate(self.hourly):
            if listing.kind != option.kind or self._stock(listing) < INF:
                continue
            if listing.spot and not (job.spot and job.interruptible):
                continue
            rate = option.rate
            if listing.spot:
                rate *= self.spot_efficiency(job.restart, job.checkpoint)
            price = float(self.costs.increment_price(listing.offer, listing.units)) * option.nodes
            gangs.append(
                GangOption(
                    self.pool_index[listing.kind, listing.spot],
                    option.nodes,
                    rate,
                    listing.site,
                    hourly=h,
                    hour_cost=self._by_slice(price),
                    hour_cash=price,
                    rented=True,
                )
            )
        return gangs

    def _gangs_on_quota(self, demand: JobDemand, number: int) -> list[GangOption]:
        """On free nodes, by the hour, as many as the quota has at once."""
        option = demand.options[number]
        return [
            GangOption(
                self.pool_index[option.kind, False],
                option.nodes,
                option.rate,
                quota.name,
                rented=True,
                quota=q,
            )
            for q, (quota, kind) in enumerate(self.quotas)
            if kind == option.kind and option.nodes <= quota.nodes
        ]

    # -- limits ----------------------------------------------------------------------------

    def _limits(self, fixed: Sequence[Flow]) -> Limits:
        limits = self.problem.schedule.document.limits
        budget: tuple[float, ...] = ()
        if limits.budget or limits.budget_per_month:
            usual = limits.budget_per_month
            default = INF if usual is None else float(self.costs.in_currency(usual))
            budget = tuple(
                float(self.costs.in_currency(limits.budget[month]))
                if month in limits.budget
                else default
                for month in self.months
            )
        fixed_cash = [0.0] * len(self.months)
        for month, amount in self._cash(fixed):
            fixed_cash[month] = amount
        return Limits(
            budget=budget,
            cash=INF if limits.cash is None else float(self.costs.in_currency(limits.cash)),
            fixed_cash=tuple(fixed_cash),
            kilowatts=INF if limits.power is None else float(limits.power),
            rack_units=INF if limits.rack_units is None else float(limits.rack_units),
            sellers=INF if limits.max_providers is None else float(limits.max_providers),
        )
