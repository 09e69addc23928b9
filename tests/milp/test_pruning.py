"""What is left out before the solver sees it is never missed: equal cost with and without it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from optimizer import problem as gathering
from optimizer.costs import Costs
from optimizer.formulate import formulate
from optimizer.milp.instance import INF, Solution
from optimizer.milp.solve import SolveOptions, solve
from optimizer.options import market
from optimizer.options.market import Listing
from optimizer.problem import gather
from optimizer.schedule.load import parse_schedule
from optimizer.schedule.schedule import Schedule
from providers.book import bundled_book
from providers.money import Money
from providers.offers import Offer, OfferBook
from providers.terms import Increment, PurchaseModel, Tenor, Tier

SEEDS = 500
BATCH = 20
LOOKED_AT = 40
GPUS = (
    ("RTX4090", 1),
    ("RTX4090", 2),
    ("RTX4090", 4),
    ("A100-SXM4-80GB", 1),
    ("A100-SXM4-80GB", 2),
)
TERMS = (
    (Increment.HOUR, Tenor(), 1),
    (Increment.HOUR, Tenor(), 1),
    (Increment.DAY, Tenor(days=1), 20),
    (Increment.DAY, Tenor(), 18),
    (Increment.WEEK, Tenor(days=7), 110),
    (Increment.MONTH, Tenor(months=1), 400),
    (Increment.MONTH, Tenor(months=3), 360),
)


def market_of(seed: int) -> OfferBook:
    """Nine to fourteen offers of five kinds of nodes, on many terms, some with few in stock."""
    rng = random.Random(seed)
    offers = []
    for n in range(rng.randint(9, 14)):
        gpu, count = rng.choice(GPUS)
        increment, tenor, hours = rng.choice(TERMS)
        each = (2 if gpu == "RTX4090" else 6) * rng.uniform(0.6, 1.4)
        price = Decimal(f"{each * count * hours:.2f}")
        stock = rng.choice([None, None, None, None, None, 2])
        offers.append(
            Offer(
                provider=f"p{n % 3}",
                sku=f"o{n}",
                instance_type=f"{count}x{gpu}",
                region="cn-1",
                tier=Tier.SPECIALIST,
                gpu=gpu,
                gpu_count=count,
                interconnect="pcie",
                vcpu=None,
                ram_gb=None,
                purchase_model=PurchaseModel.RESERVED if tenor else PurchaseModel.ON_DEMAND,
                increment=increment,
                tenor=tenor,
                price=Money(price, "CNY"),
                upfront=Money(Decimal(0), "CNY"),
                tax_included=True,
                min_units=2 if tenor and stock != 1 and rng.random() < 0.2 else 1,
                max_units=stock,
                max_gpus_per_host=max(count, rng.choice([count, 4])),
                observed_at=date(2026, 6, 1),
                valid_until=None,
                confidence="A",
                source="made up",
            )
        )
    book = bundled_book(as_of=date(2026, 7, 1))
    return replace(book, offers=tuple(offers), token_offers=())


def schedule_of(seed: int) -> Schedule:
    rng = random.Random(1000 + seed)
    past = rng.choice(["full", "credit"])
    text = f"""
rentopt: 1
currency: CNY
horizon: {{start: 2026-12-20, days: {33 if seed % 25 == 0 else rng.choice([3, 9])} days}}
workloads:
  - name: chat
    kind: service
    model: Qwen2.5-7B
    phases: [{{users: {rng.choice([3, 30, 120])}}}]
    floor: {rng.choice([15, 30])} tokens/s
    hours: {{"08:00-20:00": 100 %, "20:00-08:00": {rng.choice([0, 30, 100])} %}}
  - name: tune
    kind: training
    model: Qwen2.5-7B
    tokens: {rng.choice([3, 20, 60])}M tokens
    max_nodes: {rng.choice([1, 2])}
    interruptible: {rng.choice(["true", "false"])}
hardware:
  buy:
    - {{node: 2xRTX4090, price: 30000 CNY, max: 1}}
market: {{confidence: C{rng.choice(["", "", "", ", stock: 3"])}}}
{rng.choice(["", "", "", "limits: {budget_per_month: 6000 CNY/month}"])}
money:
  discount_rate: {rng.choice([0, 10])} %/year
  terms_past_horizon: {past}
  residual: {{1 months: 98 %}}
"""
    return parse_schedule(text, "random.yaml")


def least(schedule: Schedule, book: OfferBook) -> tuple[float, int]:
    """Cost of the optimum, and how many listings and replica options the solver saw."""
    problem = gather(schedule, book)
    found = solve(formulate(problem).instance, SolveOptions(gap=1e-6, time_limit_s=20))
    seen = len(problem.market.listings) + sum(len(s.options) for s in problem.services)
    return (found.objective if isinstance(found, Solution) else INF), seen


def keep_all(
    listings: Iterable[Listing], rules: market.DominanceRules, costs: Costs
) -> tuple[list[Listing], dict[str, str]]:
    return sorted(listings, key=lambda item: (item.kind, item.name)), {}


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_pruning_does_not_change_the_cost(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(first, first + BATCH):
        schedule, book = schedule_of(seed), market_of(seed)
        sellers = (None, None, 1, 2)[seed % 4]
        limits = schedule.document.limits.model_copy(update={"max_providers": sellers})
        document = schedule.document.model_copy(update={"limits": limits})
        schedule = replace(schedule, document=document)
        pruned, few = least(schedule, book)
        with monkeypatch.context() as patch:
            patch.setattr(market, "_undominated", keep_all)
            patch.setattr(gathering, "sold_alone", lambda *parts: False)
            whole, many = least(schedule, book)
        assert few <= many, seed
        assert pruned == pytest.approx(whole, rel=1e-5), seed


def test_a_share_of_a_large_node_stays_where_small_nodes_may_run_out() -> None:
    """One machine of four cards holds four replicas; of the machines with one card, one is left."""
    template = market_of(0)
    first = template.offers[0]
    small, large = (
        replace(
            first,
            sku=f"{n}-card",
            gpu="RTX4090",
            gpu_count=n,
            max_gpus_per_host=n,
            increment=Increment.HOUR,
            tenor=Tenor(),
            purchase_model=PurchaseModel.ON_DEMAND,
            price=Money(Decimal(2 * n), "CNY"),
            max_units=None,
            min_units=1,
        )
        for n in (1, 4)
    )
    text = """
rentopt: 1
currency: CNY
horizon: {start: 2026-12-20, days: 1 days}
workloads:
  - {name: chat, kind: service, model: Qwen2.5-7B, phases: [{users: 5}], min_replicas: 5}
market: {stock: 1}
"""
    cost, _ = least(parse_schedule(text, "t.yaml"), replace(template, offers=(small, large)))
    assert cost == pytest.approx(24 * (2 + 8))


def test_pruning_prunes() -> None:
    """Offers in most markets, and shares of nodes in some; else the test above proves nothing."""
    problems = [gather(schedule_of(seed), market_of(seed)) for seed in range(LOOKED_AT)]
    assert sum(bool(problem.market.dominated) for problem in problems) > LOOKED_AT / 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "sold_alone", lambda *parts: False)
        whole = [gather(schedule_of(seed), market_of(seed)) for seed in range(LOOKED_AT)]
    fewer = [
        len(one.services[0].options) < len(other.services[0].options)
        for one, other in zip(problems, whole, strict=True)
    ]
    assert sum(fewer) > LOOKED_AT / 10
