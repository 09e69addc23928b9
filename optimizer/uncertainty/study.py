"""Two-stage plans: what to sign before it is known which scenario comes true."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from optimizer.api import make_plan
from optimizer.cautions import stopped_early
from optimizer.dated import by_day
from optimizer.errors import NoPlanError
from optimizer.formulate import formulate
from optimizer.infeasible import explain
from optimizer.milp.agreed import take
from optimizer.milp.instance import INF
from optimizer.milp.sellers import solve_any
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.milp.two_stage import (
    Agreed,
    Risk,
    TwoStage,
    cvar,
    joined_bound,
    on_own_days,
    representatives,
    solve_joined,
)
from optimizer.plans import Answer, Plan
from optimizer.problem import Problem, gather
from optimizer.schedule.schedule import Schedule
from optimizer.solved import Solved, solve_made
from optimizer.uncertainty.hedge import Hedge, Outcome, Signing
from optimizer.uncertainty.load import ScenarioSet
from optimizer.uncertainty.orders import with_orders
from optimizer.uncertainty.scenario import Outlook, Scenario, is_committed, view_of
from providers.offers import OfferBook

MOST_JOINED = 10
"""Up to so many scenarios are put into one model; of more, so many that stand for all."""
MEAN = "mean of all scenarios"
Tell = Callable[[str], None]


def hedge(
    schedule: Schedule,
    book: OfferBook,
    asked: ScenarioSet,
    scenarios: Sequence[Scenario],
    risk: Risk | None = None,
    options: SolveOptions | None = None,
    *,
    progress: Tell = lambda step: None,
) -> Hedge:
    """What to sign today, and what each scenario then costs.

    Args:
        scenarios: of `asked`, checked or drawn.
        risk: what is minimised; expected cost when left out.
        options: gap of the objective, and time for each problem that is solved.

    Raises:
        NoPlanError: a scenario has no plan at all, or no decision suits all of them.
    """
    return _Study(schedule, book, asked, scenarios, risk or Risk(), options, progress).hedge()


@dataclass(frozen=True, slots=True)
class _Valued:
    """A decision of today, and what every scenario costs with it."""

    agreed: Agreed
    solved: tuple[Solved, ...]
    objective: float

    @property
    def bounds(self) -> list[float]:
        return [found.solution.bound for found in self.solved]


class _Study:
    """Holds the problems of all scenarios while decisions are looked for and valued."""

    def __init__(
        self,
        schedule: Schedule,
        book: OfferBook,
        asked: ScenarioSet,
        scenarios: Sequence[Scenario],
        risk: Risk,
        options: SolveOptions | None,
        tell: Tell,
    ) -> None:
        self.asked, self.scenarios, self.risk, self.tell = asked, tuple(scenarios), risk, tell
        self.options = options or SolveOptions()
        document = asked.document
        self.problem = whole_problem(schedule, book, asked, self.scenarios)
        self.until = self.problem.horizon.index(document.known_from)
        self.chances = tuple(float(s.chance) for s in self.scenarios)
        outlooks = [Outlook(s.name, (s,), document.known_from) for s in self.scenarios]
        mean = Outlook(MEAN, self.scenarios, document.known_from)
        self.problems, made = [], []
        for outlook in (*outlooks, mean):
            problem = outlook.realised(self.problem)
            numbers = formulate(problem)
            self.problems.append(problem)
            made.append(by_day(problem, numbers) if outlook.moves_rents else numbers)
        self.made = [
            with_orders(problem, one, made, self.until)
            for problem, one in zip(self.problems, made, strict=True)
        ]
        committed = is_committed(document.committed)
        self.two = TwoStage(
            tuple(one.instance for one in self.made[:-1]),
            self.chances,
            frozenset(o for o, x in enumerate(self.made[0].terms) if committed(x.offer)),
            self.until,
        )

    def hedge(self) -> Hedge:
        alone = [self._alone(n) for n in range(len(self.scenarios))]
        mean: Solved | NoSolution = alone[0]
        if self.options.stopped:
            mean = NoSolution(infeasible=False)  # a first plan would say nothing of the mean
        elif len(self.scenarios) > 1:
            self.tell(f"planning for the {MEAN}")
            mean = solve_made(self.problems[-1], self.made[-1], self.options)
        naive = None if isinstance(mean, NoSolution) else self._agreed(mean)
        search = _Search(self, alone, naive)
        search.run()
        if search.best is None:
            early = "stopped before a" if self.options.stopped else "no"
            raise NoPlanError(
                f"{early} decision of today was found that leaves a plan in every scenario"
            )
        return self._told(search.best, search.naive, naive, alone, search.bound, search.method)

    def _alone(self, n: int) -> Solved:
        """The best plan of one scenario, had it been known."""
        problem, name = self.problems[n], self.scenarios[n].name
        self.tell(f"planning for '{name}' alone")
        found = solve_made(problem, self.made[n], self.options)
        if isinstance(found, NoSolution):
            if self.options.stopped:
                raise NoPlanError(f"stopped before a first plan was found for scenario '{name}'")
            if not found.infeasible:
                limit = f"{self.options.time_limit_s:g} s"
                raise NoPlanError(f"no plan was found for scenario '{name}' in {limit}")
            raise NoPlanError(f"scenario '{name}': {explain(problem, self.options)}")
        return found

    def _agreed(self, mean: Solved) -> Agreed:
        """What the plan for the mean signs."""
        if mean.problem is self.problems[0]:
            return self.two.agreed(0, mean.solution)
        mean_two = replace(self.two, branches=(self.made[-1].instance,), chances=(1.0,))
        return mean_two.agreed(0, mean.solution)

    def valued(
        self, agreed: Agreed, name: str, alone: Sequence[Solved], beat: float = INF
    ) -> _Valued | None:
        """The decision in every scenario; None where it leaves one without a plan.

        Args:
            name: of the decision, for the progress.
            beat: give up, too, once its objective is proven to be at least this.
        """
        found: list[Solved] = []
        for n, own in enumerate(alone):
            bounds = [one.solution.bound for one in (*found, *alone[len(found) :])]
            if joined_bound(self.two, self.risk, bounds) >= beat:
                return None
            if self.two.agreed(n, own.solution) == agreed:
                found.append(own)
                continue
            self.tell(f"valuing {name} in '{self.scenarios[n].name}'")
            taken = take(self.two, n, agreed)
            if taken is None:
                return None
            answer = solve_any(taken.rest, replace(self.options, gap=self.options.gap / 2))
            if isinstance(answer, NoSolution):
                return None
            found.append(Solved(own.problem, own.made, taken.back(answer)))
        costs = [float(solved.value(solved.parts)[1]) for solved in found]
        return _Valued(agreed, tuple(found), self.risk.of(costs, self.chances))

    # -- in domain terms -------------------------------------------------------------------

    def _told(
        self,
        best: _Valued,
        valued_naive: _Valued | None,
        naive: Agreed | None,
        alone: Sequence[Solved],
        bound: float,
        method: str,
    ) -> Hedge:
        chances = [scenario.chance for scenario in self.scenarios]
        level, weight = Decimal(str(self.risk.level)), Decimal(str(self.risk.weight))

        def measured(costs: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal]:
            expected = sum((p * c for p, c in zip(chances, costs, strict=True)), Decimal(0))
            worst = cvar(costs, chances, level)
            return expected, worst, (1 - weight) * expected + weight * worst

        def values(valued: _Valued) -> list[Decimal]:
            return [found.value(found.parts)[1] for found in valued.solved]

        costs = values(best)
        naive_costs = values(valued_naive) if valued_naive else None
        # A plan found later may beat the one found for the scenario alone, within its gap.
        least = [found.value(found.parts)[1] for found in alone]
        for others in (costs, naive_costs or costs):
            least = [min(pair) for pair in zip(least, others, strict=True)]
        floors = [
            min(Decimal(repr(found.solution.bound)), value)
            for found, value in zip(alone, least, strict=True)
        ]
        expected, worst, objective = measured(costs)
        proven = min(Decimal(repr(bound)), objective)
        vss = vss_proven = None
        if valued_naive is not None and naive_costs is not None:
            at_naive = measured(naive_costs)[2]
            vss = at_naive - objective
            rest = measured([Decimal(repr(x)) for x in valued_naive.bounds])[2]
            vss_proven = (max(Decimal(0), rest - objective), max(Decimal(0), at_naive - proven))
        waiting = measured(least)[2]
        evpi = (max(Decimal(0), proven - waiting), objective - measured(floors)[2])
        return Hedge(
            name=self.problem.schedule.document.name or self.problem.schedule.source,
            scenarios_name=self.asked.title,
            scenarios_sha256=self.asked.sha256,
            schedule_sha256=self.problem.schedule.sha256,
            currency=self.problem.schedule.currency,
            as_of=self.problem.costs.book.as_of,
            known_from=self.asked.document.known_from,
            committed_days=self.asked.document.committed,
            level=level,
            weight=weight,
            signed=self._signed(best.agreed),
            deterministic_signed=None if naive is None else self._signed(naive),
            outcomes=tuple(
                Outcome(
                    scenario.name,
                    scenario.words,
                    scenario.chance,
                    costs[n],
                    least[n],
                    floors[n],
                    naive_costs[n] if naive_costs else None,
                    self._plan(best.solved[n], floors[n], scenario.name),
                )
                for n, scenario in enumerate(self.scenarios)
            ),
            expected=expected,
            cvar=worst,
            objective=objective,
            bound=proven,
            vss=vss,
            vss_proven=vss_proven,
            evpi=objective - waiting,
            evpi_proven=evpi,
            method=method,
            stopped_early=self.options.stopped,
        )

    def _signed(self, agreed: Agreed) -> tuple[Signing, ...]:
        """At today's prices, which hold for all that is agreed."""
        problem, made = self.problem, self.made[0]
        day: Callable[[int], date] = problem.horizon.day
        lines = []
        for (o, t), nodes in agreed.starts:
            listing = made.terms[o]
            offer = listing.offer
            flows = problem.costs.rental(offer, listing.units, t)
            paid = sum((flow.amount for flow in flows), Decimal(0)) * nodes
            until = problem.costs.term(offer).end(day(t))
            kind = str(listing.kind)
            lines.append(
                Signing("rent", offer.sku, offer.provider, kind, nodes, day(t), until, paid)
            )
        options = {option.name: option for option in problem.purchases}
        for (a, t), nodes in agreed.bought:
            option = options[made.assets[a].name]
            price = problem.costs.purchase(option.item, t, problem.horizon.n_days)[0].amount
            lines.append(
                Signing(
                    "buy", option.name, "", str(option.kind), nodes, day(t), None, price * nodes
                )
            )
        return tuple(sorted(lines, key=lambda x: (x.day, x.action, x.name)))

    def _plan(self, solved: Solved, floor: Decimal, name: str) -> Plan:
        """A scenario's plan, with the bound of all plans of that scenario."""
        bound = float(floor)
        solution = replace(solved.solution, bound=bound)
        npv = float(solved.value(solved.parts)[1])
        solution = replace(solution, objective=max(npv, bound))
        whole = replace(solved, solution=solution)
        total, value = whole.value(whole.parts)
        bought = whole.nodes_bought
        mix = Answer("mix", total, value, Decimal(repr(bound)), solution.gap, nodes_bought=bought)
        none = "not looked for: only the best plan of a scenario is"
        rent = replace(mix, kind="rent") if not bought else Answer("rent", *NOTHING, none)
        plan = make_plan(whole, (rent, Answer("own", *NOTHING, none), mix))
        wishes = (f"scenario {name} of {self.asked.title}",)
        early = (stopped_early(plan.gap),) if self.options.stopped else ()
        return replace(plan, wishes=wishes, warnings=(*early, *plan.warnings))


