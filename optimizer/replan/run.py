"""From a plan, a day and what really happened to the cheapest rest, and why it costs that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

from optimizer.api import make_plan, three_answers
from optimizer.cautions import rest_stopped_early
from optimizer.errors import NoPlanError, VerifyError
from optimizer.formulate import formulate
from optimizer.milp.anytime import Stopped
from optimizer.milp.instance import Instance
from optimizer.milp.solve import SolveOptions
from optimizer.options.market import View
from optimizer.plans import Answer, Change, Plan, Replanned
from optimizer.problem import Problem
from optimizer.replan.actuals import News
from optimizer.replan.past import standing_after
from optimizer.resume import gather_rest
from optimizer.schedule.schedule import Schedule
from optimizer.solved import Solved, solve_problem
from optimizer.standing import Standing
from optimizer.verify.examine import examine
from optimizer.verify.plan_document import PlanDocument, read_plan
from providers.errors import RentoptError
from providers.offers import OfferBook

ALL_LISTINGS = View(spared=lambda listing: True)


class DayError(RentoptError):
    """The day to plan from is not one of the schedule's, or before the last time."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A plan that was followed until today, with the prices it was made with."""

    document: PlanDocument
    sha256: str
    book: OfferBook


@dataclass(frozen=True, slots=True)
class _Step:
    """One version of the rest: a cause of change is there that was not before."""

    causes: tuple[str, ...]
    problem: Problem
    instance: Instance


@dataclass(frozen=True, slots=True)
class _Cost:
    total: Decimal
    npv: Decimal
    bound: Decimal

    @property
    def slack(self) -> Decimal:
        return max(Decimal(0), self.npv - self.bound)


def followed(plan: Mapping[str, Any], sha256: str, schedule: Schedule, book: OfferBook) -> Followed:
    """
    Args:
        plan: its JSON.
        book: the prices it was made with.

    Raises:
        PlanFormatError: it is no plan.
        VerifyError: it does not hold for this schedule and these prices.
    """
    document = read_plan(plan)
    faults = examine(plan, schedule, book).faults
    if faults:
        more = f"; the first of {len(faults)} faults (`rentopt verify` tells all)"
        raise VerifyError(
            "the plan that was followed does not hold for this schedule and these quotes, so what "
            f"it leaves is not known{more if len(faults) > 1 else ''}:\n  {faults[0]}\n"
            "  hint: it needs what it was made with: the schedule, and the quotes (--old-quotes)"
        )
    return Followed(document, sha256, book)


def replan(
    schedule: Schedule,
    old: Followed,
    today: date,
    book: OfferBook,
    news: News | None = None,
    options: SolveOptions | None = None,
    *,
    progress: Callable[[str], None] = lambda step: None,
) -> Plan:
    """The cheapest rest of a schedule from the morning of a day on, with all that is paid sunk.

    Args:
        old: the plan that was followed until then.
        book: today's prices.
        news: what went otherwise than planned; everything as planned when left out.

    Raises:
        DayError: `today` is outside the horizon, or before the day of an earlier replanning.
        DocumentError: the news do not fit the schedule.
        NoPlanError: there is no rest that does the work that is left.
    """
    _check_day(schedule, old, today)
    progress("adding up what is paid and done")
    at_work = gather_rest(schedule, old.book, old.document.replanned_from, ALL_LISTINGS)
    planned = standing_after(at_work, old.document, today, old.sha256)
    standing = news.told(planned, at_work) if news else planned
    steps = _steps(schedule, old, book, at_work, planned, news)
    before = _Cost(old.document.total, old.document.npv, old.document.npv)
    options = for_the_rest(options or SolveOptions(), steps[-1].problem, before.npv)
    late = _too_late(steps[-1].problem)
    if late:
        raise NoPlanError("\n".join(["no plan exists:", *(f"  {line}" for line in late)]))
    # The answer first, the reasons after it: whoever stops early gets the best there is of it.
    answers, best = three_answers(steps[-1].problem, options, progress)
    mix = next(answer for answer in answers if answer.kind == "mix")
    last = _answer_cost(mix)
    bills = _bills(steps[-1].problem, planned, standing)
    without_bills = _Cost(last.total - bills.total, last.npv - bills.npv, last.bound - bills.npv)
    changes = _changes(steps, before, without_bills, options, progress)
    if bills.total:
        changes.append(Change("bills", bills.total, bills.npv, Decimal(0)))
    sunk = [flow for _, flow in best.problem.sunk]
    sunk_total = sum((flow.amount for flow in sunk), Decimal(0))
    sunk_npv = best.problem.costs.present_value(sunk)
    record = Replanned(
        sunk_total=sunk_total,
        sunk_present_value=sunk_npv,
        rest_total=last.total - sunk_total,
        rest_present_value=last.npv - sunk_npv,
        rest_bound=last.bound - sunk_npv,
        old_total=before.total,
        old_present_value=before.npv,
        changes=tuple(changes),
    )
    made = replace(make_plan(best, answers), replanned=record)
    if options.stopped:
        made = replace(made, warnings=(rest_stopped_early(record), *made.warnings))
    return made


