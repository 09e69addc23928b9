"""Checks of hardware that is owned, bought or lent: dates, limits, energy, power and rack."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from optimizer.problem import OwnedAsset, PurchaseOption
from optimizer.schedule.document import FreeQuota
from optimizer.verify.checker import Checker, Moment, short
from optimizer.verify.plan_document import BoughtPart, UsagePart
from providers.hardware import NodeKind

BOUGHT = "purchases"
USAGE = "owned and free nodes in use"
SITE = "power and rack of the site"


def check_owning(check: Checker) -> None:
    """Purchases, then what is in use against what is there, then the site's limits."""
    there: dict[str, list[int]] = {}
    for asset in check.problem.owned:
        there[asset.name] = [
            asset.count * (t >= asset.first_day) for t in range(check.horizon.n_days)
        ]
        paid = check.pay(asset.name, check.costs.owned(asset.item, asset.count))
        check.pool_cost[asset.kind, False] += paid
        if asset.kind in _useful(check):
            days = check.horizon.n_days - asset.first_day
            check.available[asset.kind, False] += Decimal(24 * days * asset.count)
    for option in check.problem.purchases:
        there[option.name] = [0] * check.horizon.n_days
    options = {option.name: option for option in check.problem.purchases}
    for number, bought in enumerate(check.plan.bought, 1):
        where = f"purchase {number} ({bought.option})"
        found = options.get(bought.option)
        check.check(BOUGHT, found is not None, f"{where}: the schedule does not offer it")
        if found is not None:
            _purchase(check, bought, found, there[found.name], where)
    for option in check.problem.purchases:
        most = max(there[option.name], default=0)
        words = f"{option.name}: {most} nodes owned at once, at most {option.most} may be"
        check.check(BOUGHT, most <= option.most, words)
        if option.paid is not None:
            held = sum(part.nodes for part in check.plan.bought if part.option == option.name)
            words = f"{option.name}: {option.most} nodes are owned, {held} are kept or sold"
            check.check(BOUGHT, held == option.most, words)
    _usages(check, there)
    _site(check, there)


def _assets(check: Checker) -> tuple[OwnedAsset | PurchaseOption, ...]:
    return (*check.problem.owned, *check.problem.purchases)


def _useful(check: Checker) -> set[NodeKind]:
    """Kinds of nodes on which some workload can run at all."""
    services = {option.kind for demand in check.problem.services for option in demand.options}
    jobs = {option.kind for demand in check.problem.jobs for option in demand.options}
    kept = {option.kind for option in check.problem.purchases if option.paid is not None}
    return services | jobs | kept


def _purchase(
    check: Checker, bought: BoughtPart, option: PurchaseOption, there: list[int], where: str
) -> None:
    buy, sell = check.horizon.index(bought.paid), check.horizon.index(bought.sold)
    today = check.costs.from_day
    words = f"{where}: paid {bought.paid}, sold {bought.sold} is not decided from today on"
    open_ = sell >= today and (buy == option.paid if option.paid is not None else buy >= today)
    check.check(BOUGHT, open_, words)
    delivered = buy + option.item.lead_time
    words = f"{where}: usable on {bought.usable}, delivered {option.item.lead_time} days after paid"
    check.check(BOUGHT, check.horizon.index(bought.usable) == delivered, words)
    words = f"{where}: paid {bought.paid}, sold {bought.sold} is not inside the horizon"
    inside = 0 <= buy <= delivered < sell <= check.horizon.n_days and bought.nodes > 0
    if not check.check(BOUGHT, inside, words):
        return
    words = f"{where}: node {bought.node}, the schedule says {option.kind}"
    check.check(BOUGHT, bought.node == str(option.kind), words)
    words = f"{where}: source is not the schedule's"
    check.check(BOUGHT, bought.source == option.item.source, words)
    flows = check.costs.purchase(option.item, buy, sell)
    price = sum((f.amount for f in flows if f.component == "purchase"), Decimal(0))
    resale = -sum((f.amount for f in flows if f.component == "resale"), Decimal(0))
    check.equal(BOUGHT, bought.price, price * bought.nodes, f"{where}: price")
    check.equal(BOUGHT, bought.resale, resale * bought.nodes, f"{where}: resale")
    check.pool_cost[option.kind, False] += check.pay(option.name, flows, bought.nodes)
    hours = 24 * (sell - max(delivered, today)) * bought.nodes
    check.available[option.kind, False] += Decimal(hours)
    for t in range(delivered, sell):
        there[t] += bought.nodes


