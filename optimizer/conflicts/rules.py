"""The rules of a schedule, each as something that can be lifted, or eased by an amount."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from optimizer.options.market import Listing
from optimizer.problem import JobDemand, Problem, PurchaseOption, ServiceDemand, gather
from optimizer.schedule.document import Rule
from providers.money import Money

Change = Callable[[Problem], Problem]
PLENTY = 10**12
MANY_NODES = 1000
MONEY_MARGIN = 0.01
"""Share of a budget or of cash that counts as one more unit of it."""


@dataclass(frozen=True, slots=True)
class Ease:
    """A rule eased by an amount: a larger one never makes a plan impossible."""

    at: Callable[[Problem, float], Problem]
    words: Callable[[float], str]
    """The change, such as ``the deadline of 'tune' 3 days later``."""
    first: float
    """Tried first; then twice as much, until it is enough."""
    most: float
    whole: bool = True


@dataclass(frozen=True, slots=True)
class InForce:
    """One thing that a person asked for, or that holds anyway."""

    words: str
    lift: Change
    lifted: str
    """What is said when lifting it is what helps."""
    ease: Ease | None = None
    margin: float = 0.0
    """How much one more of it is, where it is a limit; 0: it is none."""
    limit: str = ""
    """Where it is a limit: ``cash``, ``power``, ``rack_units``, ``max_providers``, the month of a
    budget, the name of a purchase."""


def rules_in_force(problem: Problem) -> list[InForce]:
    """All of them, those that a person would rather change last at the front.

    A search for what clashes drops from the front what the clash does not need.
    """
    return [
        *_work(problem),
        *_market(problem),
        *_stock(problem),
        *_site(problem),
        *_ways_to_work(problem),
        *_sellers(problem),
        *_purchases(problem),
        *_windows(problem),
        *_money(problem),
    ]


# -- workloads -------------------------------------------------------------------------------


def _work(problem: Problem) -> Iterator[InForce]:
    yield from (load_rule(demand.service.name) for demand in problem.services)
    yield from (work_rule(demand.job.name) for demand in problem.jobs)


def load_rule(name: str) -> InForce:
    def at(problem: Problem, percent: float) -> Problem:
        return _service(name, lambda d: _with_load(d, 1 - percent / 100))(problem)

    return InForce(
        f"'{name}' carries its load",
        _service(name, lambda d: _with_load(d, 0.0)),
        f"without '{name}'",
        Ease(at, lambda percent: f"'{name}' with {percent:.0f} % less load", 1, 99),
    )


def work_rule(name: str) -> InForce:
    def at(problem: Problem, percent: float) -> Problem:
        return _job(name, lambda d: replace(d, work=d.work * (1 - percent / 100)))(problem)

    return InForce(
        f"'{name}' is done",
        _without_job(name),
        f"without '{name}'",
        Ease(at, lambda percent: f"'{name}' with {percent:.0f} % less work", 1, 99),
    )


def _with_load(demand: ServiceDemand, factor: float) -> ServiceDemand:
    load = tuple(tuple(value * factor for value in day) for day in demand.load)
    return replace(demand, load=load)


def _service(name: str, change: Callable[[ServiceDemand], ServiceDemand]) -> Change:
    def changed(problem: Problem) -> Problem:
        services = (change(d) if d.service.name == name else d for d in problem.services)
        return replace(problem, services=tuple(services))

    return changed


def _job(name: str, change: Callable[[JobDemand], JobDemand]) -> Change:
    def changed(problem: Problem) -> Problem:
        jobs = (change(d) if d.job.name == name else d for d in problem.jobs)
        return replace(problem, jobs=tuple(jobs))

    return changed


def _job_field(name: str, **update: Any) -> Change:
    return _job(name, lambda d: replace(d, job=d.job.model_copy(update=update)))


def _without_job(name: str) -> Change:
    def changed(problem: Problem) -> Problem:
        kept = (d for d in problem.jobs if d.job.name != name)
        jobs = (
            replace(
                d, job=d.job.model_copy(update={"after": [x for x in d.job.after if x != name]})
            )
            for d in kept
        )
        return replace(problem, jobs=tuple(jobs))

    return changed


def _ways_to_work(problem: Problem) -> Iterator[InForce]:
    for demand in problem.services:
        service = demand.service
        if service.min_replicas > 1:
            yield InForce(
                f"'{service.name}' has at least {service.min_replicas} replicas",
                _service(
                    service.name,
                    lambda d: replace(d, service=d.service.model_copy(update={"min_replicas": 1})),
                ),
                f"'{service.name}' with one replica at times",
            )
    for job in problem.jobs:
        name = job.job.name
        if job.job.after:
            first = ", ".join(f"'{other}'" for other in job.job.after)
            yield InForce(
                f"'{name}' waits for {first}",
                _job_field(name, after=[]),
                f"'{name}' beside {first}",
            )
        if not job.job.interruptible:
            lift = _job_field(name, interruptible=True)
            yield InForce(f"'{name}' may not pause", lift, f"'{name}' with pauses")


def _windows(problem: Problem) -> Iterator[InForce]:
    for demand in problem.jobs:
        if demand.first > 0 and problem.standing is None:
            yield _release(problem, demand)
        if demand.last < problem.horizon.n_days - 1:
            yield deadline_rule(problem, demand)


def _release(problem: Problem, demand: JobDemand) -> InForce:
    name, day = demand.job.name, problem.horizon.day

    def at(p: Problem, days: float) -> Problem:
        return _job(name, lambda d: replace(d, first=d.first - int(days)))(p)

    def words(days: float) -> str:
        return f"the release of '{name}' {_days(days)} earlier ({day(demand.first - int(days))})"

    return InForce(
        f"'{name}' is released on {day(demand.first)}",
        _job(name, lambda d: replace(d, first=0)),
        f"'{name}' released on the first day",
        Ease(at, words, 1, demand.first),
    )


def deadline_rule(problem: Problem, demand: JobDemand) -> InForce:
    name, day, last_day = demand.job.name, problem.horizon.day, problem.horizon.n_days - 1

    def at(p: Problem, days: float) -> Problem:
        return _job(name, lambda d: replace(d, last=d.last + int(days)))(p)

    def words(days: float) -> str:
        return f"the deadline of '{name}' {_days(days)} later ({day(demand.last + int(days))})"

    return InForce(
        f"the deadline of '{name}', {day(demand.last)}",
        _job(name, lambda d: replace(d, last=last_day)),
        f"'{name}' until the horizon ends",
        Ease(at, words, 1, last_day - demand.last),
    )


def _days(number: float) -> str:
    return f"{number:.0f} day{_s(number)}"


def _s(number: float) -> str:
    return "" if number == 1 else "s"


# -- what may be used ------------------------------------------------------------------------


def _stock(problem: Problem) -> Iterator[InForce]:
    stock = problem.schedule.document.market.stock
    if stock is None and all(x.offer.max_units is None for x in problem.market.listings):
        return

    def lift(p: Problem) -> Problem:
        listings = tuple(
            Listing(replace(x.offer, max_units=None), x.units) for x in p.market.listings
        )
        opened = _with(p, "market", stock=None)
        return replace(opened, market=replace(p.market, listings=listings))

    yield InForce("sellers have only so much in stock", lift, "if the sellers had more in stock")


def _market(problem: Problem) -> Iterator[InForce]:
    """Rules about sellers and regions; what they leave out is gathered anew without them."""
    market = problem.schedule.document.market
    if not problem.market.listings or problem.standing is not None:
        return
    for field, words in (
        ("regions", "the regions"),
        ("providers", "the providers"),
        ("tiers", "the tiers"),
        ("purchase_models", "the purchase models"),
    ):
        rule: Rule = getattr(market, field)
        if rule.allow or rule.forbid:
            told = ", ".join([*rule.allow, *(f"not {name}" for name in rule.forbid)])
            yield InForce(
                f"{words} that are allowed: {told}",
                _gathered_anew(**{field: Rule()}),
                f"with all {words.removeprefix('the ')}",
            )


def _gathered_anew(**update: Any) -> Change:
    def lift(p: Problem) -> Problem:
        opened = _with(p, "market", **update)
        whole = gather(opened.schedule, p.costs.book, p.view)
        kinds = {d.job.name: d.options for d in whole.jobs}
        replicas = {d.service.name: (d.options, d.apis) for d in whole.services}
        return replace(
            opened,
            market=whole.market,
            services=tuple(
                replace(d, options=replicas[d.service.name][0], apis=replicas[d.service.name][1])
                for d in p.services
            ),
            jobs=tuple(replace(d, options=kinds[d.job.name]) for d in p.jobs),
        )

    return lift


def _with(problem: Problem, section: str, **update: Any) -> Problem:
    """With other values in a section of the schedule."""
    document = problem.schedule.document
    changed = getattr(document, section).model_copy(update=update)
    edited = document.model_copy(update={section: changed})
    return replace(problem, schedule=replace(problem.schedule, document=edited))


def _purchases(problem: Problem) -> Iterator[InForce]:
    yield from (_purchase(option) for option in problem.purchases if option.paid is None)


def _purchase(option: PurchaseOption) -> InForce:
    kind, most = option.kind, option.most

    def at(p: Problem, nodes: float) -> Problem:
        purchases = (
            replace(x, most=most + int(nodes)) if x.name == option.name else x for x in p.purchases
        )
        return replace(p, purchases=tuple(purchases))

    return InForce(
        f"at most {most} x {kind} may be bought",
        lambda p: at(p, MANY_NODES),
        f"if more of {kind} may be bought",
        Ease(at, lambda n: f"buying up to {most + int(n)} x {kind} (max)", 1, MANY_NODES),
        margin=1,
        limit=option.name,
    )


# -- limits ----------------------------------------------------------------------------------


def _number(
    problem: Problem, field: str, rule: str, change: Callable[[float], str], first: float, *,
    whole: bool = False,
) -> Iterator[InForce]:  # fmt: skip
    """A plain number of the section limits, where it is given."""
    limit = getattr(problem.schedule.document.limits, field)
    if limit is None:
        return

    def at(p: Problem, n: float) -> Problem:
        return _with(p, "limits", **{field: limit + (int(n) if whole else n)})

    yield InForce(
        rule.format(limit),
        lambda p: _with(p, "limits", **{field: None}),
        f"without the limit: {rule.format(limit)}",
        Ease(at, change, first, PLENTY, whole),
        margin=1,
        limit=field,
    )


def _site(problem: Problem) -> Iterator[InForce]:
    limits = problem.schedule.document.limits
    yield from _number(
        problem, "rack_units", "the site has {} rack units",
        lambda n: f"{n:.0f} more rack unit{_s(n)}", 1, whole=True,
    )  # fmt: skip
    yield from _number(
        problem, "power", "the site has {:g} kW", lambda n: f"{n:.3g} kW more power",
        0.05 * (limits.power or 1),
    )  # fmt: skip


def _sellers(problem: Problem) -> Iterator[InForce]:
    yield from _number(
        problem, "max_providers", "at most {} provider(s)",
        lambda n: f"{n:.0f} more provider{_s(n)}", 1, whole=True,
    )  # fmt: skip


def _money(problem: Problem) -> Iterator[InForce]:
    limits, costs = problem.schedule.document.limits, problem.costs
    currency = costs.currency

    def amount(money: Money) -> float:
        return float(costs.in_currency(money))

    if limits.cash is not None:
        cash = limits.cash
        yield InForce(
            f"the cash of {amount(cash):,.0f} {currency}",
            lambda p: _with(p, "limits", cash=None),
            "without the cash limit",
            Ease(
                lambda p, n: _with(p, "limits", cash=_more(problem, cash, n)),
                lambda n: f"{n:,.0f} {currency} more cash",
                max(1.0, 0.05 * amount(cash)),
                PLENTY,
                whole=False,
            ),
            margin=MONEY_MARGIN * amount(cash),
            limit="cash",
        )
    for month in problem.horizon.months:
        budget = limits.budget.get(month, limits.budget_per_month)
        if budget is not None:
            yield _budget(problem, month, budget, amount(budget))


def _budget(problem: Problem, month: str, budget: Money, amount: float) -> InForce:
    currency = problem.costs.currency

    def at(p: Problem, more: float) -> Problem:
        months = {**p.schedule.document.limits.budget, month: _more(problem, budget, more)}
        return _with(p, "limits", budget=months)

    return InForce(
        f"the budget of {month}, {amount:,.0f} {currency}",
        lambda p: at(p, PLENTY),
        f"without the budget of {month}",
        Ease(
            at,
            lambda more: f"the budget of {month} {more:,.0f} {currency} more",
            max(1.0, 0.05 * amount),
            PLENTY,
            whole=False,
        ),
        margin=MONEY_MARGIN * amount,
        limit=month,
    )


def _more(problem: Problem, limit: Money, amount: float) -> Money:
    exact = problem.costs.in_currency(limit) + Decimal(repr(amount))
    return Money(exact, problem.costs.currency)
