"""Families of made-up but plausible schedules and markets, for measuring; same seed, same instance.

Seven kinds of nodes; sellers with offers by the hour or day, week, month and year at falling rates,
some with few in stock; services whose load changes in phases, or every day; jobs in windows.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from optimizer.formulate import formulate
from optimizer.milp.instance import Instance
from optimizer.problem import Problem, gather
from optimizer.schedule.load import parse_schedule
from optimizer.schedule.schedule import Schedule
from providers.book import bundled_book
from providers.money import Money
from providers.offers import Offer, OfferBook
from providers.terms import Increment, PurchaseModel, Tenor, Tier

START = date(2026, 12, 1)
NODES = (
    ("RTX4090", 1),
    ("RTX4090", 2),
    ("RTX4090", 4),
    ("RTX4090", 8),
    ("A100-SXM4-80GB", 1),
    ("A100-SXM4-80GB", 8),
    ("H800-SXM5-80GB", 8),
)
CNY_PER_GPU_HOUR = {"RTX4090": 2.0, "A100-SXM4-80GB": 6.0, "H800-SXM5-80GB": 11.0}
TERMS = (
    (Increment.WEEK, Tenor(days=7), 168, 0.88),
    (Increment.MONTH, Tenor(months=1), 730, 0.72),
    (Increment.MONTH, Tenor(months=12), 730, 0.52),
)
"""Billed by, tenor, hours billed at once, and the rate against that of an hour."""
SHORT = ((Increment.HOUR, Tenor(), 1, 1.0), (Increment.DAY, Tenor(), 24, 0.95))
BUYABLE = (
    "{node: 2xRTX4090, price: 42000 CNY, max: 4}",
    "{node: 8xRTX4090, price: 200000 CNY, max: 2}",
    "{node: 1xRTX4090, price: 20000 CNY, max: 6}",
    "{node: 4xRTX4090, price: 90000 CNY, max: 3}",
)


@dataclass(frozen=True)
class Family:
    """What an instance is made of."""

    days: int
    jobs: int
    services: int
    offers: int
    """Rounded down to four a seller: by the hour or day, week, month, year."""
    purchases: int = 2
    noisy: bool = False
    """Load changes every day; else in four phases."""
    seed: int = 1

    @property
    def name(self) -> str:
        load = ", load new every day" if self.noisy else ""
        return (
            f"{self.days} days, {self.jobs} jobs, {self.services} services, "
            f"{self.offers} offers, {self.purchases} to buy{load}"
        )

    def problem(self) -> Problem:
        return gather(self.schedule(), self.market())

    def instance(self) -> Instance:
        return formulate(self.problem()).instance

    def market(self) -> OfferBook:
        rng = random.Random(self.seed)
        offers = []
        for seller in range(self.offers // 4):
            gpu, count = NODES[seller % len(NODES)]
            level = rng.uniform(0.8, 1.25)
            stock = rng.choice([None, None, None, rng.randint(2, 6)])
            for increment, tenor, hours, rate in (rng.choice(SHORT), *TERMS):
                each = CNY_PER_GPU_HOUR[gpu] * level * rate * rng.uniform(0.95, 1.05)
                price = Decimal(f"{each * count * hours:.2f}")
                sku = f"seller{seller}-{count}x{gpu}-{tenor.days or tenor.months}{increment.value}"
                offers.append(_offer(f"seller{seller}", sku, gpu, count, increment, tenor, price))
                offers[-1] = replace(offers[-1], max_units=stock)
        book = bundled_book(as_of=date(2026, 7, 1))
        return replace(book, offers=tuple(offers), token_offers=())

    def schedule(self) -> Schedule:
        rng = random.Random(1000 + self.seed)
        lines = [
            "rentopt: 1",
            "currency: CNY",
            f"horizon: {{start: {START}, days: {self.days} days}}",
            "workloads:",
            *(line for n in range(self.services) for line in self._service(rng, n)),
            *(line for n in range(self.jobs) for line in self._job(rng, n)),
            "market: {confidence: C}",
            "money:",
            "  discount_rate: 5 %/year",
            "  electricity: 0.7 CNY/kWh",
            "  residual: {6 months: 75 %, 12 months: 60 %, 24 months: 40 %, 36 months: 25 %}",
        ]
        if self.purchases:
            wanted = ", ".join(BUYABLE[: self.purchases])
            lines.append(f"hardware: {{buy: [{wanted}]}}")
        return parse_schedule("\n".join(lines) + "\n", "family.yaml")

    def _service(self, rng: random.Random, n: int) -> list[str]:
        model, floor = rng.choice((("Qwen2.5-7B", 20), ("Qwen2.5-14B", 15), ("Llama-3.1-8B", 20)))
        usual = rng.randint(150, 600)
        firsts = (
            list(range(self.days)) if self.noisy else sorted({0, *rng.sample(range(self.days), 3)})
        )
        phases = [
            f"      - {{start: {START + timedelta(first)}, end: {START + timedelta(after - 1)}, "
            f"users: {max(1, round(usual * rng.uniform(0.4, 1.6)))}}}"
            for first, after in zip(firsts, [*firsts[1:], self.days], strict=True)
        ]
        return [
            f"  - name: service{n}",
            "    kind: service",
            f"    model: {model}",
            f"    floor: {floor} tokens/s",
            '    hours: {"08:00-22:00": 100 %, "22:00-08:00": 30 %}',
            "    phases:",
            *phases,
        ]

    def _job(self, rng: random.Random, n: int) -> list[str]:
        first = rng.randint(0, self.days * 3 // 4)
        last = min(self.days - 1, first + rng.randint(10, 40))
        model, millions = rng.choice((("Qwen2.5-7B", 300), ("Qwen2.5-14B", 150)))
        return [
            f"  - name: job{n}",
            "    kind: training",
            f"    model: {model}",
            f"    tokens: {max(5, round(millions * rng.uniform(0.2, 1.5)))}M tokens",
            f"    release: {START + timedelta(first)}",
            f"    deadline: {START + timedelta(last)}",
            f"    max_nodes: {rng.choice([1, 2, 4])}",
            f"    interruptible: {rng.choice(['true', 'true', 'false'])}",
        ]


def _offer(
    provider: str,
    sku: str,
    gpu: str,
    count: int,
    increment: Increment,
    tenor: Tenor,
    price: Decimal,
) -> Offer:
    return Offer(
        provider=provider,
        sku=sku,
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
        min_units=1,
        max_units=None,
        max_gpus_per_host=count,
        observed_at=date(2026, 6, 1),
        valid_until=None,
        confidence="A",
        source="made up",
    )


YEAR = Family(365, 10, 3, 96)
THREE_YEARS = Family(1095, 20, 5, 96)
NOISY_QUARTER = Family(90, 10, 2, 64, noisy=True)