def _usages(check: Checker, there: dict[str, list[int]]) -> None:
    """Nodes in use are there; they feed the pool of their kind, and draw power."""
    assets = {asset.name: asset for asset in _assets(check)}
    quotas = {quota.name: (quota, kind) for quota, kind in check.problem.quotas}
    used: dict[str, dict[Moment, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for number, usage in enumerate(check.plan.usages, 1):
        where = f"usage {number} ({usage.asset})"
        known = usage.asset in assets or usage.asset in quotas
        check.check(USAGE, known, f"{where}: nothing of that name is owned, bought or lent")
        k = check.span(USAGE, where, usage.start, usage.end, usage.hours)
        if not known or k is None:
            continue
        check.check(USAGE, usage.nodes > 0, f"{where}: {usage.nodes} nodes in use")
        days, piece = check.days(usage.start, usage.end), check.horizon.slices[k]
        asset = assets.get(usage.asset)
        if usage.workload:
            _lent_by_the_hour(check, usage, piece.n_hours, asset is None, where)
            for t in days:
                share = usage.nodes * usage.hours_per_day / piece.n_hours
                used[usage.asset][t, k] += share
            continue
        words = f"{where}: {usage.hours_per_day} hours a day in {usage.hours}, not all of them"
        check.check(USAGE, usage.hours_per_day == piece.n_hours, words)
        if asset is not None:
            flows = (check.costs.busy_energy(asset.item, t, piece) for t in days)
            paid = check.pay(asset.name, (f for f in flows if f.amount), usage.nodes)
            check.pool_cost[asset.kind, False] += paid
            kind = asset.kind
        else:
            kind = quotas[usage.asset][1]
            check.available[kind, False] += usage.nodes * piece.n_hours * len(days)
        for t in days:
            used[usage.asset][t, k] += usage.nodes
            check.supply[kind, False][t, k] += usage.nodes
            if asset is not None:
                check.at_site[(kind, False), "own"][t, k] += usage.nodes
    for name in assets:
        faults = [
            (moment, f"{name}: {short(nodes)} nodes in use, {there[name][moment[0]]} are there")
            for moment, nodes in sorted(used[name].items())
            if nodes > there[name][moment[0]]
        ]
        check.everywhere(USAGE, faults, len(used[name]))
    for name, (quota, _) in quotas.items():
        _quota(check, quota, used[name])


def _lent_by_the_hour(check: Checker, usage: UsagePart, long: int, lent: bool, where: str) -> None:
    """Hours of free nodes for one job alone; who works in them is checked with the jobs."""
    check.check(USAGE, lent, f"{where}: owned nodes are not used by the hour")
    words = f"{where}: {usage.hours_per_day} hours a day in {usage.hours}, which has {long}"
    check.check(USAGE, 0 < usage.hours_per_day <= long, words)
    jobs = {demand.job.name for demand in check.problem.jobs}
    words = f"{where}: '{usage.workload}' is no job of the schedule"
    check.check(USAGE, usage.workload in jobs, words)


def _quota(check: Checker, quota: FreeQuota, used: dict[Moment, Decimal]) -> None:
    """Free nodes stay within their number, their days and their hours of a month."""
    first = check.horizon.index(quota.start) if quota.start else 0
    last = check.horizon.index(quota.end) if quota.end else check.horizon.n_days
    faults, months = [], defaultdict[str, Decimal](Decimal)
    for (t, k), nodes in sorted(used.items()):
        months[f"{check.horizon.day(t):%Y-%m}"] += nodes * check.horizon.slices[k].n_hours
        lent = quota.nodes if first <= t <= last else 0
        if round(nodes, 9) > lent:
            faults.append(((t, k), f"{quota.name}: {short(nodes)} free nodes in use of {lent}"))
    check.everywhere(USAGE, faults, len(used))
    allowed = Decimal(str(quota.hours_per_month))
    for month, hours in months.items():
        hours = round(hours, 9)  # shares of a slice, such as 5 hours of 14
        words = f"{quota.name}: {short(hours)} free hours in {month}, {short(allowed)} are given"
        check.check(USAGE, hours <= allowed, words)


def _site(check: Checker, there: dict[str, list[int]]) -> None:
    """Every owned node that can be of use counts at its busy power, in use or not."""
    limits, useful = check.problem.schedule.document.limits, _useful(check)
    assets = [
        (there[asset.name], check.costs.power_w(asset.item)[0], asset.item.rack_units)
        for asset in _assets(check)
        if asset.kind in useful
    ]
    for t in range(check.horizon.n_days):
        watts = sum((nodes[t] * power for nodes, power, _ in assets), Decimal(0))
        units = sum(nodes[t] * size for nodes, _, size in assets)
        day = check.horizon.day(t)
        if limits.power is not None:
            allowed = Decimal(str(limits.power))
            words = f"site: {short(watts / 1000)} kW on {day}, {short(allowed)} kW are allowed"
            if not check.check(SITE, watts / 1000 <= allowed, words):
                break
        if limits.rack_units is not None:
            words = f"site: {units} rack units on {day}, {limits.rack_units} are allowed"
            if not check.check(SITE, units <= limits.rack_units, words):
                break
