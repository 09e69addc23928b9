"""Families of batch jobs: the work is done in its window, by one gang at a time."""

from __future__ import annotations

from collections import defaultdict

from optimizer.milp.constraints.capacity import Active
from optimizer.milp.cuts import least_whole_cost, pool_prices
from optimizer.milp.instance import Instance
from optimizer.milp.linear_model import LinearModel, Term
from optimizer.milp.variables import Variables


def worked(v: Variables, data: Instance) -> dict[tuple[int, int], list[Term]]:
    """(job, period) → terms that add up to the work done in it."""
    terms: dict[tuple[int, int], list[Term]] = defaultdict(list)
    for (j, g, s), column in v.run.items():
        point = data.slices[s]
        rate = data.jobs[j].gangs[g].rate * point.hours * data.slice_days(s)
        terms[j, point.period].append((column, rate))
    for (j, g, s), column in v.hours.items():
        gang = data.jobs[j].gangs[g]
        rate = gang.rate * data.slice_days(s)
        terms[j, data.slices[s].period].append((column, rate))
    for column, run in v.whole_run.items():
        gang = data.jobs[run.job].gangs[run.gang]
        for s, hours in run.shares:
            terms[run.job, data.slices[s].period].append((column, gang.rate * hours))
    return terms


def running(v: Variables, data: Instance) -> dict[tuple[int, int], list[Term]]:
    """(job, slice) → terms that add up to the share of the slice it runs, or less."""
    terms: dict[tuple[int, int], list[Term]] = defaultdict(list)
    for (j, g, s), column in v.run.items():
        terms[j, s].append((column, 1 / data.jobs[j].gangs[g].most))
    for (j, g, s), column in v.hours.items():
        terms[j, s].append((column, 1 / (data.slices[s].hours * data.jobs[j].gangs[g].most)))
    for column, run in v.whole_run.items():
        for s, _ in run.shares:
            terms[run.job, s].append((column, 1.0))
    return terms