def _changes(
    steps: list[_Step],
    before: _Cost,
    after: _Cost,
    options: SolveOptions,
    progress: Callable[[str], None],
) -> list[Change]:
    """From the plan that was followed to the new one, one cause after the other.

    A cause of which no plan shows what it does is told together with the next: one that makes a
    plan impossible until another helps, and those that were not looked at because of a stop.
    """
    costs, changes, waiting = [before], list[Change](), tuple[str, ...]()
    for number, step in enumerate(steps[:-1], start=1):
        found = None
        if not (options.stopped or _too_late(step.problem)):
            progress(f"why the cost changed, {number} of {len(steps) - 1}")
            with suppress(Stopped):
                found = solve_problem(step.problem, options.for_questions())
        waiting = (*waiting, *step.causes)
        if isinstance(found, Solved):
            costs.append(_cost(found))
            changes.append(_change(waiting, costs[-2], costs[-1]))
            waiting = ()
    changes.append(_change((*waiting, *steps[-1].causes), costs[-1], after))
    return changes


def standing_faults(
    schedule: Schedule, old: Followed, plan: PlanDocument, news: News | None = None
) -> list[str]:
    """Where a plan that was made again starts from another state than the old plan has left."""
    told = plan.replanned_from
    if told is None:
        return ["the plan was not made again from another"]
    at_work = gather_rest(schedule, old.book, old.document.replanned_from, ALL_LISTINGS)
    found = standing_after(at_work, old.document, told.today, old.sha256, news)
    return [
        f"replanned_from: {field.name} is not what the plan that was followed has left"
        for field in fields(Standing)
        if getattr(told, field.name) != getattr(found, field.name)
    ]


def _check_day(schedule: Schedule, old: Followed, today: date) -> None:
    if not schedule.first_day <= today <= schedule.last_day:
        raise DayError(
            f"{today} is outside the schedule's days, {schedule.first_day} to {schedule.last_day}"
        )
    earlier = old.document.replanned_from
    if earlier is not None and today < earlier.today:
        raise DayError(f"{today} is before {earlier.today}, the day the plan was made again for")


def _too_late(problem: Problem) -> list[str]:
    """Jobs with work left whose deadline is over."""
    day = problem.horizon.day
    return [
        f"'{demand.job.name}' has work left, and its deadline was {day(demand.last)}; "
        "give it a new one in the actuals (jobs, deadline)"
        for demand in problem.jobs
        if demand.first > demand.last
    ]


def _steps(
    schedule: Schedule,
    old: Followed,
    book: OfferBook,
    at_work: Problem,
    planned: Standing,
    news: News | None,
) -> list[_Step]:
    """Versions of the rest, one cause after the other; what changes no number is left out."""
    told = [(("optimiser",), planned, old.book)]
    if news is not None:
        jobs = news.only("jobs").told(planned, at_work)
        told.append((("jobs",), jobs, old.book))
        work = news.only("jobs", "services", "lost").told(planned, at_work)
        told.append((("load and nodes",), work, old.book))
    standing = planned if news is None else news.told(planned, at_work)
    told.append((("prices",), standing, book))
    steps: list[_Step] = []
    for causes, state, prices in told:
        problem = gather_rest(schedule, prices, state)
        instance = replace(formulate(problem).instance, constant=0.0)
        if steps and steps[-1].instance == instance:
            steps[-1] = replace(steps[-1], problem=problem)
        else:
            steps.append(_Step(causes, problem, instance))
    return steps


def for_the_rest(options: SolveOptions, problem: Problem, before: Decimal) -> SolveOptions:
    """The gap is meant for what is still open, and the solver counts what is sunk as well.

    Args:
        before: present value of sunk and rest, about.
    """
    sunk = problem.costs.present_value(flow for _, flow in problem.sunk)
    if before <= 0 or not 0 < sunk < before:
        return options
    return replace(options, gap=options.gap * float((before - sunk) / before))


def _bills(problem: Problem, planned: Standing, standing: Standing) -> _Cost:
    """What was paid beside the plan."""
    flows = [flow for _, flow in problem.sunk]
    as_planned = [flow for _, flow in replace(problem, standing=planned).sunk]
    value = problem.costs.present_value
    npv = value(flows) - value(as_planned)
    return _Cost(standing.total - planned.total, npv, npv)


def _cost(found: Solved) -> _Cost:
    total, npv = found.value(found.parts)
    return _Cost(total, npv, Decimal(repr(found.solution.bound)))


def _answer_cost(answer: Answer) -> _Cost:
    assert answer.total is not None
    assert answer.npv is not None
    assert answer.bound is not None
    return _Cost(answer.total, answer.npv, answer.bound)


def _change(causes: tuple[str, ...], before: _Cost, after: _Cost) -> Change:
    slack = before.slack + after.slack
    return Change(", ".join(causes), after.total - before.total, after.npv - before.npv, slack)
