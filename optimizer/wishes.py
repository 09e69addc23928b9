"""Wishes about a plan, turned into an edited schedule and market before anything is worked out.

Nothing downstream knows of them: offers that are outdone only by what is left out come back.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from optimizer.named import Named, find
from optimizer.options.market import WHOLE_MARKET, Listing, View, on_nodes
from optimizer.problem import Problem, gather
from optimizer.schedule.document import ScheduleDocument
from optimizer.schedule.schedule import Schedule
from providers.hardware import node_kind
from providers.offers import OfferBook


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of a plan, beside what the schedule says."""

    without: tuple[str, ...] = ()
    """Providers, GPUs, nodes, purchase models, tiers or offers that are neither rented nor
    bought. Hardware that is owned stays."""
    only_rent: bool = False
    """Nothing is bought; what is owned stays usable."""
    only_own: bool = False
    """Nothing is rented, no tokens are paid for."""
    max_providers: int | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """As `rentopt plan` takes them."""
        asked = [f"--without {shlex.quote(name)}" for name in self.without]
        asked += ["--only-rent"] if self.only_rent else []
        asked += ["--only-own"] if self.only_own else []
        if self.max_providers is not None:
            asked.append(f"--max-providers {self.max_providers}")
        return tuple(asked)

    @property
    def words(self) -> tuple[str, ...]:
        """Each wish as a person would say it."""
        said = [f"without {name}" for name in self.without]
        said += ["nothing bought"] if self.only_rent else []
        said += ["nothing rented"] if self.only_own else []
        if self.max_providers is not None:
            said.append(f"at most {self.max_providers} provider{'s' * (self.max_providers != 1)}")
        return tuple(said)


NO_WISHES = Wishes()


def wished(
    schedule: Schedule,
    book: OfferBook,
    wishes: Wishes = NO_WISHES,
    *,
    barred: Sequence[Named] = (),
    spared: Callable[[Listing], bool] = WHOLE_MARKET.spared,
) -> Problem:
    """The problem with wishes granted.

    Args:
        barred: left out as well.
        spared: offers that are kept though others outdo them.

    Raises:
        UnknownNameError: a name in `without` that nothing is called by.
    """
    unwanted = [*(find(name, book) for name in wishes.without), *barred]
    document = _edited(schedule.document, wishes, unwanted)

    def barred_listing(listing: Listing) -> bool:
        return any(named.has(listing) for named in unwanted)

    offers = tuple(o for o in book.offers if not all(map(barred_listing, on_nodes(o))))
    tokens = tuple(o for o in book.token_offers if not any(x.sells(o) for x in unwanted))
    problem = gather(
        replace(schedule, document=document),
        replace(book, offers=offers, token_offers=tokens),
        # Without wishes a problem holds no function of ours, and can be sent to a worker.
        View(barred_listing if unwanted else WHOLE_MARKET.barred, spared),
    )
    if wishes.only_own:
        problem = problem.without_renting()
    return problem.without_purchases() if wishes.only_rent else problem


def _edited(
    document: ScheduleDocument, wishes: Wishes, unwanted: Sequence[Named]
) -> ScheduleDocument:
    """The document without the purchases and quotas nobody wants, and with the fewer sellers."""

    def wanted(node: str) -> bool:
        return not any(named.is_kind(node_kind(node)) for named in unwanted)

    hardware, market, limits = document.hardware, document.market, document.limits
    buy = [item for item in hardware.buy if wanted(item.node)]
    quotas = [quota for quota in market.free_quotas if wanted(quota.node)]
    most = [n for n in (limits.max_providers, wishes.max_providers) if n is not None]
    return document.model_copy(
        update={
            "hardware": hardware.model_copy(update={"buy": buy}),
            "market": market.model_copy(update={"free_quotas": quotas}),
            "limits": limits.model_copy(update={"max_providers": min(most, default=None)}),
        }
    )