class _Search:
    """Tries decisions, the likeliest first, until one is proven to be near enough."""

    def __init__(self, study: _Study, alone: Sequence[Solved], naive: Agreed | None) -> None:
        self.study, self.alone, self.naive_agreed = study, alone, naive
        self.best: _Valued | None = None
        self.naive: _Valued | None = None
        self.tried: set[Agreed] = set()
        self.until = time.monotonic() + study.options.time_limit_s * len(alone)
        """When no more decisions are tried, if one is found."""
        bounds = [one.solution.bound for one in alone]
        self.bound = joined_bound(study.two, study.risk, bounds)
        self.method = "each scenario by itself (wait and see)"

    def run(self) -> None:
        """What the mean signs; what one model of all scenarios does; what each by itself does."""
        study, two = self.study, self.study.two
        if self.naive_agreed is not None:
            self.naive = self._try(self.naive_agreed, "the decision for the mean")
        if not self._near() and len(self.alone) > 1 and not study.options.stopped:
            self._join()
        for n in sorted(range(len(self.alone)), key=lambda n: (-study.chances[n], n)):
            if self._near():
                return
            name = study.scenarios[n].name
            self._try(two.agreed(n, self.alone[n].solution), f"the decision for '{name}'")
        if not self._near():
            self._try(Agreed(), "no decision at all")

    def _join(self) -> None:
        """All scenarios in one model; of many, some that stand for the others, for a decision."""
        study = self.study
        costs = [one.solution.objective for one in self.alone]
        few = representatives(study.two, costs, MOST_JOINED)
        some = len(few.branches)
        whole = some == len(self.alone)
        study.tell(f"planning for {'all' if whole else some} scenarios at once")
        near = replace(study.options, gap=study.options.gap / 2)
        if near.watch is not None:
            near.watch.begin()
            if whole:
                near.watch.saw(self.best.objective if self.best else INF, self.bound)
        until = time.monotonic() + study.options.time_limit_s
        joined = solve_joined(few, study.risk, near, until)
        if joined.infeasible:
            raise NoPlanError(
                "each scenario has a plan, but no decision of today leaves one in all of them"
            )
        if whole and joined.bound > self.bound:
            self.bound, self.method = joined.bound, "all scenarios in one model"
        if joined.agreed is not None:
            self._try(joined.agreed, "the decision for them")
        own = [one.solution for one in self.alone]
        dated = on_own_days(study.two, joined, own) if whole else None
        if dated is not None and not self._near():
            self._try(dated, "the same to the day")

    def _near(self) -> bool:
        if self.best is None:
            return False
        if self.study.options.stopped:
            return True
        value = self.best.objective
        return value - self.bound <= self.study.options.gap * abs(value)

    def _try(self, agreed: Agreed, name: str) -> _Valued | None:
        stopped = self.study.options.stopped
        late = self.best is not None and (stopped or time.monotonic() > self.until)
        if agreed in self.tried or late:
            return None
        self.tried.add(agreed)
        beat = self.best.objective if self.best else INF
        valued = self.study.valued(agreed, name, self.alone, beat)
        if valued and (self.best is None or valued.objective < self.best.objective):
            self.best = valued
        return valued


NOTHING = (None, None, None, None)


def whole_problem(
    schedule: Schedule, book: OfferBook, asked: ScenarioSet, scenarios: Sequence[Scenario]
) -> Problem:
    """Everything that can serve the schedule in any of the scenarios, before any comes true."""
    return gather(schedule, book, view_of(scenarios, is_committed(asked.document.committed)))
