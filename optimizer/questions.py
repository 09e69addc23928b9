"""The questions asked along with a plan, answered one after the other within one time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from optimizer.alternatives import alternatives
from optimizer.explain.ask import Asker
from optimizer.explain.marginal import marginals
from optimizer.explain.why_not import why_not
from optimizer.milp.solve import SolveOptions
from optimizer.named import find
from optimizer.plans import Plan
from optimizer.schedule.schedule import Schedule
from optimizer.solved import Solved
from optimizer.wishes import NO_WISHES, Wishes
from providers.offers import OfferBook

QUESTIONS_S = 120.0


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked beside the plan."""

    alternatives: int = 0
    """So many near plans that decide otherwise."""
    why_not: tuple[str, ...] = ()
    marginal: bool = False
    """What one more user, GPU-day, day of deadline or unit of a limit costs."""
    time_limit_s: float = QUESTIONS_S
    """For all answers together, after the plan."""

    def check(self, book: OfferBook) -> None:
        """Before a plan is looked for: whether all names mean something.

        Raises:
            UnknownNameError: a name nobody knows.
        """
        for name in self.why_not:
            find(name, book)


NO_QUESTIONS = Questions()


def answered(
    plan: Plan,
    best: Solved,
    questions: Questions,
    schedule: Schedule,
    book: OfferBook,
    options: SolveOptions,
    *,
    wishes: Wishes = NO_WISHES,
    progress: Callable[[str], None] = lambda step: None,
) -> Plan:
    """The plan with the answers.

    Args:
        best: the plan as it was solved, with the bound of all plans.
    """
    deadline = time.monotonic() + questions.time_limit_s
    left = len(questions.why_not) + (questions.alternatives > 0) + questions.marginal

    def asker() -> Asker:
        """For the next question, with its share of the time that is left."""
        until = time.monotonic() + max(0.0, deadline - time.monotonic()) / left
        return Asker(schedule, book, options, until, wishes)

    cut_short = False
    replies = []
    for name in questions.why_not:
        progress(f"why not {name}")
        asked = asker()
        replies.append(why_not(name, best, asked))
        cut_short |= asked.left_s <= 0
        left -= 1
    plan = replace(plan, why_not=tuple(replies))
    if questions.alternatives:
        progress("plans that decide otherwise")
        found = alternatives(best, asker(), questions.alternatives)
        plan = replace(
            plan,
            alternatives=found.alternatives,
            indispensable=found.indispensable,
            alternatives_search=found.search,
        )
        cut_short |= found.cut_short
        left -= 1
    if questions.marginal:
        progress("what one more costs")
        prices = marginals(best, asker())
        plan = replace(plan, marginal=prices.rows, relaxation=prices.relaxation)
        cut_short |= prices.cut_short
    return replace(plan, questions_cut_short=cut_short)
