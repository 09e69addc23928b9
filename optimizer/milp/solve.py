"""Solve an instance with OR-Tools, and say how good the answer is proven to be."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from os import cpu_count

from optimizer.milp.assemble import assemble
from optimizer.milp.branch import LevelSearch
from optimizer.milp.encode import decode, encode, whole
from optimizer.milp.first import first_plan, is_plan
from optimizer.milp.instance import Instance, Solution
from optimizer.milp.linear_model import INF
from optimizer.milp.narrow import narrow, plain, pools_cheap, pools_of, pools_used
from optimizer.milp.placement import free_to_place, place_early
from optimizer.milp.polish import can_polish, objective, polish
from optimizer.milp.realize import realized, rearranged, settled
from optimizer.milp.relax import Relaxation
from optimizer.milp.solver import Raw, SolveOptions, run_solver
from optimizer.milp.stretch import Stretch
from optimizer.milp.variables import Variables, about_columns
from optimizer.milp.worth import missing, more_worths, with_worths

TINY_COLUMNS = 1000
"""Up to so many columns the solver is as soon done as a first plan is there."""
SMALL_COLUMNS = 20_000
"""Up to so many columns the daily model is solved as it is."""
MEDIUM_COLUMNS = 40_000
"""Up to so many columns the daily model gets a last try when the merged one left a gap."""
LAST_TRY_S = 15.0
ROUTED_COLUMNS = 4000
"""Up to so many columns the requests of mixes are routed column by column."""
WORTHS_SHARE = 0.2
"""Most of the time that is given to what requests of several sizes are worth."""
SETTLED_DAYS = 100
"""Up to so many different days a first plan is settled: each of them is solved by itself."""
EXACTLY = 1e-9
"""Gap to which single days are polished."""
PERIOD_DAYS = 31
"""Most days that are merged."""
LEVELS_SHARE = 0.75
"""Most of the time that is left that goes to whole levels."""
STRETCH_COLUMNS = 10_000
"""Up to so many columns jobs are placed together with the services of their days."""
JOBS_SHARE = 1 / 8
"""Of the gap asked for, what jobs may be dearer than need be."""
DAY_NODES = 500
"""Most nodes of the search for one day by itself; what a day took otherwise stays."""
DAY_S = 1.0
"""Most time for one day when the time allowed has passed: before, the clock decides nothing."""
__all__ = ["NoSolution", "SolveOptions", "solve"]


@dataclass(frozen=True, slots=True)
class NoSolution:
    """Why there is no plan."""

    infeasible: bool
    """Proven: no plan exists. False: none was found in time."""
    bound: float = -INF
    """Proven: no plan costs less."""


def solve(data: Instance, options: SolveOptions | None = None) -> Solution | NoSolution:
    """The cheapest plan of an exact instance, within the gap or the time allowed.

    Small instances are solved as they are. Large ones get a plan at once (`greedy`), then a bound
    from merged periods (`merge`) that holds for the daily model, and plans of every day near what
    the merged solutions commit to (`realize`); the two together prove the gap. Whoever watches
    (`SolveOptions.watch`) may end it on the way, and gets the best plan so far.
    """
    options = options or SolveOptions()
    return _Search(data, options).run()


PLAN, BOTH = (True, False), (True, True)
"""What of a model counts for the daily one: its solutions, its bound."""


class _Search:
    """The best plan and the best bound so far, told to the watch as they come."""

    def __init__(self, data: Instance, options: SolveOptions) -> None:
        self.data = data
        self.options = options
        self.deadline = time.monotonic() + options.time_limit_s
        self.best: Solution | None = None
        self.bound = _least_conceivable(data)
        self.infeasible = False
        if options.watch:
            options.watch.begin()

    def run(self) -> Solution | NoSolution:
        size = about_columns(self.data)
        if size > TINY_COLUMNS:
            self.found(first_plan(self.data))
        if size > ROUTED_COLUMNS:
            until = self._until(WORTHS_SHARE)
            self.data = with_worths(self.data, until, self.options.watch)
            size = about_columns(self.data)
        if size <= SMALL_COLUMNS:
            if self.best is not None and can_polish(self.data) and _few_days(self.data):
                self.found(settled(self.data, self.best, self._day))
            self._whole()
        else:
            self._merged()
            if self.best is None and not self._enough():
                self._plain()
            if not self._enough() and (size <= MEDIUM_COLUMNS or self.best is None):
                self._whole(LAST_TRY_S if self.best else INF)
        if self.best is None and not self.infeasible:
            self.found(first_plan(self.data))
        if self.infeasible or self.best is None:
            return NoSolution(self.infeasible)
        return self._polished(self.best)

    def found(self, answer: Solution | NoSolution | None) -> None:
        if isinstance(answer, Solution) and (
            self.best is None or answer.objective < self.best.objective
        ):
            self.best = _proven(answer, self.bound)
            if self.options.watch:
                self.options.watch.saw(objective=answer.objective)

    def proved(self, bound: float) -> None:
        self.bound = max(self.bound, bound)
        if self.options.watch:
            self.options.watch.saw(bound=bound)
        if self.best is not None:
            self.best = _proven(self.best, self.bound)

    def _merged(self) -> None:
        """A bound from merged days, and plans of the daily model near what they suggest."""
        relaxed = Relaxation.of(self.data, PERIOD_DAYS, self.options.threads or cpu_count() or 1)
        near = replace(self.options, gap=self.options.gap / 4)
        search = LevelSearch(relaxed, near, self.proved)
        for found in search.run(self._until(LEVELS_SHARE), self._enough):
            raw = run_solver(relaxed.near(found.values), near, self._until(0.3))
            self._near(relaxed, raw.values or found.values)
            if self._enough():
                return
        self.infeasible = search.infeasible and self.best is None
        if self.best is not None:
            for better in rearranged(self.data, self.best, self._stretch, self._over):
                again = settled(self.data, better, self._day)
                self.found(again if is_plan(self.data, again) else None)

    def _until(self, share: float) -> float:
        """The time when so much of what is left will have passed."""
        now = time.monotonic()
        return now + (self.deadline - now) * share

    def _bounded(self, raw: Raw) -> bool:
        """Take the bound of a relaxation; whether there can be a plan at all."""
        self.infeasible = raw.infeasible
        if not raw.infeasible:
            self.proved(raw.bound)
        return not raw.infeasible

    def _near(self, relaxed: Relaxation, values: list[float]) -> None:
        """A plan of every day near a merged solution."""
        if self.options.stopped:
            return
        merged, v, gangs = relaxed.merged, relaxed.v, relaxed.used_gangs(values)
        found = realized(
            self.data, merged, v, values, gangs, solve_day=self._day, solve_jobs=self._jobs
        )
        if found is not None and is_plan(self.data, found):
            self.found(found)
            return
        narrowed = narrow(self.data, merged, v, values, self.best)
        pools = pools_used(merged.instance, v, values)
        if self.best is not None:
            pools |= pools_of(self.data, self.best)
        if self.data.limits.sellers == INF:
            pools |= pools_cheap(self.data)  # else they may be of sellers that are one too many
        near = replace(self.options, gap=self.options.gap / 2)
        start = narrowed.narrowed(self.best) if self.best else None
        answer = _solve_exact(
            narrowed.instance, near, self._until(0.5), pools=pools, counts=PLAN, start=start
        )
        if isinstance(answer, Solution):
            self.found(narrowed.widened(answer))

    def _day(self, day: Instance) -> Solution | None:
        if self.options.stopped:
            return None
        exactly = replace(self.options, gap=EXACTLY, watch=None, nodes=DAY_NODES)
        until = max(self.deadline, time.monotonic() + DAY_S)
        answer = _solve_exact(day, exactly, until)
        return answer if isinstance(answer, Solution) else None

    def _jobs(self, jobs: Instance) -> Solution | None:
        answer = _solve_exact(jobs, self._close(jobs), self._until(0.3))
        return answer if isinstance(answer, Solution) else None

    def _stretch(self, stretch: Stretch, plan: Solution) -> Solution | None:
        if about_columns(stretch.instance) > STRETCH_COLUMNS:
            return None
        near = self._close(stretch.instance)
        start = stretch.narrowed(plan)
        answer = _solve_exact(stretch.instance, near, self._until(0.3), start=start)
        return answer if isinstance(answer, Solution) else None

    def _close(self, part: Instance) -> SolveOptions:
        """Options for a part of the jobs, whose cost is a small part of what is paid."""
        share = len(part.jobs) / len(self.data.jobs) * JOBS_SHARE * self.options.gap
        total = abs(self.best.objective) if self.best else 0.0
        return replace(self.options, money_gap=max(EXACTLY, share * total))

    def _whole(self, seconds: float = INF) -> None:
        """The daily model as it is, from the best plan so far."""
        until = min(self.deadline, time.monotonic() + seconds)
        answer = _solve_exact(self.data, self.options, until, counts=BOTH, start=self.best)
        if isinstance(answer, NoSolution):
            self.infeasible = answer.infeasible
            if not answer.infeasible:
                self.proved(answer.bound)
            return
        self.proved(answer.bound)
        self.found(answer)

    def _plain(self) -> None:
        """Nothing bought or long, each workload on its cheapest pools: found fast if at all."""
        if self.data.least_bought:
            return
        short, pools = plain(self.data)
        until = time.monotonic() + max(2.0, (self.deadline - time.monotonic()) * 0.6)
        rough = replace(self.options, gap=max(self.options.gap, 0.02))
        self.found(_solve_exact(short, rough, until, pools=pools, counts=PLAN))

    def _enough(self) -> bool:
        """Whether the plan is as good as asked, or nothing more may be tried."""
        good = self.best is not None and self.best.gap <= self.options.gap
        return good or self.infeasible or self.options.stopped

    def _over(self) -> bool:
        return self._enough() or time.monotonic() > self.deadline

    def _polished(self, found: Solution) -> Solution:
        alone = len(self.data.period_days) == 1 and found.gap <= EXACTLY
        if self.options.stopped or alone or not can_polish(self.data):
            return found  # one day has no equals to be made like
        better = polish(self.data, found, self._day)
        near = better.objective <= found.objective + 1e-6 * abs(found.objective)
        return _proven(better, found.bound) if near else found


def _least_conceivable(data: Instance) -> float:
    """What nothing costs less than, before anything is solved: only purchases can earn money."""
    earned = sum(
        min(0.0, min((hold.cost for hold in asset.holds), default=0.0)) * asset.most
        for asset in data.assets
    )
    return data.constant + earned


def _few_days(data: Instance) -> bool:
    per_day = len(data.slices) // len(data.period_days)
    loads = list(zip(*(service.load for service in data.services), strict=True))
    days = {tuple(loads[s : s + per_day]) for s in range(0, len(loads), per_day)}
    return len(days) <= SETTLED_DAYS


def _solve_exact(
    data: Instance,
    options: SolveOptions,
    deadline: float,
    bound: float = -INF,
    pools: Collection[int] | None = None,
    *,
    start: Solution | None = None,
    counts: tuple[bool, bool] = (False, False),
) -> Solution | NoSolution:
    """Solve an exact instance as it is, from a plan where there is one."""
    if any(service.worths for service in data.services):
        counts = (False, counts[1])  # what it finds on the way may yet lack replicas
    proven, whole_hours = bound, False
    while True:
        model, v = assemble(data, pools)
        for column in v.hours.values() if whole_hours else ():
            model.whole[column] = True
        values = encode(data, model, v, start) if start else None
        raw = run_solver(model, options, deadline, start=values, counts=counts)
        proven = max(proven, raw.bound)
        if raw.values is None:
            return NoSolution(raw.infeasible, proven)
        wanted = missing(data, decode(data, v, raw.values, raw.objective, raw.bound))
        more = more_worths(data, wanted)
        if more != data:  # else they are too few by no more than the solver's tolerance
            if options.stopped or time.monotonic() > deadline:
                return NoSolution(infeasible=False, bound=proven)
            data = more
        elif not whole_hours and _split_hours(data, v, raw.values):
            whole_hours = True
        else:
            break
    found = decode(data, v, raw.values, raw.objective, proven)
    found = place_early(data, found, whole(v.total, raw.values))
    return _proven(replace(found, objective=objective(data, found)), found.bound)


def _proven(found: Solution, bound: float) -> Solution:
    """With its bound; the cost of whole numbers may be a rounding error below the solver's."""
    return replace(found, bound=min(bound, found.objective))


def _split_hours(data: Instance, v: Variables, values: list[float]) -> bool:
    """Whether an hour that `place_early` will not place is split between slices."""
    return any(
        abs(values[c] - round(values[c])) > 1e-6
        for (j, _, _), c in v.hours.items()
        if not free_to_place(data, j)
    )
