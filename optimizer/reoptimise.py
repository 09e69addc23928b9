"""Random draws with the schedule planned again in each: what following the plan's purchase would
cost, against the best that could have been done and against renting all.

In each draw three plans are made: the best mix, all rented, and the best use of what the plan buys
(those nodes as owned ones, with their purchase and resale put on top). Prices, demand, resale and
delivery are drawn as `review.sensitivity.monte_carlo` draws them; the rental price of a draw is the
mean of its walk, on all offers alike, since a plan knows one price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from optimizer.plans import Plan
from optimizer.report.section import Section
from optimizer.report.tables import Column
from optimizer.review.sensitivity.drivers import ALL
from optimizer.review.sensitivity.monte_carlo import (
    LEVEL,
    Correlations,
    Drawing,
    Volatility,
    default_correlations,
    tail_mean,
    triangular,
)
from optimizer.review.sensitivity.results import Span
from optimizer.review.workbook.question import Question
from optimizer.schedule.document import OwnedHardware, Purchase, ScheduleDocument, Workload
from optimizer.schedule.schedule import Schedule
from optimizer.sweep.backends import Backend, Here
from optimizer.sweep.cases import Case
from optimizer.sweep.document import PlanOptions
from optimizer.sweep.rows import Row
from optimizer.sweep.run import Tally
from providers.errors import RentoptError
from providers.hardware import node_kind
from providers.offers import OfferBook

SHARES = (0.1, 0.5, 0.9)
BOOK = "book"


@dataclass(frozen=True, slots=True)
class Draw:
    """One future, as factors on what the schedule says."""

    rent: Decimal
    load: Decimal
    residual: Decimal
    delay: int
    """Days."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a draw came to, as present values."""

    draw: Draw
    best: Decimal
    all_rented: Decimal
    followed: Decimal
    """With the nodes that the plan buys, used as well as can be."""
    bought: tuple[tuple[str, int], ...]
    """Node kind → nodes of the best mix."""


@dataclass(frozen=True, slots=True)
class Reoptimised:
    """NPV is that of buying what the plan buys less renting all, each draw at its best."""

    seed: int
    asked: int
    without_plan: int
    """Draws in which a plan was missing: nothing can do the work, or not found in time."""
    outcomes: tuple[Outcome, ...]
    mean: float
    deviation: float
    quantiles: tuple[tuple[float, float], ...]
    buying_wins: float
    level: float
    cvar_regret_following: float
    """Mean regret of the plan's purchase over the worst tail, against the best of each draw."""
    cvar_regret_renting: float
    best_buys: tuple[tuple[str, int], ...]
    """What the best mix buys → in how many draws."""


def draws_of(
    question: Question,
    spans: Sequence[Span],
    volatility: Volatility,
    count: int,
    seed: int,
    correlations: Correlations | None = None,
) -> tuple[Draw, ...]:
    tied = default_correlations() if correlations is None else correlations
    moved = [s for s in spans if s.driver in ("use", "residual", "delay") and s.low < s.high]
    drawing = Drawing(question, volatility.value, [span.driver for span in moved], tied)
    level, scores = drawing.draw(count, np.random.default_rng(seed))
    values = {span.driver: triangular(span, scores[:, n]) for n, span in enumerate(moved)}

    def factor(name: str, number: int) -> Decimal:
        base = ALL[name].get(question)
        return _six(float(values[name][number]) / float(base)) if name in values and base else one

    one = Decimal(1)
    rents = level[:, 1:].mean(axis=1)
    delays = values.get("delay", np.zeros(len(level)))
    return tuple(
        Draw(_six(float(rents[n])), factor("use", n), factor("residual", n), int(delays[n]))
        for n in range(count)
    )


def _six(value: float) -> Decimal:
    return Decimal(f"{value:.6g}")


@dataclass(frozen=True, slots=True)
class Work:
    """All plans that are to be made."""

    plan: Plan
    schedule: Schedule
    book: OfferBook
    draws: tuple[Draw, ...]
    seed: int

    @property
    def cases(self) -> list[Case]:
        """Two a draw: free to decide, and with the plan's purchase made."""
        found = []
        for number, draw in enumerate(self.draws):
            versions = [_free(self.schedule.document, draw)]
            if self.plan.bought:
                versions.append(_followed(self.schedule.document, self.plan, draw))
            for which, document in enumerate(versions):
                schedule = replace(self.schedule, document=document)
                found.append(Case(2 * number + which, (), schedule, BOOK, draw.rent, ""))
        return found


def first_seconds(work: Work, options: PlanOptions, backend: Here) -> float:
    """How long one plan takes: that of the first draw."""
    [(_, row)] = backend.rows(work.cases[:1], {BOOK: work.book}, options)
    return float(row["seconds"])


def reoptimise(
    work: Work,
    options: PlanOptions,
    backend: Backend,
    told: Callable[[Tally], None] = lambda tally: None,
) -> Reoptimised:
    """Plan every draw.

    Raises:
        RentoptError: there is a plan in none of them.
    """
    cases = work.cases
    tally, rows = Tally(len(cases)), dict[int, Row]()
    told(tally)
    for case, row in backend.rows(cases, {BOOK: work.book}, options):
        rows[case.number] = row
        tally.planned.append(case.key)
        tally.seconds.append(row.get("seconds", 0.0))
        told(tally)
    outcomes = tuple(_outcomes(work, rows))
    if not outcomes:
        raise RentoptError("no draw has a plan, so nothing can be compared")
    return _summed_up(work, outcomes)


