"""Random instances, tiny enough to enumerate or large enough to need a solver."""

from __future__ import annotations

import random
from dataclasses import replace

from optimizer.milp.instance import (
    INF,
    ApiOption,
    Asset,
    GangOption,
    HourlyOffer,
    Instance,
    Job,
    Limits,
    Quota,
    ReplicaOption,
    Service,
    SlicePoint,
    Start,
    TermOffer,
)


def term_offer(
    name: str,
    pool: int,
    days: int,
    length: int,
    price: float,
    stock: float = INF,
    least: int = 1,
    *,
    monthly: bool = False,
) -> TermOffer:
    """Every start day; a term past the end is charged whole.

    Args:
        monthly: every day is a month, for its payments.
    """
    starts = tuple(
        Start(
            t,
            price,
            tuple((d, 1.0) for d in range(t, min(t + length, days))),
            ((t if monthly else 0, price),),
            t + length,
        )
        for t in range(days)
    )
    return TermOffer(name, pool, f"site-{name}", starts, stock, least)


def tiny(seed: int) -> Instance:
    """Two or three days, one or two pools, a service and up to two jobs: few enough to enumerate.

    Hours of a day are few, so that hours of a job can be enumerated too. All costs are cash of
    the same day, and every day is a month of its own, with a budget of its own.
    """
    rng = random.Random(seed)
    chain = rng.random() < 0.4
    days, hours = (3, (4.0,)) if chain else (2, (3.0, 2.0))
    pools = ("a", "b")[: 1 if chain else rng.randint(1, 2)]
    per_day = len(hours)
    n = days * per_day
    terms = tuple(
        term_offer(
            f"t{p}",
            p,
            days,
            rng.randint(1, 2),
            rng.randint(4, 30),
            rng.choice([1, 2, 2]),
            rng.choice([1, 1, 1, 2]),
            monthly=True,
        )
        for p in range(len(pools))
    )
    terms = tuple(replace(t, stock=max(t.stock, t.least)) for t in terms)
    hourly: tuple[HourlyOffer, ...] = ()
    if rng.random() < 0.6:
        price = float(rng.randint(2, 9))
        stock = rng.choice([INF, 1.0])
        hourly = (HourlyOffer("h0", 0, "site-h0", (price,) * n, price, stock),)
    assets: tuple[Asset, ...] = ()
    if rng.random() < 0.6:
        cost = float(rng.randint(5, 60))
        hold = Start(0, cost, tuple((t, 1.0) for t in range(days)), ((0, cost),), days)
        busy = tuple(float(rng.randint(0, 5)) for _ in range(n))
        sunk = (float(rng.random() < 0.2),) * days
        assets = (Asset("own", 0, sunk, (hold,), 1.0, busy, busy),)
    replicas = tuple(
        ReplicaOption(p, rng.choice([0.5, 1.0]), float(rng.randint(1, 3)))
        for p in range(len(pools))
    )
    apis: tuple[ApiOption, ...] = ()
    if rng.random() < 0.4:
        cost_api = (float(rng.randint(3, 20)),) * n
        apis = (ApiOption("api", cost_api, cost_api),)
    load = tuple(float(rng.choice([0, 1, 2])) for _ in range(n))
    least = 0 if apis else rng.choice([0, 0, 2])
    service = Service("chat", load, rng.choice([0.0, 0.25]), replicas, apis, least)
    jobs = [_tiny_job(rng, "train", days, hours, hourly, bool(assets))]
    if chain:
        jobs.append(replace(_tiny_job(rng, "eval", days, hours, hourly, bool(assets)), after=(0,)))
    budget = tuple(float(rng.randint(5, 70)) if rng.random() < 0.4 else INF for _ in range(days))
    return Instance(
        period_days=(1,) * days,
        slices=tuple(SlicePoint(t, h) for t in range(days) for h in hours),
        pools=pools,
        month_of_period=tuple(range(days)),
        term_offers=terms,
        hourly_offers=hourly,
        assets=assets,
        services=(service,) if rng.random() < 0.8 else (),
        jobs=tuple(jobs) if rng.random() < 0.85 else (),
        limits=Limits(budget=budget) if rng.random() < 0.5 else Limits(),
        constant=float(rng.randint(0, 5)),
    )


def _tiny_job(
    rng: random.Random,
    name: str,
    days: int,
    hours: tuple[float, ...],
    hourly: tuple[HourlyOffer, ...],
    owned: bool,
) -> Job:
    gangs = [GangOption(0, 1, float(rng.randint(1, 3)), rented=True)]
    if owned and rng.random() < 0.5:
        gangs.append(GangOption(0, 1, gangs[0].rate, "own"))
    if rng.random() < 0.3:
        gangs.append(GangOption(0, 2, float(rng.randint(3, 5)), "site-t0", rented=True))
    if hourly and hourly[0].stock == INF:
        offer, rate = hourly[0], float(rng.randint(1, 3))
        gang = GangOption(0, 1, rate, "site-h0", 0, offer.cost, offer.price, rented=True)
        gangs.append(gang)
    most = 6 if len(hours) * days == 3 else 10
    return Job(
        name,
        float(rng.randint(2, most)),
        0,
        days - 1,
        tuple(gangs),
        contiguous=rng.random() < 0.4,
        move_cost=(moving := float(rng.choice([0, 0, 4]))),
        move_cash=moving,
    )


