"""Strategies over the prices of the past: each is followed day by day, and billed as it would
have been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from optimizer.api import make_plan
from optimizer.costs import Flow
from optimizer.errors import NoPlanError
from optimizer.formulate import formulate
from optimizer.infeasible import explain
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.plans import SCHEMA_VERSION, Plan
from optimizer.problem import Problem
from optimizer.replan.past import standing_after
from optimizer.replan.run import ALL_LISTINGS, for_the_rest
from optimizer.resume import gather_rest
from optimizer.schedule.schedule import Schedule
from optimizer.simulate.foresight import foresee
from optimizer.simulate.history import History
from optimizer.solved import Solved, solve_made, solve_problem
from optimizer.standing import Standing, SunkLine
from optimizer.verify.plan_document import PlanDocument

DEAR = 1000.0
"""Rent seems so many times dearer where all that can be owned shall be owned."""
NO_ANSWERS = ()
FORESIGHT = "perfect foresight"
Narrow = Callable[[Problem], Problem]


@dataclass(frozen=True, slots=True)
class Row:
    """What one way of deciding would have cost."""

    strategy: str
    total: Decimal | None
    """Undiscounted; None: it does not work for this schedule."""
    present_value: Decimal | None
    bound: Decimal | None = None
    """Proven least present value with perfect foresight."""
    nodes_bought: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """One plan that was followed for some days."""

    today: date
    until: date
    plan: Plan
    problem: Problem
    """With the prices of each day."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A way of deciding, followed to the end."""

    weeks: tuple[Week, ...]
    problem: Problem
    sunk: tuple[SunkLine, ...]

    @property
    def flows(self) -> list[tuple[date, Decimal]]:
        return [(line.day, line.amount) for line in self.sunk]

    @property
    def nodes_bought(self) -> int:
        return sum(
            part.nodes
            for week in self.weeks
            for part in week.plan.bought
            if week.today <= part.paid < week.until
        )

    def row(self, strategy: str, note: str = "") -> Row:
        total, value = worth(self.problem, self.flows)
        return Row(strategy, total, value, nodes_bought=self.nodes_bought, note=note)


def worth(problem: Problem, flows: Sequence[tuple[date, Decimal]]) -> tuple[Decimal, Decimal]:
    """Undiscounted sum and present value."""

    dated = [Flow(problem.horizon.index(day), amount, "") for day, amount in flows]
    total = sum((amount for _, amount in flows), Decimal(0))
    return total, problem.costs.present_value(dated)


def follow(
    schedule: Schedule,
    history: History,
    every: int,
    options: SolveOptions,
    *,
    narrow: Narrow = lambda problem: problem,
    progress: Callable[[str], None] = lambda step: None,
) -> Followed:
    """Plan, follow the plan for `every` days, and plan the rest again on the prices of the day.

    Raises:
        NoPlanError: on some day there is no plan for the rest.
    """
    standing: Standing | None = None
    today, end = schedule.first_day, schedule.last_day + timedelta(1)
    weeks: list[Week] = []
    about = Decimal(0)
    while today < end:
        until = min(today + timedelta(every), end)
        progress(f"planning from {today}")
        problem = narrow(gather_rest(schedule, history.book(today), standing))
        found = _found(
            problem, solve_problem(problem, for_the_rest(options, problem, about)), options
        )
        plan = make_plan(found, NO_ANSWERS)
        about = plan.npv
        billed = _billed(schedule, history, today, standing)
        standing = standing_after(billed, document_of(plan), until, "")
        weeks.append(Week(today, until, plan, billed))
        today = until
    assert standing is not None
    return Followed(tuple(weeks), weeks[0].problem, standing.sunk)


def _billed(
    schedule: Schedule, history: History, today: date, standing: Standing | None
) -> Problem:
    """The problem with what every day's decisions really cost."""
    problem = gather_rest(schedule, history.book(today), standing, ALL_LISTINGS)
    return replace(problem, costs=replace(problem.costs, days=history))


def _found(problem: Problem, found: Solved | NoSolution, options: SolveOptions) -> Solved:
    if isinstance(found, Solved):
        return found
    if not found.infeasible:
        raise NoPlanError(f"no plan was found in {options.time_limit_s:g} s; allow more")
    raise NoPlanError(explain(problem, options))


def document_of(plan: Plan) -> PlanDocument:
    """A plan as it would come back from its file."""
    tables = {"by_workload": dict(plan.by_workload), "cash_flow": dict(plan.cash_flow)}
    body = asdict(replace(plan, breakeven=()))
    return PlanDocument.model_validate(body | tables | {"schema_version": SCHEMA_VERSION})


# -- other ways ----------------------------------------------------------------------------


def on_demand(problem: Problem) -> Problem:
    """Only what can be given back after any hour, spot apart; nothing is bought."""
    listings = tuple(
        x for x in problem.market.listings if not problem.costs.term(x.offer) and not x.spot
    )
    market = replace(problem.market, listings=listings)
    return replace(problem.without_purchases(), market=market)


def bought_at_start(schedule: Schedule, history: History, options: SolveOptions) -> Followed:
    """All that can be owned is bought on the first day and kept to the end; the rest is rented on
    demand.

    Raises:
        NoPlanError: the schedule offers nothing to buy, or there is no such plan.
    """
    first, end = schedule.first_day, schedule.last_day + timedelta(1)
    whole = gather_rest(schedule, history.book(first), None)
    if not whole.purchases:
        raise NoPlanError("the schedule offers nothing to buy")
    rented = tuple(x for x in whole.market.listings if not whole.costs.term(x.offer) and not x.spot)
    problem = replace(whole, market=replace(whole.market, listings=rented))
    made = formulate(problem)
    last = problem.horizon.n_days
    data = made.instance
    dear = replace(
        data,
        assets=tuple(
            replace(a, holds=tuple(h for h in a.holds if h.day == 0 and h.until == last))
            for a in data.assets
        ),
        hourly_offers=tuple(
            replace(o, cost=tuple(c * DEAR for c in o.cost)) for o in data.hourly_offers
        ),
        jobs=tuple(
            replace(
                job,
                gangs=tuple(
                    replace(g, hour_cost=tuple(c * DEAR for c in g.hour_cost)) for g in job.gangs
                ),
            )
            for job in data.jobs
        ),
    )
    made = replace(made, instance=dear)
    found = _found(problem, solve_made(problem, made, options), options)
    plan = make_plan(found, NO_ANSWERS)
    billed = _billed(schedule, history, first, None)
    standing = standing_after(billed, document_of(plan), end, "")
    return Followed((Week(first, end, plan, billed),), billed, standing.sunk)


def foresight_row(schedule: Schedule, history: History, options: SolveOptions) -> Row:
    problem, found = foresee(schedule, history, options)
    if isinstance(found, NoSolution):
        return Row(FORESIGHT, None, None, note=_why(problem, found, options))
    total, value = found.value(found.parts)
    bound = min(Decimal(repr(found.solution.bound)), value)
    return Row(
        FORESIGHT, total, value, bound, found.nodes_bought, "one plan with every day's prices known"
    )


def _why(problem: Problem, found: NoSolution, options: SolveOptions) -> str:
    if not found.infeasible:
        return f"no plan was found in {options.time_limit_s:g} s"
    return explain(problem, options)
