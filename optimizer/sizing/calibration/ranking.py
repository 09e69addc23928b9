"""Does the model order hardware by what tokens cost as measurements do?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from statistics import median

import numpy as np

from optimizer.model_cards import model_card
from optimizer.sizing.calibration.cases import Array, Case
from optimizer.sizing.measured.common import FORM_UNSTATED, shape
from providers.bundled import data_path
from providers.price_table import read_offers
from providers.terms import PurchaseModel

CLOSE_CALL = 0.10
"""Measured costs nearer than this count as no order: two runs differ by as much."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Pairs of hardware measured on one model in one setting, and how many the model orders."""

    pairs: int
    right: int

    @property
    def accuracy(self) -> float:
        return self.right / self.pairs if self.pairs else float("nan")


@cache
def usd_per_gpu_hour() -> dict[str, float]:
    """Median on-demand rental of the bundled price table, by GPU; none: never rented out."""
    found: dict[str, list[float]] = defaultdict(list)
    for offer in read_offers(data_path("prices", "bundled.csv"))[0]:
        if offer.purchase_model is PurchaseModel.ON_DEMAND and offer.price.currency == "USD":
            found[FORM_UNSTATED.get(offer.gpu, offer.gpu)].append(float(offer.per_gpu_hour.amount))
    return {gpu: median(prices) for gpu, prices in found.items()}


def ranking(
    cases: Sequence[Case], log_errors: Array, prices: Mapping[str, float] | None = None
) -> Ranking:
    """Pairs of GPUs on the same model, format, engine, lengths and users that are ordered right.

    The figure is throughput for a dollar, at `prices` of a GPU-hour, or throughput itself without
    any. Pairs that measurements put within `CLOSE_CALL` are no pairs.
    """
    settings: dict[tuple[object, ...], dict[tuple[str, int], list[tuple[float, float]]]] = {}
    for case, error in zip(cases, log_errors.tolist(), strict=True):
        row = case.row
        gpu = FORM_UNSTATED.get(row.hardware, row.hardware)
        if case.task == "prefill" or (prices is not None and gpu not in prices):
            continue
        rate = np.log(row.value) * (-1.0 if row.metric == "tpot_ms" else 1.0)
        if row.metric == "tpot_ms":
            error = -error
        rate -= np.log(row.gpus * prices[gpu]) if prices is not None else 0.0
        lengths = (row.prompt_tokens, row.output_tokens, row.concurrency, row.workload)
        setting = (shape(model_card(row.model)), case.form, case.generation, row.metric, *lengths)
        by_node = settings.setdefault(setting, defaultdict(list))
        by_node[gpu, row.gpus].append((rate, rate + error))
    pairs = right = 0
    for by_node in settings.values():
        typical = {
            node: (median(m for m, _ in found), median(p for _, p in found))
            for node, found in by_node.items()
        }
        for one, other in combinations(sorted(typical), 2):
            measured = typical[one][0] - typical[other][0]
            if one[0] == other[0] or abs(measured) < CLOSE_CALL:
                continue
            pairs += 1
            right += bool(measured * (typical[one][1] - typical[other][1]) > 0)
    return Ranking(pairs, right)