def add_work(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""The work is done by the deadline.

    $$\sum_{g,s} (\min(rate_g h_s, work_j)\, run_{j,g,s} + \min(rate_g, work_j)\, hours_{j,g,s})
      \ge work_j$$

    A gang that could do more than all of the work in a slice, or in an hour, does all of it: nodes
    are held for whole slices and paid for whole hours. Rows ``work[j]``; a contiguous job has
    `add_contiguous` instead. Both sides are divided by the work, so that 10^12 tokens and 10
    GPU-hours look alike to the solver.
    """
    done: dict[int, list[Term]] = defaultdict(list)
    for (j, g, s), column in v.run.items():
        each = min(data.jobs[j].gangs[g].rate * data.slices[s].hours, data.jobs[j].work)
        done[j].append((column, each * data.slice_days(s)))
    for (j, g, s), column in v.hours.items():
        each = min(data.jobs[j].gangs[g].rate, data.jobs[j].work)
        done[j].append((column, each * data.slice_days(s)))
    for j, job in enumerate(data.jobs):
        if job.contiguous and data.exact:
            continue
        model.row(f"work[{job.name}]", [(c, x / job.work) for c, x in done[j]], lower=1)


def add_job_price(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""A job costs at least the cheapest whole slices and hours that do its work.

    $$\sum_{g,s} price_g\, h_s\, run_{j,g,s} + \sum_{g,s} price_g\, hours_{j,g,s} \ge W_j$$

    W is the least of whole numbers (`least_whole_cost`). Any prices make a true row: an hour by the
    hour counts what it is billed, nodes of a pool by the hour or on the cheapest terms. Rows
    ``job_price[j,n]``, n the price vector; only in merged periods, where hours need not be whole.
    """
    if data.exact:
        return
    slices: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    hours: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for at, columns in ((slices, v.run), (hours, v.hours)):
        for (j, g, s), column in columns.items():
            at[j].append((g, s, column))
    for n, prices in enumerate(pool_prices(data)):
        for j, job in enumerate(data.jobs):
            items: dict[tuple[float, float], None] = {}
            terms: list[Term] = []
            if any(gang.quota >= 0 for gang in job.gangs):
                continue
            for g, s, column in slices[j]:
                gang, long = job.gangs[g], data.slices[s].hours
                price = prices[gang.pool] * gang.nodes * long
                items[min(gang.rate * long, job.work) / job.work, price] = None
                terms.append((column, price * data.slice_days(s)))
            for g, s, column in hours[j]:
                gang = job.gangs[g]
                items[min(gang.rate, job.work) / job.work, gang.hour_cash] = None
                terms.append((column, gang.hour_cash * data.slice_days(s)))
            least = least_whole_cost(items, 1.0)
            if least > 0:
                scaled = [(column, x / least) for column, x in terms]
                model.row(f"job_price[{job.name},{n}]", scaled, lower=1)


def add_whole_hours(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Hours on nodes rented by the hour are whole in total.

    $$\sum_s hours_{j,g,s} = total_{j,g}, \qquad total_{j,g} \text{ whole}$$

    Rows ``whole_hours[j,g]``. Branching on the total instead of on every slice removes the
    symmetry between days. In merged periods hours need not be whole: proving the last hour of a
    job is not worth the time it takes.
    """
    terms: dict[tuple[int, int], list[Term]] = defaultdict(list)
    for (j, g, s), column in v.hours.items():
        terms[j, g].append((column, float(data.slice_days(s))))
    for (j, g), total in v.total.items():
        row = [*terms[j, g], (total, -1.0)]
        model.row(f"whole_hours[{data.jobs[j].name},{g}]", row, lower=0, upper=0)


def add_one_gang(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""A job runs as one gang at a time.

    $$\sum_g run_{j,g,s} + \sum_g hours_{j,g,s} / h_s \le 1$$

    Rows ``one_gang[j,s]``. In a merged period, of which only some days are in its window, it may
    run on those.
    """
    for (j, s), terms in sorted(running(v, data).items()):
        if not (data.jobs[j].contiguous and data.exact):
            share = data.window_share(j, s)
            model.row(f"one_gang[{data.jobs[j].name},{s}]", terms, upper=share)


def add_contiguous(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""A contiguous job takes one way of running from start to end.

    $$\sum_{g,t} whole\_run_{j,g,t} = 1$$

    Rows ``contiguous[j]``; without any way the row is 0 = 1, which is infeasible.
    """
    for j, job in enumerate(data.jobs):
        if job.contiguous and data.exact:
            terms = [(column, 1.0) for column, run in v.whole_run.items() if run.job == j]
            model.row(f"contiguous[{job.name}]", terms, lower=1, upper=1)


def add_precedence(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""A job runs only from the day after the jobs it waits for are finished.

    $$\sum_{t' < t} \text{work of } i \text{ in } t' \ge work_i\, done_{i,t}, \qquad
      \sum_g run_{j,g,s} + \ldots \le done_{i,t(s)}$$

    Rows ``finished[i,t]`` and ``precedence[i,j,s]``. In merged periods the period itself counts
    (t' ≤ t): a job may follow within a period, which only relaxes the model.
    """
    done = worked(v, data)
    share = running(v, data)
    for i in sorted({i for job in data.jobs for i in job.after}):
        before: list[Term] = []
        for t in range(len(data.period_days)):
            inside = [(c, x / data.jobs[i].work) for c, x in done[i, t]]
            earlier = before if data.period_days[t] == 1 else before + inside
            row = [*earlier, (v.done[i, t], -1.0)]
            # A contiguous job's last hour may be a rounding error short of the whole work.
            model.row(f"finished[{data.jobs[i].name},{t}]", row, lower=-1e-9)
            before = before + inside
    for j, job in enumerate(data.jobs):
        for i in job.after:
            for s, point in enumerate(data.slices):
                if share[j, s]:
                    row = [*share[j, s], (v.done[i, point.period], -1.0)]
                    model.row(f"precedence[{data.jobs[i].name},{job.name},{s}]", row, upper=0)


def add_move(model: LinearModel, v: Variables, data: Instance, active: Active) -> None:
    r"""Data is moved once when a job runs on rented nodes.

    $$\sum_{g \text{ rented}} run_{j,g,s} + hours_{j,g,s} / h_s \le move_j$$

    Rows ``move[j,s]``.
    """
    rented: dict[tuple[int, int], list[Term]] = defaultdict(list)
    for (j, g, s), column in v.run.items():
        gang = data.jobs[j].gangs[g]
        if gang.rented:
            rented[j, s].append((column, 1 / gang.most))
    for (j, g, s), column in v.hours.items():
        gang = data.jobs[j].gangs[g]
        if gang.rented:
            rented[j, s].append((column, 1 / (data.slices[s].hours * gang.most)))
    for column, run in v.whole_run.items():
        if data.jobs[run.job].gangs[run.gang].rented:
            rented[run.job, run.shares[0][0]].append((column, 1.0))
    for (j, s), terms in sorted(rented.items()):
        if j in v.move:
            model.row(f"move[{data.jobs[j].name},{s}]", [*terms, (v.move[j], -1.0)], upper=0)