def _outcomes(work: Work, rows: dict[int, Row]) -> Iterator[Outcome]:
    for number, draw in enumerate(work.draws):
        free, held = rows[2 * number], rows.get(2 * number + 1)
        rented = free.get("rent_npv")
        if rented is None or free.get("npv") is None or (held and held.get("npv") is None):
            continue
        followed = Decimal(rented)
        if held is not None:
            followed = Decimal(held["npv"]) + _capital(work.plan, draw)
        yield Outcome(
            draw, Decimal(free["npv"]), Decimal(rented), followed, tuple(free["bought"].items())
        )


def _capital(plan: Plan, draw: Draw) -> Decimal:
    """Purchase, maintenance and drawn resale of what the plan buys, present value."""
    options = {line.option for line in plan.bought}
    factors = {"purchase": Decimal(1), "maintenance": Decimal(1), "resale": draw.residual}
    return sum(
        (
            line.present_value * factors[line.component]
            for line in plan.ledger
            if line.cause in options and line.component in factors
        ),
        Decimal(0),
    )


def _summed_up(work: Work, outcomes: tuple[Outcome, ...]) -> Reoptimised:
    npv = np.array([float(o.all_rented - o.followed) for o in outcomes])
    # A plan is within its gap of the best: a regret below 0 is that gap, not a gain.
    following = np.array([max(0.0, float(o.followed - o.best)) for o in outcomes])
    renting = np.array([max(0.0, float(o.all_rented - o.best)) for o in outcomes])
    bought = Counter(_words(o.bought) for o in outcomes)
    return Reoptimised(
        seed=work.seed,
        asked=len(work.draws),
        without_plan=len(work.draws) - len(outcomes),
        outcomes=outcomes,
        mean=float(npv.mean()),
        deviation=float(npv.std(ddof=1)) if len(npv) > 1 else 0.0,
        quantiles=tuple((share, float(np.quantile(npv, share))) for share in SHARES),
        buying_wins=float((npv > 0).mean()),
        level=LEVEL,
        cvar_regret_following=tail_mean(following, LEVEL),
        cvar_regret_renting=tail_mean(renting, LEVEL),
        best_buys=tuple(sorted(bought.items(), key=lambda item: (-item[1], item[0]))),
    )


def _words(bought: tuple[tuple[str, int], ...]) -> str:
    return " and ".join(f"{count} x {node}" for node, count in bought) or "nothing"


def section_of(found: Reoptimised, currency: str) -> Section:
    """The study as a table, for people."""
    rows = [
        [words, f"{count}", f"{count / len(found.outcomes):.0%}"]
        for words, count in found.best_buys
    ]
    quantiles = ", ".join(f"p{share * 100:.0f} {npv:,.0f}" for share, npv in found.quantiles)
    notes = [
        f"what the plan buys, against renting all, each draw at its best: mean {found.mean:,.0f}, "
        f"standard deviation {found.deviation:,.0f}; {quantiles}",
        f"buying it wins in {found.buying_wins:.0%} of the draws",
        f"regret in the worst {1 - found.level:.0%} (CVaR), against the best of each draw: of "
        f"buying it {found.cvar_regret_following:,.0f}, of renting all "
        f"{found.cvar_regret_renting:,.0f}",
        f"{len(found.outcomes)} draws, seed {found.seed}; each plan within its gap",
    ]
    if found.without_plan:
        notes.append(f"{found.without_plan} draws have no plan, or none was found in time")
    columns = ("the best mix buys", Column("draws", right=True), Column("share", right=True))
    return Section(f"Planned again in each draw ({currency})", columns, rows, notes=notes)


# -- schedules ---------------------------------------------------------------------------------


def _free(document: ScheduleDocument, draw: Draw) -> ScheduleDocument:
    """The schedule of a draw, free to buy or not."""
    buy = [
        item.model_copy(update={
            "lead_time": item.lead_time + draw.delay,
            "residual": _scaled(item.residual, draw.residual),
        })
        for item in document.hardware.buy
    ]  # fmt: skip
    hardware = document.hardware.model_copy(update={"buy": buy})
    residual = _scaled(document.money.residual, draw.residual)
    money = document.money.model_copy(update={"residual": residual})
    return _loaded(document, draw.load).model_copy(update={"hardware": hardware, "money": money})


def _followed(document: ScheduleDocument, plan: Plan, draw: Draw) -> ScheduleDocument:
    """With what the plan buys as owned nodes, and nothing else to buy."""
    known = {f"buy {node_kind(item.node)}": item for item in document.hardware.buy}
    owned = [*document.hardware.owned]
    for line in plan.bought:
        item: Purchase = known[line.option]
        owned.append(
            OwnedHardware(
                node=item.node, count=line.nodes,
                available=line.usable + timedelta(draw.delay),
                busy_power=item.busy_power, idle_power=item.idle_power,
                rack_units=item.rack_units, hosting=item.hosting,
            )
        )  # fmt: skip
    hardware = document.hardware.model_copy(update={"buy": [], "owned": owned})
    return _loaded(document, draw.load).model_copy(update={"hardware": hardware})


def _scaled(curve: dict[int, float], factor: Decimal) -> dict[int, float]:
    return {month: min(1.0, share * float(factor)) for month, share in curve.items()}


def _loaded(document: ScheduleDocument, factor: Decimal) -> ScheduleDocument:
    """All services with so many times their load."""

    def times(value: float | None) -> float | None:
        return None if value is None else value * float(factor)

    def loaded(workload: Workload) -> Workload:
        if workload.kind != "service":
            return workload
        phases = [
            phase.model_copy(
                update={"users": times(phase.users), "requests": times(phase.requests)}
            )
            for phase in workload.phases
        ]
        return workload.model_copy(update={"phases": phases})

    workloads = [loaded(workload) for workload in document.workloads]
    return document.model_copy(update={"workloads": workloads})
