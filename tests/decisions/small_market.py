"""A market and a schedule that can be worked out by hand, for tests of decisions.

One card answers one user. Users by day, cards from sellers by the hour, day or month, cards to buy.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from optimizer.schedule.load import parse_schedule
from optimizer.schedule.schedule import Schedule
from providers.book import bundled_book
from providers.hardware import node_kind
from providers.money import Money
from providers.offers import Offer, OfferBook
from providers.terms import Increment, PurchaseModel, Tenor, Tier

TODAY = date(2026, 11, 22)
SPANS = {
    "hour": (Increment.HOUR, Tenor(), PurchaseModel.ON_DEMAND),
    "spot": (Increment.HOUR, Tenor(), PurchaseModel.SPOT),
    "day": (Increment.DAY, Tenor(days=1), PurchaseModel.PREPAID),
    "month": (Increment.MONTH, Tenor(months=1), PurchaseModel.PREPAID),
}


def offer(text: str, **changes: object) -> Offer:
    """An offer such as ``acme 1xRTX4090 day 48``, named ``acme/1xRTX4090/day``."""
    provider, node, span, price = text.split()
    kind = node_kind(node)
    increment, tenor, model = SPANS[span]
    made = Offer(
        provider=provider,
        sku=f"{provider}/{node}/{span}",
        instance_type=node,
        region="cn",
        tier=Tier.SPECIALIST,
        gpu=kind.gpu,
        gpu_count=kind.count,
        interconnect="pcie",
        vcpu=None,
        ram_gb=None,
        purchase_model=model,
        increment=increment,
        tenor=tenor,
        price=Money(Decimal(price), "CNY"),
        upfront=Money(Decimal(0), "CNY"),
        tax_included=True,
        min_units=1,
        max_units=None,
        max_gpus_per_host=kind.count,
        observed_at=TODAY,
        valid_until=None,
        confidence="A",
        source="made up",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def market(*offers: str | Offer) -> OfferBook:
    """A book of these offers and no others, with no token APIs."""
    made = tuple(item if isinstance(item, Offer) else offer(item) for item in offers)
    return replace(bundled_book(as_of=TODAY), offers=made, token_offers=())


def schedule(
    *users: int, buy: str = "", limits: str = "", gpus: str = "RTX4090, A800", more: str = ""
) -> Schedule:
    """A chat with so many users on each day; a card of any sort answers one user.

    Args:
        buy: entries of ``hardware.buy``; the price is all that owning costs.
        limits: what the section ``limits`` holds.
        gpus: families the chat may run on.
        more: further workloads, as YAML indented by two.
    """
    days = [f"2026-12-{n:02d}" for n in range(1, len(users) + 1)]
    phases = "\n".join(
        f"      - {{start: {day}, end: {day}, users: {n}}}"
        for day, n in zip(days, users, strict=True)
        if n
    )
    measured = ", ".join(
        f"{{on: {node}, tokens: 15 tokens/s, users: 1}}" for node in ("1xRTX4090", "1xA800")
    )
    text = f"""
rentopt: 1
name: users by day
currency: CNY
horizon: {{start: 2026-12-01, days: {len(users)} days}}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    floor: 15 tokens/s
    headroom: 0 %
    hardware: {{allow: [{gpus}]}}
    measured: [{measured}]
    phases:
{phases}
{more}
hardware: {{buy: [{buy}]}}
market: {{confidence: C}}
limits: {{{limits}}}
money: {{power_policy: off_when_idle, residual: {{}}}}
"""
    return parse_schedule(text, "users.yaml")