def larger(seed: int, days: int = 12, n_jobs: int = 3) -> Instance:
    """Two slices a day, three pools, terms of several lengths, purchases, jobs in sequence."""
    rng = random.Random(seed)
    pools = ("a", "b", "c")
    slices = tuple(SlicePoint(t, h) for t in range(days) for h in (10.0, 14.0))
    terms = []
    for p in range(3):
        daily = rng.uniform(15, 60)
        for length, discount in ((1, 1.0), (3, 0.85), (7, 0.7)):
            stock = rng.choice([INF, INF, 3.0])
            least = rng.choice([1, 1, 1, 2]) if stock > 2 else 1
            terms.append(
                term_offer(
                    f"t{p}-{length}", p, days, length, daily * length * discount, stock, least
                )
            )
    hourly = tuple(
        HourlyOffer(f"h{p}", p, f"h-site-{p}", (price,) * len(slices), price)
        for p in range(2)
        for price in [rng.uniform(1.5, 4)]
    )
    assets = []
    for p in range(2):
        price = rng.uniform(100, 400)
        holds = tuple(
            Start(
                t, price - 2 * t, tuple((d, 1.0) for d in range(t + 1, days)), ((0, price),), days
            )
            for t in range(days - 1)
        )
        busy = tuple(rng.uniform(0, 2) for _ in slices)
        owned = (float(rng.randint(0, 1)),) * days
        assets.append(Asset(f"own{p}", p, owned, holds, 2.0, busy, busy, kilowatts=1.5))
    quota = Quota("gift", 2, (1.0,) * days, 40.0)
    services = []
    for i in range(2):
        replicas = tuple(
            ReplicaOption(p, rng.choice([0.25, 0.5, 1.0]), rng.uniform(2, 12)) for p in range(3)
        )
        base = [rng.choice([0.0, 3.0, 8.0]) for _ in range(3)]
        load = tuple(base[t * 3 // days] * k for t in range(days) for k in (1.0, 0.5))
        services.append(Service(f"s{i}", load, 0.1, replicas, (), rng.choice([0, 1, 2])))
    jobs = []
    for j in range(n_jobs):
        first = rng.randint(0, days // 3)
        last = rng.randint(min(first + 3, days - 1), days - 1)
        gangs = [GangOption(p, 1, rng.uniform(0.5, 2)) for p in range(3)]
        gangs.append(GangOption(0, 2, 3.0, "site-t0-1"))
        h = rng.randrange(2)
        gangs.append(
            GangOption(h, 1, 1.2, f"h-site-{h}", h, hourly[h].cost, hourly[h].price, rented=True)
        )
        jobs.append(
            Job(
                f"j{j}",
                rng.uniform(10, 45),
                first,
                last,
                tuple(gangs),
                contiguous=rng.random() < 0.3,
                after=(j - 1,) if j and rng.random() < 0.4 else (),
                move_cost=rng.choice([0.0, 5.0]),
            )
        )
    return Instance(
        period_days=(1,) * days,
        slices=slices,
        pools=pools,
        month_of_period=tuple(t * 2 // days for t in range(days)),
        term_offers=tuple(terms),
        hourly_offers=hourly,
        assets=tuple(assets),
        quotas=(quota,),
        services=tuple(services),
        jobs=tuple(jobs),
        limits=Limits(kilowatts=rng.choice([INF, 4.5])),
        constant=rng.uniform(0, 20),
    )


def with_sizes(data: Instance, seed: int, *, apis: bool = False) -> Instance:
    """The same with requests of two or three sizes in every service; few replicas serve them all.

    Args:
        apis: keep the APIs, each for every size.
    """
    rng = random.Random(seed)

    def rate(capacity: float) -> float:
        return 0.0 if rng.random() < 0.15 else capacity * rng.choice([0.25, 0.5, 1.0, 2.0, 4.0])

    services = []
    for service in data.services:
        weights = [rng.randint(1, 5) for _ in range(rng.randint(2, 3))]
        sizes = range(len(weights))
        services.append(
            replace(
                service,
                buckets=tuple(weight / sum(weights) for weight in weights),
                replicas=tuple(
                    replace(r, capacity=0.0, rates=tuple(rate(r.capacity) for _ in sizes))
                    for r in service.replicas
                ),
                apis=tuple(replace(a, bucket=b) for a in service.apis for b in sizes if apis),
                least_replicas=0 if service.apis else service.least_replicas,
            )
        )
    return replace(data, services=tuple(services))
