"""Families of choices: sellers counted, changes charged, use asked for."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.milp.constraints.capacity import Active
from optimizer.milp.constraints.limits import most_nodes
from optimizer.milp.instance import Choice, Instance
from optimizer.milp.linear_model import INF, LinearModel, Term
from optimizer.milp.variables import Variables


def add_choice(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""What a choice holds is used only when it is made.

    $$start_{o,i} \le M_o\, choice_x,\quad hourly_{o,s} \le M_o\, choice_x,\quad
      hours_{j,g,s} \le h_s\, choice_x,\quad api_{v,a,s} \le load_{v,s}\, choice_x$$
    $$\sum_{i: t \in cover_i} hold_{a,i} \le beyond_x + most_a\, choice_x,\qquad
      \sum_{a \in x} \sum_i hold_{a,i} \ge fewer_x\, (1 - choice_x)$$

    M is the number of nodes of the pool that all workloads can use at once: no plan of least cost
    starts more of an offer on one day. A merged start stands for those of all its days, so there
    M counts once for each of them. Rows ``choice_start[x,…]``, ``choice_hourly``, ``choice_hours``,
    ``choice_run``, ``choice_api``, ``choice_held`` and ``choice_fewer``.
    """
    reach = [most_nodes(data, pool) for pool in range(len(data.pools))]
    firsts = data.days_before()
    days = {t: n for p, n in enumerate(data.period_days) for t in range(firsts[p], firsts[p] + n)}
    for x, made in v.choice.items():
        choice = data.choices[x]
        limits = []
        for (o, i), column in v.start.items():
            if o in choice.terms:
                offer = data.term_offers[o]
                most = max(reach[offer.pool], offer.least, 1.0) * days[offer.starts[i].day]
                limits.append(("start", f"{offer.name},{offer.starts[i].day}", column, most))
        for (o, s), column in v.hourly.items():
            if o in choice.hourly:
                by_hour = data.hourly_offers[o]
                most = min(by_hour.stock, max(reach[by_hour.pool], 1.0))
                limits.append(("hourly", f"{by_hour.name},{s}", column, most))
        for (j, g, s), column in v.hours.items():
            if data.jobs[j].gangs[g].hourly in choice.hourly:
                at = f"{data.jobs[j].name},{g},{s}"
                limits.append(("hours", at, column, data.slices[s].hours))
        for column, run in v.whole_run.items():
            if data.jobs[run.job].gangs[run.gang].hourly in choice.hourly:
                at = f"{data.jobs[run.job].name},{run.gang},{run.day}"
                limits.append(("run", at, column, 1.0))
        for (i, a, s), column in v.api.items():
            if (i, a) in choice.apis:
                service = data.services[i]
                at = f"{service.name},{service.apis[a].name},{s}"
                limits.append(("api", at, column, service.bucket_load(service.apis[a].bucket, s)))
        for row, at, column, most in limits:
            name = f"choice_{row}[{choice.name},{at}]"
            model.row(name, [(column, 1.0), (made, -most)], upper=0)
        _bought(model, v, data, active, choice, made)


def _bought(
    model: LinearModel, v: Variables, data: Instance, active: Active, choice: Choice, made: int
) -> None:
    if choice.fewer:
        held = [(column, 1.0) for (a, _), column in v.hold.items() if a in choice.assets]
        terms = [*held, (made, float(choice.fewer))]
        model.row(f"choice_fewer[{choice.name}]", terms, lower=float(choice.fewer))
        return
    for a in choice.assets:
        before: list[Term] = []
        for t, terms in enumerate(active.held[a]):
            if terms and terms != before:
                name = f"choice_held[{choice.name},{data.assets[a].name},{t}]"
                more = data.assets[a].most - choice.beyond
                model.row(name, [*terms, (made, -more)], upper=float(choice.beyond))
            before = terms


def add_sellers(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""No more sellers than the schedule wants to deal with.

    $$\sum_{x \text{ counted}} choice_x \le sellers$$

    Row ``sellers[]``.
    """
    if data.limits.sellers < INF:
        counted = [(made, 1.0) for x, made in v.choice.items() if data.choices[x].counted]
        model.row("sellers[]", counted, upper=data.limits.sellers)


def add_least_use(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""What a question asks about is used, at least so much.

    $$\sum start_{o,i} + \sum h_s d_t\, hourly_{o,s} + \sum d_t\, hours_{j,g,s}
      + \sum d_t\, api_{v,a,s} / load_{v,s} + \sum hold_{a,i} \ge least_x$$

    over what the choice holds: terms, node-hours, gang-hours, slices of load, nodes bought. Rows
    ``least_use[x]``. Nothing to use leaves 0 >= least, which is infeasible, as it should be.
    """
    for choice in data.choices:
        if choice.least:
            row = list(_uses(v, data, choice))
            model.row(f"least_use[{choice.name}]", row, lower=choice.least)


def _uses(v: Variables, data: Instance, choice: Choice) -> Iterator[Term]:
    yield from ((column, 1.0) for (o, _), column in v.start.items() if o in choice.terms)
    yield from ((column, 1.0) for (a, _), column in v.hold.items() if a in choice.assets)
    for (o, s), column in v.hourly.items():
        if o in choice.hourly:
            yield column, data.slices[s].hours * data.slice_days(s)
    for (j, g, s), column in v.hours.items():
        if data.jobs[j].gangs[g].hourly in choice.hourly:
            yield column, float(data.slice_days(s))
    for column, run in v.whole_run.items():
        if data.jobs[run.job].gangs[run.gang].hourly in choice.hourly:
            yield column, sum(hours for _, hours in run.shares)
    for (i, a, s), column in v.api.items():
        if (i, a) in choice.apis:
            service = data.services[i]
            load = service.bucket_load(service.apis[a].bucket, s)
            yield column, data.slice_days(s) / load
