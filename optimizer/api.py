"""The pipeline on one screen: from a schedule and prices to a plan."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from optimizer.accounts import cash_flow, ledger
from optimizer.breakeven.report import breakeven_rows, study
from optimizer.breakeven.rows import Row
from optimizer.cautions import plan_warnings, stopped_early
from optimizer.errors import NoPlanError
from optimizer.infeasible import explain
from optimizer.keep import Keep, keep_near, kept_record
from optimizer.milp.anytime import Stopped
from optimizer.milp.polish import objective
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.mix_use import mix_use
from optimizer.options.market import WHOLE_MARKET
from optimizer.plans import Answer, Plan
from optimizer.problem import Problem
from optimizer.questions import NO_QUESTIONS, Questions, answered
from optimizer.schedule.schedule import Schedule
from optimizer.solved import Solved, solve_problem
from optimizer.wishes import NO_WISHES, Wishes, wished
from providers.book import bundled_book
from providers.config import load_config
from providers.offers import OfferBook
from providers.stored import stored_prices

__all__ = ["Solved", "breakeven", "make_plan", "plan", "prices_for", "solve_problem"]


def prices_for(
    schedule: Schedule,
    as_of: date | None = None,
    quotes: Sequence[Path] = (),
    *,
    store: str | None = None,
    known_at: datetime | None = None,
) -> OfferBook:
    """The price tables a schedule names, with its own quotes and `quotes`, as of a day.

    Without a day: today, or the horizon's first day where that is earlier, so that a schedule of
    the past is planned with the prices and exchange rates of its time.

    Args:
        store: the price store whose refreshed tables come before the bundled ones; that of the
            settings when left out, none when empty.
        known_at: use only what the store knew at this moment.
    """
    market = schedule.document.market
    day = as_of or min(date.today(), schedule.first_day)
    own = [schedule.folder / path for path in market.quotes]
    url = load_config().store_url if store is None else store
    stored = stored_prices(url, day, known_at) if url else None
    return bundled_book(market.table, as_of=day, quotes=[*own, *quotes], stored=stored)


def plan(
    schedule: Schedule,
    book: OfferBook | None = None,
    options: SolveOptions | None = None,
    *,
    breakeven_s: float | None = 2.0,
    wishes: Wishes = NO_WISHES,
    keep: Keep | None = None,
    questions: Questions = NO_QUESTIONS,
    progress: Callable[[str], None] = lambda step: None,
) -> Plan:
    """The cheapest plan for a schedule, beside the best all-rent and the best all-own plan.

    Args:
        book: prices; those the schedule names when left out.
        options: gap, time limit, solver.
        breakeven_s: seconds for the break-even points of the whole plan, which small schedules
            get; 0: only those of each purchase by itself, None: no break-even points.
        wishes: what is left out, or limited, beside what the schedule says.
        keep: an earlier plan to stay near.
        questions: other plans and explanations to look for beside it.
        progress: told what is being done.

    Raises:
        NoPlanError: nothing can serve the schedule; says which workload and what to relax.
        UnknownNameError: a wish names what nobody knows.
    """
    options = options or SolveOptions()
    began = time.monotonic()
    book = book or prices_for(schedule)
    progress("sizing what can serve what")
    questions.check(book)
    spared = keep.spared if keep else WHOLE_MARKET.spared
    problem = wished(schedule, book, wishes, spared=spared)
    gathered = time.monotonic()
    answers, best = three_answers(problem, options, progress)
    free = best
    if keep is not None:
        progress(f"staying near {keep.name}")
        best, answers = _kept(keep, best, answers, options)
    solved = time.monotonic()
    made = replace(
        make_plan(best, answers),
        wishes=wishes.words, options=(*_limits(options), *wishes.options),
    )  # fmt: skip
    if keep is not None:
        near = f"--keep {shlex.quote(keep.name)} --keep-tolerance {100 * keep.tolerance:g}%"
        made = replace(
            made, wishes=(*made.wishes, keep.words), options=(*made.options, near),
            kept=kept_record(keep, made, free),
        )  # fmt: skip
    reported = time.monotonic()
    rest = options.for_questions()
    asked = reported
    try:
        if breakeven_s is not None:
            if not options.stopped:
                progress("break-even points")
            rows = breakeven_rows(problem, best.made, best.solution, rest, budget_s=breakeven_s)
            made = replace(made, breakeven=tuple(rows))
        asked = time.monotonic()
        if questions != NO_QUESTIONS:
            made = answered(
                made, best, questions, schedule, book, rest, wishes=wishes, progress=progress
            )
    except Stopped:
        made = replace(made, questions_cut_short=questions != NO_QUESTIONS)
    if options.stopped:
        made = replace(made, warnings=(stopped_early(made.gap), *made.warnings))
    timings = (
        ("gather", gathered - began),
        ("solve", solved - gathered),
        ("report", reported - solved),
        ("breakeven", asked - reported),
        ("questions", time.monotonic() - asked),
    )
    return replace(made, timings_s=tuple((k, round(v, 3)) for k, v in timings))


def _limits(options: SolveOptions) -> Iterator[str]:
    """Gap and time, where they are not those of `rentopt plan`."""
    usual = SolveOptions()
    if options.gap != usual.gap:
        yield f"--gap {100 * options.gap:.6g}%"
    if options.time_limit_s != usual.time_limit_s:
        yield f"--time-limit {options.time_limit_s:g}"


def breakeven(
    schedule: Schedule,
    book: OfferBook | None = None,
    options: SolveOptions | None = None,
    *,
    quantities: Collection[str] = (),
    with_ladder: bool = True,
    with_regime: bool = False,
    time_limit_s: float = 60.0,
    wishes: Wishes = NO_WISHES,
    progress: Callable[[str], None] = lambda step: None,
) -> list[Row]:
    """Where the answer to a schedule turns: pairs in closed form, the whole plan exactly.

    Args:
        quantities: only these, by the name in the rows; all when empty.
        time_limit_s: wall time for what is solved exactly, after the plan itself.

    Raises:
        NoPlanError: there is no plan at all.
    """
    options = options or SolveOptions()
    problem = wished(schedule, book or prices_for(schedule), wishes)
    _, best = three_answers(problem, options, progress)
    return study(
        problem,
        best.made,
        best.solution,
        options.for_questions(),
        quantities=quantities,
        with_ladder=with_ladder,
        with_regime=with_regime,
        time_limit_s=time_limit_s,
        progress=progress,
    )


def three_answers(
    problem: Problem, options: SolveOptions, progress: Callable[[str], None]
) -> tuple[tuple[Answer, ...], Solved]:
    """All rent, all own and the best mix, and the cheapest of the three in full.

    Raises:
        NoPlanError: there is no plan at all.
    """
    progress("looking for the best mix")
    mix = solve_problem(problem, options)
    if isinstance(mix, NoSolution):
        if options.stopped:
            raise NoPlanError("stopped before a first plan was found")
        if not mix.infeasible:
            raise NoPlanError(
                f"no plan was found in {options.time_limit_s:g} s; allow more (--time-limit)"
            )
        raise NoPlanError(explain(problem, options))
    best = mix
    rent: Solved | NoSolution = mix
    if mix.nodes_bought and options.stopped:
        rent = NoSolution(infeasible=False)
    elif mix.nodes_bought:
        progress("all rented")
        rent = solve_problem(problem.without_purchases(), options)
        best = _cheaper(best, rent)
    own: Solved | NoSolution = NoSolution(infeasible=True)
    if not (problem.market.listings or problem.quotas or any(s.apis for s in problem.services)):
        own = mix
    elif (problem.purchases or problem.owned) and options.stopped:
        own = NoSolution(infeasible=False)
    elif problem.purchases or problem.owned:
        progress("all owned")
        own = solve_problem(problem.without_renting(), options)
        best = _cheaper(best, own)
    best = replace(best, solution=replace(best.solution, bound=mix.solution.bound))
    answers = (
        _answer("rent", rent, problem, options),
        _answer("own", own, problem, options),
        _answer("mix", best, problem, options),
    )
    return answers, best


def _kept(
    keep: Keep, best: Solved, answers: tuple[Answer, ...], options: SolveOptions
) -> tuple[Solved, tuple[Answer, ...]]:
    """The plan that stays near an earlier one, and the answers with it as the mix."""
    near = keep_near(keep, best, options)
    cost = objective(best.made.instance, near.solution)
    bound = min(best.solution.bound, cost)
    near = replace(near, solution=replace(near.solution, objective=cost, bound=bound))
    mix = _answer("mix", near, best.problem, options)
    return near, tuple(mix if a.kind == "mix" else a for a in answers)


def _cheaper(one: Solved, other: Solved | NoSolution) -> Solved:
    """Every all-rent and all-own plan is a mix too, and may beat one found within a gap."""
    if isinstance(other, NoSolution) or other.solution.objective >= one.solution.objective:
        return one
    return other


def _answer(
    kind: str, found: Solved | NoSolution, problem: Problem, options: SolveOptions
) -> Answer:
    if isinstance(found, NoSolution):
        if not found.infeasible and options.stopped:
            reason = "not looked for: stopped early"
        elif not found.infeasible:
            reason = f"none found in {options.time_limit_s:g} s"
        elif kind == "own" and not (problem.purchases or problem.owned):
            reason = "the schedule owns nothing and may buy nothing"
        else:
            part = problem.without_renting() if kind == "own" else problem.without_purchases()
            reason = explain(part, options, brief=True)
        return Answer(kind, None, None, None, None, reason)
    total, npv = found.value(found.parts)
    return Answer(
        kind,
        total,
        npv,
        Decimal(repr(found.solution.bound)),
        found.solution.gap,
        nodes_bought=found.nodes_bought,
    )


def make_plan(solved: Solved, answers: tuple[Answer, ...]) -> Plan:
    """A solution put in domain terms, with its bill."""
    problem, parts = solved.problem, solved.parts
    mixes = mix_use(solved, parts)
    schedule, book = problem.schedule, problem.costs.book
    bill = parts.bill
    total, npv = solved.value(parts)
    used = {rental.offer for rental in parts.rentals}
    currencies = {o.price.currency for o in book.offers if o.sku in used} - {schedule.currency}
    rates = (book.fx.rate(c, schedule.currency, book.as_of) for c in sorted(currencies))
    return Plan(
        name=schedule.document.name or Path(schedule.source).stem,
        schedule=Path(schedule.source).name,
        schedule_sha256=schedule.sha256,
        currency=schedule.currency,
        as_of=book.as_of,
        tables=book.tables,
        price_sources=book.sources,
        prices_known_at=book.known_at,
        fx=tuple(f"1 {r.base} = {r.value:.6g} {r.quote} on {r.day} ({r.source})" for r in rates),
        first_day=problem.horizon.first_day,
        n_days=problem.horizon.n_days,
        answers=answers,
        rentals=tuple(parts.rentals),
        bought=tuple(parts.bought),
        assignments=tuple(parts.assignments),
        usages=tuple(parts.usages),
        moved=tuple(parts.moved),
        ledger=tuple(ledger(bill, problem)),
        by_workload=tuple(parts.by_workload.items()),
        cash_flow=tuple(cash_flow(bill, problem)),
        utilisation=tuple(parts.utilisation),
        routes=tuple(mixes.routes),
        bucket_use=tuple(mixes.bucket_use),
        replica_use=tuple(mixes.replica_use),
        total=total,
        npv=npv,
        bound=Decimal(repr(solved.solution.bound)),
        gap=solved.solution.gap,
        warnings=tuple(plan_warnings(problem, parts.rentals, parts.assignments)),
        rejected=tuple((r.workload, r.hardware, r.reason) for r in problem.rejected),
        excluded=tuple(sorted(problem.market.excluded.items())),
        replanned_from=problem.standing,
    )
