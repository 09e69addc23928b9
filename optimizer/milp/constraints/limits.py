"""Families of limits: stock, minimum orders, quotas, purchases, money and the site."""

from __future__ import annotations

from collections import defaultdict

from optimizer.milp.constraints.capacity import Active
from optimizer.milp.instance import Instance, ReplicaOption, Service
from optimizer.milp.linear_model import INF, LinearModel, Term
from optimizer.milp.variables import Variables


def add_stock(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""No more units of an offer at once than its seller has.

    $$active_{o,t} \le stock_o$$

    Rows ``stock[o,t]``; hourly offers carry the limit as a bound of their columns.
    """
    for o, offer in enumerate(data.term_offers):
        if offer.stock < INF:
            for t, terms in enumerate(active.rented[o]):
                model.row(f"stock[{offer.name},{t}]", terms, upper=offer.stock)


def add_lot(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""An offer on nodes of several sizes has one stock for all of them.

    $$\sum_o units_o\, active_{o,t(s)} + \sum_o units_o\, hourly_{o,s} \le stock_l$$

    Rows ``lot[l,s]``.
    """
    for lot in data.lots:
        rented = [(active.rented[o], units) for o, units in lot.terms]
        for s, point in enumerate(data.slices):
            terms = [(c, x * n) for levels, n in rented for c, x in levels[point.period]]
            terms += [(v.hourly[h, s], float(n)) for h, n in lot.hourly if (h, s) in v.hourly]
            model.row(f"lot[{lot.name},{s}]", terms, upper=lot.stock)


def add_minimum_order(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""An order is nothing, or at least the smallest number the seller accepts.

    $$least_o\, order_{o,i} \le start_{o,i} \le M\, order_{o,i}$$

    M is the stock, or a number no plan reaches. Rows ``minimum_order[o,i]``, ``order_used[o,i]``.
    """
    most = most_nodes(data)
    for (o, i), order in v.order.items():
        offer = data.term_offers[o]
        name = f"[{offer.name},{offer.starts[i].day}]"
        start = v.start[o, i]
        row = [(start, 1.0), (order, -float(offer.least))]
        model.row("minimum_order" + name, row, lower=0)
        limit = min(offer.stock, max(most, offer.least))
        model.row("order_used" + name, [(start, 1.0), (order, -limit)], upper=0)


def most_nodes(data: Instance, pool: int | None = None) -> float:
    """Nodes that all workloads together can use at once, of one pool or of all."""
    gangs = sum(
        max((g.nodes for g in job.gangs if pool in (None, g.pool)), default=0) for job in data.jobs
    )
    replicas = 0.0
    for service in data.services:
        useful = [r for r in service.replicas if pool in (None, r.pool)]
        load = max(service.load, default=0.0) * (1 + service.headroom)
        if service.buckets and useful:
            replicas += load * _slowest(service, useful) + len(useful) + service.least_replicas
        elif useful:
            slowest = min(replica.capacity for replica in useful)
            replicas += load / slowest + 1 + service.least_replicas
    return gangs + replicas


def _slowest(service: Service, replicas: list[ReplicaOption]) -> float:
    """Most replicas that one request/s of a mix keeps busy: each bucket where it is slowest.

    A plan of least cost has less than one replica of each size beyond those.
    """
    slowest = 0.0
    for b, share in enumerate(service.buckets):
        rates = [replica.rates[b] for replica in replicas if replica.rates[b]]
        slowest += share / min(rates) if rates else 0.0
    return slowest


def add_whole_starts(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Merged starts of one group are whole together.

    $$\sum_{i \in G} start_{o,i} = started_{o,G}, \qquad
      \sum_{i \in G} hold_{a,i} = bought_{a,G}$$

    Rows ``whole_starts[o,G]`` and ``whole_holds[a,G]``; only in merged periods.
    """
    starts = [offer.starts for offer in data.term_offers]
    holds = [asset.holds for asset in data.assets]
    for name, columns, wholes, sources in (
        ("whole_starts", v.start, v.started, starts),
        ("whole_holds", v.hold, v.bought, holds),
    ):
        groups: dict[tuple[int, int], list[Term]] = defaultdict(list)
        for (n, i), column in columns.items():
            groups[n, sources[n][i].group].append((column, 1.0))
        for (n, group), count in wholes.items():
            row = [*groups[n, group], (count, -1.0)]
            model.row(f"{name}[{n},{group}]", row, lower=0, upper=0)


def add_quota(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Free node-hours in a month, and free nodes at once, stay within the quota.

    $$\sum_{s \in month} h_s\, free_{q,s} + \sum_{j,g,s} n_g\, hours_{j,g,s} \le quota_q,
      \qquad free_{q,s} + \sum_{j,g} n_g\, hours_{j,g,s} / h_s \le nodes_{q,t(s)}$$

    Rows ``quota[q,month]``, ``quota_nodes[q,s]``.
    """
    by_hour: dict[tuple[int, int], list[Term]] = defaultdict(list)
    for (j, g, s), column in v.hours.items():
        gang = data.jobs[j].gangs[g]
        by_hour[gang.quota, s].append((column, float(gang.nodes)))
    for column, run in v.whole_run.items():
        gang = data.jobs[run.job].gangs[run.gang]
        for s, hours in run.shares if gang.quota >= 0 else ():
            by_hour[gang.quota, s].append((column, gang.nodes * hours))
    for q, quota in enumerate(data.quotas):
        months: dict[int, list[Term]] = defaultdict(list)
        for s, point in enumerate(data.slices):
            row = [(c, n * data.slice_days(s)) for c, n in by_hour[q, s]]
            at_once = [(c, n / point.hours) for c, n in by_hour[q, s]]
            if (q, s) in v.free:
                row.append((v.free[q, s], point.hours * data.slice_days(s)))
                at_once.append((v.free[q, s], 1.0))
            months[data.month_of_period[point.period]] += row
            name = f"quota_nodes[{quota.name},{s}]"
            model.row(name, at_once, upper=quota.nodes[point.period])
        for month, terms in months.items():
            model.row(f"quota[{quota.name},{month}]", terms, upper=quota.hours_per_month)


def add_purchase_limit(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""No more bought nodes at once than the schedule allows.

    $$\sum_{i: t \in cover_i} hold_{a,i} \le most_a$$

    Rows ``purchase_limit[a,t]``.
    """
    for levels, asset in zip(active.held, data.assets, strict=True):
        before: list[Term] = []
        for t, terms in enumerate(levels):
            if terms and terms != before:
                model.row(f"purchase_limit[{asset.name},{t}]", terms, upper=asset.most)
            before = terms


def add_least_bought(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""At least so many nodes are bought of a group of assets.

    $$\sum_{a \in G} \sum_i hold_{a,i} \ge least_G$$

    Rows ``least_bought[a+b+…]``. A group that nothing can be bought of leaves 0 >= least, which is
    infeasible, as it should be.
    """
    for group, least in data.least_bought:
        terms = [(column, 1.0) for (a, _), column in v.hold.items() if a in group]
        names = "+".join(data.assets[a].name for a in group)
        model.row(f"least_bought[{names}]", terms, lower=float(least))


def paid(v: Variables, data: Instance) -> dict[int, list[Term]]:
    """Month → terms that add up to the money paid in it, undiscounted."""
    months: dict[int, list[Term]] = defaultdict(list)

    def by_slice(column: int, s: int, amount: float) -> None:
        month = data.month_of_period[data.slices[s].period]
        months[month].append((column, amount * data.slice_days(s)))

    for (o, i), column in v.start.items():
        for month, amount in data.term_offers[o].starts[i].cash:
            months[month].append((column, amount))
    for (a, i), column in v.hold.items():
        for month, amount in data.assets[a].holds[i].cash:
            months[month].append((column, amount))
    for (o, s), column in v.hourly.items():
        by_slice(column, s, data.hourly_offers[o].price * data.slices[s].hours)
    for (a, s), column in v.busy.items():
        by_slice(column, s, data.assets[a].busy_cash[s])
    for (i, a, s), column in v.api.items():
        by_slice(column, s, data.services[i].apis[a].cash[s])
    for (j, g, s), column in v.hours.items():
        by_slice(column, s, data.jobs[j].gangs[g].hour_cash)
    for column, run in v.whole_run.items():
        for s, hours in run.shares:
            by_slice(column, s, data.jobs[run.job].gangs[run.gang].hour_cash * hours)
    for j, column in v.move.items():
        first = next(s for s in data.slices_of_days(data.jobs[j].first, data.jobs[j].last))
        month = data.month_of_period[data.slices[first].period]
        months[month].append((column, data.jobs[j].move_cash))
    return months


def add_budget(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""What is paid in a month stays within its budget.

    $$\sum \text{payments in month } m \le budget_m - fixed_m$$

    Rows ``budget[m]``.
    """
    if not any(limit < INF for limit in data.limits.budget):
        return
    months = paid(v, data)
    for month, limit in enumerate(data.limits.budget):
        if limit < INF:
            model.row(f"budget[{month}]", months[month], upper=limit - _fixed(data, month))


def add_cash(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""The money spent, net of resale, never exceeds the cash there is.

    $$\sum_{m' \le m} \text{payments in month } m' \le cash \qquad \forall m$$

    Rows ``cash[m]``.
    """
    if data.limits.cash == INF:
        return
    months = paid(v, data)
    spent: list[Term] = []
    fixed = 0.0
    for month in range(max(data.month_of_period, default=0) + 1):
        spent = spent + months[month]
        fixed += _fixed(data, month)
        model.row(f"cash[{month}]", spent, upper=data.limits.cash - fixed)


def _fixed(data: Instance, month: int) -> float:
    paid_anyway = data.limits.fixed_cash
    return paid_anyway[month] if month < len(paid_anyway) else 0.0


def add_site_limits(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Owned nodes fit the site's power and rack.

    $$\sum_a kW_a\, nodes_{a,t} \le kW, \qquad \sum_a units_a\, nodes_{a,t} \le units$$

    Every owned node counts at its busy power. Rows ``site_power[t]``, ``site_rack[t]``.
    """
    limits = data.limits
    for name, limit, each in (
        ("site_power", limits.kilowatts, [a.kilowatts for a in data.assets]),
        ("site_rack", limits.rack_units, [a.rack_units for a in data.assets]),
    ):
        if limit == INF:
            continue
        for t in range(len(data.period_days)):
            terms = [
                (column, share * size)
                for levels, size in zip(active.held, each, strict=True)
                for column, share in levels[t]
            ]
            sunk = sum(a.owned[t] * size for a, size in zip(data.assets, each, strict=True))
            model.row(f"{name}[{t}]", terms, upper=limit - sunk)
