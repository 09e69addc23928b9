"""Does a plan hold? Checked against its schedule and prices, with nothing of the solver's.

Every rental is billed again, every slice of every day is counted through, and all sums are added
up in exact decimals, from the plan's JSON alone: a plan that was edited, made for another schedule
or other prices, or made by a faulty model does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.options.market import View
from optimizer.problem import Problem
from optimizer.resume import gather_rest
from optimizer.schedule.schedule import Schedule
from optimizer.verify.accounts import check_accounts, check_sellers
from optimizer.verify.checker import Checker
from optimizer.verify.mixes import check_mix_use
from optimizer.verify.owning import check_owning
from optimizer.verify.plan_document import PlanDocument, read_plan
from optimizer.verify.renting import check_rentals
from optimizer.verify.working import check_working
from providers.offers import OfferBook

HEADER = "schedule, prices and horizon"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What does not hold, and how much was checked."""

    faults: tuple[str, ...]
    checks: tuple[tuple[str, int], ...]
    """(what, how many checks)"""

    @property
    def n_checks(self) -> int:
        return sum(count for _, count in self.checks)


def verify(plan: Mapping[str, Any], schedule: Schedule, book: OfferBook) -> list[str]:
    """Faults of a plan; empty when it holds.

    Args:
        plan: a plan's JSON, read.
        schedule: what it was made for.
        book: the prices it was made with, as of the same day.

    Raises:
        PlanFormatError: `plan` is no plan.
    """
    return list(examine(plan, schedule, book).faults)


def examine(
    plan: Mapping[str, Any],
    schedule: Schedule,
    book: OfferBook,
    realised: Callable[[Problem], Problem] = lambda problem: problem,
) -> Verdict:
    """As `verify`, with the number of checks by subject.

    Args:
        realised: turns the problem into that of the scenario the plan was made for.
    """
    document = read_plan(plan)
    problem = realised(whole_problem(document, schedule, book))
    check = Checker(document, problem)
    if _header(check, document, schedule, book):
        check_all(check)
    return Verdict(tuple(check.faults), tuple(check.checks.items()))


def whole_problem(plan: PlanDocument, schedule: Schedule, book: OfferBook) -> Problem:
    """What a plan answers. No offer is thinned out: a plan made under other wishes may use what
    another outdoes."""
    return gather_rest(schedule, book, plan.replanned_from, View(spared=lambda listing: True))


def billed(plan: PlanDocument, problem: Problem) -> Checker:
    """A plan's bill put together again, whatever it says itself, at the prices of a problem.

    What the problem does not offer is left out of the bill, and is among the faults.
    """
    check = Checker(plan, problem)
    check_all(check)
    return check


def check_all(check: Checker) -> None:
    check_rentals(check)
    check_owning(check)
    mixes = check_working(check)
    check_sellers(check)
    check_accounts(check)
    check_mix_use(check, mixes)


def _header(check: Checker, plan: PlanDocument, schedule: Schedule, book: OfferBook) -> bool:
    """Whether this is the schedule and the prices of the plan; else nothing else would hold."""
    words = (
        f"the schedule has changed since the plan was made, or a table read with it: "
        f"its SHA-256 is {schedule.sha256}, "
        f"the plan's is {plan.schedule_sha256}"
    )
    check.check(HEADER, plan.schedule_sha256 == schedule.sha256, words)
    for name, found, expected in (
        ("currency", plan.currency, schedule.currency),
        ("as_of", plan.as_of, book.as_of),
        # A quotes file may be called from another folder: its name is what stays.
        ("tables", _names(plan.tables), _names(book.tables)),
        ("first_day", plan.first_day, schedule.first_day),
        ("n_days", plan.n_days, schedule.n_days),
    ):
        check.check(HEADER, found == expected, f"{name} is {found}, expected {expected}")
    return not check.faults


def _names(tables: Iterable[str]) -> list[str]:
    return [Path(table).name for table in tables]
