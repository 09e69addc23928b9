"""The rules on recorded prices keep what is proven of them.

`recorded_prices.csv`: cheapest spot and on-demand listing of one GPU by day, 2025-10-19 to
2025-11-16, from tugot17/gpu-price-tracker at commit 718a831 (MIT). Spot was
listed on some days only.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from optimizer.online import ski_rental, spot

HOURS = 24


def recorded() -> dict[str, list[tuple[float | None, float]]]:
    """GPU → [day] (price of spot, where it was listed; price on demand)."""
    path = Path(__file__).parent / "recorded_prices.csv"
    found: dict[str, list[tuple[float | None, float]]] = defaultdict(list)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            low, price = row["spot_usd_per_gpu_hour"], row["on_demand_usd_per_gpu_hour"]
            if price:  # a few days have no listing on demand
                found[row["gpu"]].append((float(low) if low else None, float(price)))
    return found


TRACES = recorded()


@pytest.mark.parametrize("gpu", sorted(TRACES))
def test_a_job_on_recorded_spot_prices_is_never_late_and_within_its_bound(gpu: str) -> None:
    trace = [day for day in TRACES[gpu] for _ in range(HOURS)]
    rides = 0
    for begin in range(0, len(trace) - 5 * HOURS, 12):
        for slack in (1.1, 1.5, 3.0):
            here = trace[begin : begin + int(48 * slack)]
            there = [low is not None and low < price for low, price in here]
            prices = [price for _, price in here]
            lows = [low if low is not None else price for low, price in here]
            for policy in (spot.uniform_progress, spot.greedy):
                ride = policy(there, 40.0, len(here), 0.2)
                assert not ride.late
                modes = (spot.Mode.IDLE, *ride.modes)
                begun = [b for a, b in pairwise(modes) if a is not b and b is not spot.Mode.IDLE]
                most = max(prices) * (40 + 0.2 * len(begun) + 1)
                assert ride.cost(lows, prices) <= most + 1e-9
                assert ride.cost(lows, prices) >= min(lows) * 40 - 1e-9
                rides += 1
    assert rides >= 180


@pytest.mark.parametrize("gpu", sorted(TRACES))
def test_the_break_even_rules_keep_their_ratios_on_recorded_rents(gpu: str) -> None:
    rents = [HOURS * price for _, price in TRACES[gpu]]
    worst = worst_drawn = 0.0
    for begin in range(len(rents)):
        for end in range(begin + 1, len(rents) + 1):
            for days in (2, 5, 9, 14, 22):
                sequence, price = rents[begin:end], days * rents[0]
                best = ski_rental.best_cost(sequence, price)
                day = ski_rental.break_even_day(sequence, price)
                worst = max(worst, ski_rental.cost(sequence, price, day) / best)
                worst_drawn = max(worst_drawn, ski_rental.expected_cost(sequence, price) / best)
    assert 1.7 < worst <= ski_rental.DETERMINISTIC_RATIO + 1e-9
    assert 1.4 < worst_drawn <= ski_rental.RANDOMISED_RATIO + 1e-9
