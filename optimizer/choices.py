"""What a person would call one decision, by the numbers of an instance: a seller, an offer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from optimizer.milp.instance import Choice
from optimizer.options.market import Listing
from optimizer.problem import Problem


def sellers(
    problem: Problem, terms: Sequence[Listing], hourly: Sequence[Listing]
) -> tuple[Choice, ...]:
    """A counted choice for each seller of nodes or tokens, where the schedule limits them.

    Args:
        terms, hourly: listings by the numbers of the instance's offers.
    """
    if problem.schedule.document.limits.max_providers is None:
        return ()
    by_term: dict[str, list[int]] = defaultdict(list)
    by_hour: dict[str, list[int]] = defaultdict(list)
    by_token: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for o, listing in enumerate(terms):
        by_term[listing.offer.provider.lower()].append(o)
    for h, listing in enumerate(hourly):
        by_hour[listing.offer.provider.lower()].append(h)
    for v, demand in enumerate(problem.services):
        for a, (offer, _) in enumerate(demand.token_uses):
            by_token[offer.provider.lower()].append((v, a))
    return tuple(
        Choice(
            name, tuple(by_term[name]), tuple(by_hour[name]), tuple(by_token[name]), counted=True
        )
        for name in sorted({*by_term, *by_hour, *by_token})
    )
