"""From two plans to the causes of their difference.

The first plan is billed again with one value of the second's world after the other: exchange rates,
then prices, then assumptions. What is left is decided otherwise. Where only prices and assumptions
differ, that is the optimiser's; where only the schedule does, it is the schedule's; where both do,
the first schedule is planned once more in the second's world, and stands between the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from optimizer.costs import Costs, Flow
from optimizer.diff.results import WIDE, Amount, Cause, Difference, Item, Made, Part, added
from optimizer.diff.worlds import World, rest_of, said, substitutions, world
from optimizer.errors import VerifyError
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.schedule.schedule import Schedule
from optimizer.solved import Solved, solve_problem
from optimizer.verify.accounts import by_workload
from optimizer.verify.checker import Checker
from optimizer.verify.examine import billed, examine
from optimizer.verify.plan_document import PlanDocument, read_plan
from providers.errors import RentoptError
from providers.offers import OfferBook

Progress = Callable[[str], None]
ROUNDING = Decimal("1e-9")
"""Shares of workloads that differ by less do not differ."""


@dataclass(frozen=True, slots=True)
class Side:
    """A plan with what it was made for."""

    file: str
    body: dict[str, Any]
    """Its JSON."""
    schedule: Schedule
    book: OfferBook

    @property
    def document(self) -> PlanDocument:
        return read_plan(self.body)


@dataclass(frozen=True, slots=True)
class Bill:
    """What decisions cost in a world."""

    lines: dict[tuple[str, str], Amount]
    """(component, cause) → amount"""
    workloads: dict[str, Decimal]
    """Undiscounted."""
    slack: Decimal = Decimal(0)
    """Present value by which the decisions may miss the best."""

    @property
    def amount(self) -> Amount:
        return added(self.lines.values())


def split(
    old: Side,
    new: Side,
    options: SolveOptions | None = None,
    progress: Progress = lambda step: None,
) -> Difference:
    """Why the second plan costs another amount than the first.

    Args:
        options: for planning the first schedule once more, where both work and prices differ.

    Raises:
        VerifyError: a plan does not hold for its schedule and prices.
        RentoptError: the plans cannot be compared.
    """
    _check(old, new)
    first, last = old.document, new.document
    before, after = world(old.schedule, old.book), world(new.schedule, new.book)
    progress("billing both plans")
    begun = _with_slack(_bill(first, before), first)
    ended = _with_slack(_bill(last, after), last)
    moved, bill, items = before, begun, defaultdict[Cause, list[Item]](list)
    changed = defaultdict[Cause, Amount](Amount)
    for step in substitutions(before, after):
        progress(f"{step.cause}: {step.name}")
        moved = step.into(moved)
        found = _bill(first, moved)
        change = found.amount - bill.amount
        changed[step.cause] += change
        if change:
            items[step.cause].append(
                Item(step.name, step.before, step.after, change.total, change.present_value)
            )
        bill = found
    bill = replace(bill, slack=begun.slack)
    parts = [
        Part(cause, changed[cause], Decimal(0), tuple(items[cause]))
        for cause in (Cause.FX, Cause.PRICE, Cause.ASSUMPTION)
    ]
    parts += _decided(first, bill, ended, moved, before, after, options, progress)
    return Difference(
        old.schedule.currency,
        _made(old, begun),
        _made(new, ended),
        tuple(parts),
    )


def _check(old: Side, new: Side) -> None:
    if old.schedule.currency != new.schedule.currency:
        raise RentoptError(
            f"{old.file} is in {old.schedule.currency} and {new.file} in {new.schedule.currency}; "
            "plan one of them again in the other's currency"
        )
    for side in (old, new):
        if side.document.replanned_from is not None:
            raise RentoptError(
                f"{side.file} was made again in the middle of its schedule; "
                "it tells itself what that has changed (rentopt replan)"
            )
        faults = examine(side.body, side.schedule, side.book).faults
        if faults:
            raise VerifyError(
                f"{side.file} does not hold, so its costs cannot be told apart; `rentopt verify` "
                f"tells all {len(faults)} faults, the first is:\n  {faults[0]}"
            )


def _bill(plan: PlanDocument, found: World) -> Bill:
    check = billed(plan, found.problem(plan))
    return _added_up(check)


def _added_up(check: Checker) -> Bill:
    lines = _lines(check.bill, check.costs)
    return Bill(lines, by_workload(check))


def _lines(bill: list[tuple[str, Flow]], costs: Costs) -> dict[tuple[str, str], Amount]:
    lines: dict[tuple[str, str], Amount] = defaultdict(Amount)
    for cause, flow in bill:
        each = Amount(flow.amount, costs.present_value([flow]))
        lines[flow.component, cause] = lines[flow.component, cause] + each
    return dict(lines)


def _with_slack(bill: Bill, plan: PlanDocument) -> Bill:
    return replace(bill, slack=max(Decimal(0), plan.npv - plan.bound))


def _made(side: Side, bill: Bill) -> Made:
    name = side.schedule.document.name or side.schedule.source
    return Made(name, side.file, side.document.as_of.isoformat(), bill.amount)


# -- what is decided otherwise ---------------------------------------------------------------------


def _decided(
    plan: PlanDocument,
    bill: Bill,
    ended: Bill,
    moved: World,
    before: World,
    after: World,
    options: SolveOptions | None,
    progress: Progress,
) -> list[Part]:
    """The parts of the optimiser and of the schedule."""
    notes = tuple(_changes(rest_of(before), rest_of(after)))
    optimiser, schedule = _by_line(bill, ended), _by_workload(bill, ended)
    unsure = bill.slack + ended.slack
    nothing = Amount()
    if not notes:
        return [
            Part(Cause.OPTIMISER, ended.amount - bill.amount, unsure, optimiser),
            Part(Cause.SCHEDULE, nothing, Decimal(0), ()),
        ]
    if _same_market(before, after):
        return [
            Part(Cause.OPTIMISER, nothing, Decimal(0), ()),
            Part(Cause.SCHEDULE, ended.amount - bill.amount, unsure, schedule, notes),
        ]
    progress("planning the first schedule with the second's prices")
    between = _planned(plan, replace(moved, book=after.book), options or SolveOptions())
    return [
        Part(Cause.OPTIMISER, between.amount - bill.amount, bill.slack + between.slack,
             _by_line(bill, between)),
        Part(Cause.SCHEDULE, ended.amount - between.amount, between.slack + ended.slack,
             _by_workload(between, ended), notes),
    ]  # fmt: skip


def _same_market(before: World, after: World) -> bool:
    """Whether nothing could have been decided otherwise for the same work."""
    return (
        before.document.money == after.document.money
        and before.book.offers == after.book.offers
        and before.book.token_offers == after.book.token_offers
        and before.book.fx.fixed == after.book.fx.fixed
        and next(substitutions(before, after), None) is None
    )


def _planned(plan: PlanDocument, found: World, options: SolveOptions) -> Bill:
    solved = solve_problem(found.problem(plan), options)
    if isinstance(solved, NoSolution):
        raise RentoptError(
            "no plan was found for the first schedule with the second's prices, which would tell "
            "the optimiser's part from the schedule's; allow more time (--time-limit)"
        )
    return _of_solved(solved)


def _of_solved(solved: Solved) -> Bill:
    parts = solved.parts
    bill = Bill(_lines(parts.bill, solved.problem.costs), dict(parts.by_workload))
    bound = Decimal(repr(solved.solution.bound))
    return replace(bill, slack=max(Decimal(0), bill.amount.present_value - bound))


def _by_line(before: Bill, after: Bill) -> tuple[Item, ...]:
    """Lines of the bill that differ, the largest first."""
    items = []
    for component, cause in sorted(before.lines.keys() | after.lines.keys()):
        old = before.lines.get((component, cause), Amount())
        new = after.lines.get((component, cause), Amount())
        change = new - old
        if change:
            name = f"{component}, {cause}"
            ends = (_cents(old.total), _cents(new.total))
            items.append(Item(name, *ends, change.total, change.present_value))
    return tuple(sorted(items, key=lambda item: -abs(item.present_value or item.total)))


def _by_workload(before: Bill, after: Bill) -> tuple[Item, ...]:
    """Workloads whose undiscounted cost differs; what rounding leaves goes to the last one."""
    names = sorted(before.workloads.keys() | after.workloads.keys())
    told = [
        (name, before.workloads.get(name, Decimal(0)), after.workloads.get(name, Decimal(0)))
        for name in names
    ]
    told = [line for line in told if abs(line[2] - line[1]) > ROUNDING]
    left, items = (after.amount - before.amount).total, list[Item]()
    for number, (name, old, new) in enumerate(told, 1):
        change = left if number == len(told) else new - old
        left = WIDE.subtract(left, change)
        items.append(Item(name, _cents(old), _cents(new), change, None))
    return tuple(items)


def _cents(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _changes(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where two documents differ: ``workloads.chat.phases.0.users: 60 → 80``."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _changes(before.get(key), after.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _changes(_keyed(before), _keyed(after), path)
    elif before != after:
        yield f"{path}: {said(before)} → {said(after)}"


def _keyed(items: list[Any]) -> dict[str, Any]:
    """Entries by their name, their node, or their place."""
    found: dict[str, Any] = {}
    for number, item in enumerate(items):
        name = item.get("name") or item.get("node") if isinstance(item, dict) else None
        key = str(name) if name and str(name) not in found else str(number)
        found[key] = item
    return found
