"""Keep what an earlier plan decided: change only what must, or what saves more than a tolerance.

Each new decision (another seller, node or sort of terms, more or fewer nodes bought, another token
API) is charged the tolerance; the plan with the least cost and charges is found exactly. So a
change is made only where it saves more than its charge, or where there is no plan without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from optimizer.decisions import Deal, Decisions, common, decisions_of, differences
from optimizer.formulate import Formulation
from optimizer.milp.choices import charges
from optimizer.milp.instance import Choice
from optimizer.milp.solve import NoSolution, SolveOptions
from optimizer.options.market import Listing
from optimizer.plans import Kept, Plan
from optimizer.problem import Problem, PurchaseOption
from optimizer.solved import Solved, solve_made
from optimizer.verify.plan_document import PlanDocument, read_plan

TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Keep:
    """An earlier plan, and how much a change must save."""

    name: str
    """Of its file, for messages."""
    plan: PlanDocument
    tolerance: float = TOLERANCE
    """Share of the least cost."""

    @classmethod
    def of(cls, name: str, body: Mapping[str, Any], tolerance: float = TOLERANCE) -> Keep:
        """
        Raises:
            PlanFormatError: `body` is no plan.
        """
        return cls(name, read_plan(body), tolerance)

    @property
    def decisions(self) -> Decisions:
        return decisions_of(self.plan)

    @property
    def words(self) -> str:
        return (
            f"near {self.name}: a change must save more than {100 * self.tolerance:g} % of the cost"
        )

    @property
    def spared(self) -> Callable[[Listing], bool]:
        """The offers the earlier plan rents on, which must not be thinned out."""
        names = {(rental.offer, rental.units_per_node) for rental in self.plan.rentals}
        return lambda listing: (listing.offer.sku, listing.units) in names


def keep_near(keep: Keep, best: Solved, options: SolveOptions) -> Solved:
    """The plan of least cost and charges; the best plan itself where none better is found.

    The solution's cost and bound include the charges.
    """
    problem = best.problem
    charge = keep.tolerance * max(0.0, best.solution.bound)
    made = charged(problem, best.made, keep.decisions, charge)
    data = made.instance
    cost = best.solution.objective + charges(data, best.solution)
    own = Solved(problem, made, replace(best.solution, objective=cost))
    found = solve_made(problem, made, options)
    if isinstance(found, NoSolution) or found.solution.objective >= cost:
        return own
    return found


def charged(problem: Problem, made: Formulation, before: Decisions, charge: float) -> Formulation:
    """The same numbers, with a charge on every decision that was not made before."""
    new_terms: dict[Deal, list[int]] = defaultdict(list)
    new_hourly: dict[Deal, list[int]] = defaultdict(list)
    for listings, new in ((made.terms, new_terms), (made.hourly, new_hourly)):
        for number, listing in enumerate(listings):
            deal = Deal.of(listing)
            if deal not in before.deals:
                new[deal].append(number)
    choices = [
        Choice(str(deal), tuple(new_terms[deal]), tuple(new_hourly[deal]), charge=charge)
        for deal in sorted({*new_terms, *new_hourly})
    ]
    apis: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for v, demand in enumerate(problem.services):
        for a, (offer, _) in enumerate(demand.token_uses):
            apis[f"{offer.provider}/{offer.provider_model}"].append((v, a))
    choices += [
        Choice(name, apis=tuple(pairs), charge=charge)
        for name, pairs in sorted(apis.items())
        if name not in before.apis
    ]
    counts = dict(before.bought)
    for a, asset in enumerate(made.assets):
        if isinstance(asset, PurchaseOption):
            count = counts.get(str(asset.kind), 0)
            more = Choice(f"more {asset.name}", assets=(a,), beyond=count, charge=charge)
            fewer = Choice(f"fewer {asset.name}", assets=(a,), fewer=count, charge=charge)
            choices += [more, fewer] if count else [more]
    data = replace(made.instance, choices=(*made.instance.choices, *choices))
    return replace(made, instance=data)


def kept_record(keep: Keep, plan: Plan, best: Solved) -> Kept:
    """What was kept, what changed, and what keeping costs."""
    before, after = keep.decisions, decisions_of(plan)
    changed, dropped = differences(before, after)
    _, free = best.value(best.parts)
    return Kept(
        plan=keep.name,
        tolerance=Decimal(repr(keep.tolerance)),
        kept=tuple(common(before, after)),
        changed=tuple(changed),
        dropped=tuple(dropped),
        free_npv=free,
        extra=plan.npv - free,
        extra_most=plan.npv - Decimal(repr(best.solution.bound)),
    )
