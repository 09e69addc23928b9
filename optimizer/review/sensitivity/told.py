"""A study of sensitivity as tables for people, and as data for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from optimizer.plans import Plan
from optimizer.report.plan_json import decimal_text, tool_version
from optimizer.report.plan_md import md_text, section_md
from optimizer.report.plan_table import section_text
from optimizer.report.section import Section
from optimizer.report.tables import Column
from optimizer.review.figure import told
from optimizer.review.sensitivity.results import (
    NOTABLE,
    Bar,
    Basis,
    MonteCarlo,
    ScenarioTable,
    Sensitivity,
    Tornado,
    TwoWay,
    Waiting,
)
from optimizer.review.workbook.texts import inert

SCHEMA_VERSION = 1
WIDTH = 24
"""Characters of the longest bar."""


def study_text(
    study: Sensitivity,
    plan: Plan,
    more: Sequence[Section] = (),
    *,
    width: int | None,
    color: bool,
) -> str:
    """
    Args:
        more: sections at the end.
    """
    parts = [f"{line}\n" for line in headline(study, plan)]
    shown = [*sections(study), *more]
    parts += ["\n" + section_text(section, width, color) for section in shown]
    return "".join(parts)


def study_md(study: Sensitivity, plan: Plan, more: Sequence[Section] = ()) -> str:
    first, *rest = (md_text(line) for line in headline(study, plan))
    lines = "".join(f"{line}  \n" for line in rest)
    return "\n".join([f"## {first}\n", lines, *map(section_md, [*sections(study), *more])])


def study_json(study: Sensitivity, plan: Plan, reoptimised: Any = None) -> str:
    """
    Args:
        reoptimised: plain data of the draws that were planned again; null where none were.
    """
    body = {
        "schema_version": SCHEMA_VERSION,
        "tool": f"rentopt {tool_version()}",
        "name": plan.name,
        "schedule_sha256": plan.schedule_sha256,
        "as_of": plan.as_of.isoformat(),
        **as_plain(study),
        "reoptimised": reoptimised,
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def as_plain(value: Any) -> Any:
    """Data as JSON holds it: exact amounts as decimal strings, what was drawn as numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {key: as_plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [as_plain(part) for part in value]
    return value


def headline(study: Sensitivity, plan: Plan) -> Iterator[str]:
    npv, money = study.tornado.npv, study.currency
    better = "buying" if npv > 0 else "renting"
    yield inert(f"{plan.name}: {better} is cheaper by {told(abs(npv))} {money} as planned")
    drawn = study.monte_carlo
    yield (
        f"buying is cheaper in {drawn.buying_wins:.1%} of {drawn.draws:,} draws; NPV is "
        f"{_money(drawn.quantile(0.1))} to {_money(drawn.quantile(0.9))} {money} in eight of ten"
    )
    flip = study.tornado.decisive
    if flip is not None and flip.flip is not None:
        yield (
            f"the answer turns at {flip.span.title} {told(flip.flip)} {flip.span.unit} "
            f"(now {told(flip.span.base)})"
        )

    unsourced = study.tornado.unsourced
    if unsourced:
        names = ", ".join(bar.span.title for bar in unsourced)
        yield (
            f"look up before signing: no range was published or seen for {names}; each moves NPV "
            f"by over {NOTABLE:.0%}"
        )


def sections(study: Sensitivity) -> Iterator[Section]:
    yield _tornado(study.tornado, study.currency)
    yield _scenarios(study.scenarios, study.currency)
    yield _two_way(study.two_way, study.currency)
    yield _monte_carlo(study.monte_carlo, study.currency)
    yield _waiting(study.waiting, study.currency)


def _tornado(found: Tornado, currency: str) -> Section:
    columns = (
        "assumption", Column("now", right=True), Column("low", right=True),
        Column("high", right=True), Column("NPV at low", right=True),
        Column("NPV at high", right=True), "", Column("NPV is 0 at", right=True), "from",
    )  # fmt: skip
    widest = max((bar.width for bar in found.bars), default=Decimal(0))
    rows = [_bar_row(bar, widest) for bar in found.bars]
    notes = ["every other assumption stays; nothing is planned again"]
    if any(bar.span.basis is Basis.NO_DATA for bar in found.bars):
        notes.append("'no data': the range is assumed, so the bar says how much, not how likely")
    return Section(f"One assumption at a time ({currency})", columns, rows, notes=notes)


def _bar_row(bar: Bar, widest: Decimal) -> list[str]:
    span = bar.span
    length = int(bar.width / widest * WIDTH + Decimal("0.5")) if widest else 0
    return [
        f"{span.title}, {span.unit}",
        told(span.base),
        told(span.low),
        told(span.high),
        _money(bar.npv_low),
        _money(bar.npv_high),
        "█" * length,
        "" if bar.flip is None else told(bar.flip),
        inert(f"{span.basis}: {span.source}"),
    ]


def _scenarios(found: ScenarioTable, currency: str) -> Section:
    columns = ("scenario", Column("probability", right=True), Column("NPV", right=True))
    rows = [
        [inert(case.name), f"{case.probability * 100:.1f} %", _money(case.npv)]
        for case in found.scenarios
    ]
    notes = (
        inert(found.how),
        f"expected {_money(found.expected)}, standard deviation {_money(found.deviation)}; buying "
        f"wins with {found.buying_wins * 100:.0f} %",
        f"most regret: of buying {_money(found.regret_of_buying)}, "
        f"of renting {_money(found.regret_of_renting)}",
    )
    return Section(f"Scenarios ({currency})", columns, rows, notes=notes)


def _two_way(found: TwoWay, currency: str) -> Section:
    columns = [
        Column("use \\ rent", right=True),
        *(Column(told(rent), right=True) for rent in found.rents),
    ]
    rows = [
        [f"{use * 100:.0f} %", *(_money(npv) for npv in row)]
        for use, row in zip(found.uses, found.npv, strict=True)
    ]
    title = f"Utilisation against rental price of a GPU-hour (NPV, {currency})"
    return Section(title, columns, rows)


def _monte_carlo(found: MonteCarlo, currency: str) -> Section:
    columns = ("drawn", "how", "from")
    rows = [
        [each.title, inert(each.how), inert(f"{each.basis}: {each.source}")] for each in found.drawn
    ]
    quantiles = ", ".join(f"p{share * 100:.0f} {_money(npv)}" for share, npv in found.quantiles)
    ties = [f"{one} and {other} {value:+.2g}" for one, other, value in found.correlations]
    notes = (
        f"mean {_money(found.mean)} ± {_money(found.standard_error)} (standard error), "
        f"standard deviation {_money(found.deviation)}",
        quantiles,
        f"buying wins in {found.buying_wins:.1%} of the draws",
        f"regret in the worst {1 - found.level:.0%} (CVaR): of buying "
        f"{_money(found.cvar_regret_buying)}, of renting {_money(found.cvar_regret_renting)}",
        f"correlation: {', '.join(ties) or 'none'}; everything else is independent",
        f"{found.draws:,} draws in pairs of opposite signs, seed {found.seed}",
    )
    title = f"Drawn at random ({currency})"
    return Section(title, columns, rows, block=_histogram(found), notes=notes)


def _histogram(found: MonteCarlo) -> str:
    most = max(found.counts)
    lines = []
    for number, count in enumerate(found.counts):
        low, high = found.edges[number], found.edges[number + 1]
        bar = "█" * round(count / most * 2 * WIDTH)
        mark = "← 0" if low < 0 <= high else ""
        lines.append(f"{_money(low):>14} {bar} {mark}".rstrip())
    return "\n".join(lines) + "\n"


def _waiting(found: Waiting | None, currency: str) -> Section:
    title = "Buy today, or wait and see"
    if found is None:
        return Section(title, notes=("what is bought after a quarter comes too late to be used",))
    rows: list[Sequence[str]] = [
        ["buying today", _money(found.npv_now)],
        [f"renting on for {found.days} days, then buying if it pays", _money(found.npv_wait)],
        ["value of waiting", _money(found.value)],
    ]
    above = (
        "at no rental price one would buy then"
        if found.buy_above is None
        else f"one would buy then at a rental price above {found.buy_above:.4g} {currency} a "
        f"GPU-hour, probability {found.buys_then:.0%}"
    )
    notes = (
        above,
        f"the rental price walks at random, volatility {found.volatility:.0%} a year "
        f"({inert(found.basis)}: {inert(found.source)}); purchase price and resale curve stay",
    )
    return Section(title, ("", Column(f"worth today, {currency}", right=True)), rows, notes=notes)


def _money(amount: Decimal | float) -> str:
    """Whole units: what is drawn or assumed has no cents."""
    return f"{amount:,.0f}" if round(amount) else "0"
