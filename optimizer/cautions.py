"""What a reader of a plan must know before trusting it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from optimizer.options.workloads import JobOption, ServiceOption
from optimizer.plans import Assignment, Rental, Replanned
from optimizer.problem import Problem
from optimizer.sizing.bands import CERTAIN, widest
from providers.hardware import accelerators
from providers.offers import Offer

STALE_DAYS = 90


def stopped_early(gap: float) -> str:
    """Said of a plan whose search was ended from outside."""
    return f"{_STOPPED}; at most {_percent_up(gap)} of its cost could be saved"


def rest_stopped_early(found: Replanned) -> str:
    """The same of a plan made again: only what is still open could be saved on."""
    slack, rest = found.rest_present_value - found.rest_bound, found.rest_present_value
    if slack <= 0:
        return f"{_STOPPED}; no rest costs less"
    if rest <= 0:
        return f"{_STOPPED}; at most {slack:,.2f} could be saved on the rest"
    return (
        f"{_STOPPED}; at most {_percent_up(float(slack / rest))} of the rest's cost could be saved"
    )


_STOPPED = "stopped early: the best plan so far"


def _percent_up(share: float) -> str:
    """Rounded up, so that what is proven stays true."""
    return f"{math.ceil(share * 10_000 - 1e-9) / 100:.2f} %"


def plan_warnings(
    problem: Problem, rentals: Iterable[Rental], assignments: Sequence[Assignment]
) -> Iterator[str]:
    """Stale or doubtful prices, modelled speeds, assumptions that were left out."""
    yield from problem.schedule.warnings
    used = {line.offer: line for line in rentals if line.offer not in problem.costs.paid}
    offers = {offer.sku: offer for offer in problem.costs.book.offers}
    for sku, line in sorted(used.items()):
        if line.age_days > STALE_DAYS:
            yield f"the price of {sku} is {line.age_days} days old; renew it before signing"
        if line.confidence == "C":
            yield f"the price of {sku} is of low confidence"
        if "assum" in offers[sku].note.lower():
            yield f"{sku}: {offers[sku].note}"
        yield from _host_memory(offers[sku])
        if problem.costs.money.vat != "ignore" and offers[sku].tax_included is None:
            yield f"{sku}: its source does not say whether the price includes VAT"
    modelled = sorted({line.workload for line in assignments if line.label == "modelled"})
    if modelled:
        names = ", ".join(modelled)
        yield f"speed is modelled, not measured, for {names}; measure before committing"
    yield from _bands(problem, assignments)
    if any(line.label == "api" for line in assignments):
        yield "how fast a token API answers is not known here; check its speed against the floor"
    owns = bool(problem.owned or problem.purchases)
    if owns and problem.costs.money.electricity is None:
        yield "no electricity price is given (money.electricity): owned hardware runs for nothing"
    common = bool(problem.costs.money.residual)
    if not common and not all(option.item.residual for option in problem.purchases):
        yield "no residual value is given (money.residual): bought hardware ends worth nothing"


def _bands(problem: Problem, assignments: Sequence[Assignment]) -> Iterator[str]:
    """How far off the speeds of the hardware in use usually are."""
    options: list[ServiceOption | JobOption] = []
    for service in problem.services:
        options += service.options
    for job in problem.jobs:
        options += job.options
    for name in dict.fromkeys(option.workload for option in options):
        used = {line.node for line in assignments if line.workload == name}
        band = widest(o.band for o in options if o.workload == name and str(o.kind) in used)
        if band != CERTAIN:
            yield f"speeds like those of '{name}' turn out {band.words} in eight of ten cases"


def _host_memory(offer: Offer) -> Iterator[str]:
    """Host memory below the GPUs' slows loading, and may not hold the weights at all."""
    gpu_memory = accelerators()[offer.gpu].memory_gb * offer.gpu_count
    if offer.ram_gb is not None and float(offer.ram_gb) < gpu_memory:
        yield (
            f"{offer.sku}: its host has {offer.ram_gb} GB of memory, less than the "
            f"{gpu_memory:g} GB of its GPUs"
        )
