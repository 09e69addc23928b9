"""What a new table must pass before it replaces the last good one.

Rules after what readers of these APIs learned: fewer rows than usual, whole GPU families gone and
sudden moves are more often a changed API than a changed market.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from statistics import median

from providers.adapter import ProviderTable
from providers.bundled import data_path
from providers.config import GateConfig
from providers.fx import FxTable, bundled_fx
from providers.hardware import accelerators
from providers.offers import Offer, Rejected
from providers.price_table import read_offers

FEWEST_OF_A_FAMILY = 2
"""A family with fewer offers may sell out without anything being wrong."""
FEWEST_COMMON = 5
"""Prices needed on both sides before their median move says anything."""
BAND_TIMES = 10
"""How far outside the bundled prices of a GPU a price may lie."""
WIDEST_BAND = (Decimal("0.005"), Decimal(200))
"""US dollars per GPU-hour, for a card without bundled prices."""
MOST_LINES = 20


HELD = "held back: "
"""How the reason of a price that is not believed begins."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A table without the rows held back, and why it must not be published, if it must not."""

    table: ProviderTable
    held_back: tuple[Rejected, ...]
    findings: tuple[str, ...]
    """Empty: it may be published."""


def judge(
    table: ProviderTable,
    before: Sequence[Offer],
    gates: GateConfig,
    held_before: Sequence[Offer] = (),
) -> Judgement:
    """Compare a new table with the last good one.

    Args:
        before: the offers of the last good table; none on the first visit.
        held_before: last believed prices of offers that were held back from it.
    """
    fx, day = _rates(), table.observed_at.date()
    old = {offer.sku: offer for offer in (*held_before, *before)}
    held: list[Rejected] = []
    kept: list[Offer] = []
    for offer in table.offers:
        reason = _outside_band(offer, fx, day) or _jump(offer, old.get(offer.sku), gates)
        if reason:
            held.append(Rejected(offer.sku, f"{HELD}{reason}", offer.source))
        else:
            kept.append(offer)
    findings = [
        *_too_few(table, before, gates),
        *_families_gone(table, before),
        *_median_move(table.offers, old, gates),
        *_too_many_held(held, table, gates),
    ]
    published = replace(table, offers=tuple(kept), rejected=(*table.rejected, *held))
    return Judgement(published, tuple(held), tuple(findings))


def _too_few(table: ProviderTable, before: Sequence[Offer], gates: GateConfig) -> list[str]:
    now, was = len(table.offers), len(before)
    if not now:
        return [f"no offer in it ({was} before, {len(table.rejected)} rows rejected)"]
    if now < was * gates.least_rows_share:
        return [f"offers: {was} before, {now} now; at least {gates.least_rows_share:.0%} expected"]
    return []


def _families_gone(table: ProviderTable, before: Sequence[Offer]) -> list[str]:
    """Cards of which no machine is named any more. A machine that is named but cannot be had is
    sold out, which is news of the market and not of the table."""
    named = {_machine(row.row) for row in table.rejected}
    was = Counter(offer.gpu for offer in before)
    now = {offer.gpu for offer in table.offers}
    now |= {offer.gpu for offer in before if _machine(offer.sku) in named}
    gone = [(n, gpu) for gpu, n in was.items() if gpu not in now and n >= FEWEST_OF_A_FAMILY]
    return [f"{gpu}: all {n} offers are gone" for n, gpu in sorted(gone, reverse=True)]


def _machine(sku: str) -> str:
    """Provider and instance type, which a rejected row of the same machine begins with."""
    return "/".join(sku.split("/")[:2])


def _median_move(offers: Sequence[Offer], old: dict[str, Offer], gates: GateConfig) -> list[str]:
    moves = [(r, o) for o in offers if (r := _ratio(o, old.get(o.sku))) is not None]
    if len(moves) < FEWEST_COMMON:
        return []
    middle = median(ratio for ratio, _ in moves)
    if 1 / gates.biggest_median_move <= middle <= gates.biggest_median_move:
        return []
    far = sorted(moves, key=lambda move: (-abs(move[0] - 1), move[1].sku))[:MOST_LINES]
    lines = [f"  {o.sku}: {_quoted(old[o.sku])} -> {_quoted(o)} (x{ratio:.2f})" for ratio, o in far]
    return [f"the median price moved x{middle:.2f} over {len(moves)} offers", *lines]


def _too_many_held(held: Sequence[Rejected], table: ProviderTable, gates: GateConfig) -> list[str]:
    if len(held) <= gates.most_held_share * len(table.offers):
        return []
    lines = [f"  {row.row}: {row.reason.removeprefix(HELD)}" for row in held[:MOST_LINES]]
    more = [f"  and {len(held) - MOST_LINES} more"] if len(held) > MOST_LINES else []
    return [f"{len(held)} of {len(table.offers)} prices are not believable", *lines, *more]


def _ratio(offer: Offer, before: Offer | None) -> float | None:
    """In dollars where the currency is another: the same figures in yuan are a sudden move too."""
    if before is None:
        return None
    now, was = offer.per_gpu_hour, before.per_gpu_hour
    if now.currency != was.currency:
        fx = _rates()
        now, was = (fx.convert(m, "USD", offer.observed_at) for m in (now, was))
    return float(now.amount / was.amount) if now.amount and was.amount else None


def _jump(offer: Offer, before: Offer | None, gates: GateConfig) -> str:
    if before is not None and before.gpu_count != offer.gpu_count:
        # GPU-hours of another machine compare well, whatever the machine costs.
        return f"{before.gpu_count} GPUs -> {offer.gpu_count} GPUs since the last good table"
    ratio = _ratio(offer, before)
    if ratio is None or before is None or 1 / gates.biggest_move <= ratio <= gates.biggest_move:
        return ""
    return f"{_quoted(before)} -> {_quoted(offer)} (x{ratio:.2f}) since the last good table"


def _quoted(offer: Offer) -> str:
    return f"{offer.price.amount:f} {offer.price.currency}"


def _outside_band(offer: Offer, fx: FxTable, day: date) -> str:
    price = fx.convert(offer.per_gpu_hour, "USD", day).amount
    low, high = price_band(offer.gpu)
    if low <= price <= high:
        return ""
    return f"{price:.4f} USD per GPU-hour of {offer.gpu}; {low:.3f} to {high:.2f} is believable"


@cache
def _rates() -> FxTable:
    return bundled_fx()


@cache
def _bands() -> dict[str, tuple[Decimal, Decimal]]:
    fx = _rates()
    prices: dict[str, list[Decimal]] = {}
    for offer in read_offers(data_path("prices", "bundled.csv"))[0]:
        dollars = fx.convert(offer.per_gpu_hour, "USD", offer.observed_at).amount
        prices.setdefault(offer.gpu, []).append(dollars)
    return {gpu: (min(p) / BAND_TIMES, max(p) * BAND_TIMES) for gpu, p in prices.items()}


def price_band(gpu: str) -> tuple[Decimal, Decimal]:
    """Believable prices of a GPU-hour in US dollars, from the bundled prices of the same card.

    Raises:
        KeyError: no such card.
    """
    return _bands().get(accelerators()[gpu].id, WIDEST_BAND)
