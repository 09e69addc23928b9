"""What is predicted for published training runs by constants fitted without their source."""

from __future__ import annotations

import csv
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from optimizer.sizing.measured.common import FORM_UNSTATED, shape
from optimizer.sizing.measured.inference import family
from optimizer.sizing.training.cases import Case, cases
from providers.bundled import data_path


@dataclass(frozen=True)
class HeldOut:
    case: Case
    metric: str
    measured: float
    predicted: float

    @property
    def error(self) -> float:
        return self.predicted / self.measured - 1.0


def held_out(metric: str) -> list[HeldOut]:
    """Rows of ``data/sizing/training_held_out.csv``: tokens_per_s or peak_memory_gb."""
    known = {case.row.id: case for case in cases()}
    with data_path("sizing", "training_held_out.csv").open(encoding="utf-8", newline="") as file:
        return [
            HeldOut(
                known[row["id"]],
                metric,
                float(row["measured"]),
                float(row["predicted_without_its_source"]),
            )
            for row in csv.DictReader(file)
            if row["metric"] == metric
        ]


def one_utilisation() -> list[HeldOut]:
    """The plain peer: 6N FLOPs a token (4N for adapters) at one utilisation of the nominal rate,
    which is the median of all other sources."""

    def nominal(case: Case) -> float:
        passes = 4.0 if case.setup.adapters else 6.0
        rate = case.gang.gpus * (case.gang.gpu.fp16_tflops or 0.0) * 1e12
        return rate / (passes * case.card.params_active_b * 1e9)

    timed = [case for case in cases() if case.row.tokens_per_s]
    reached = {case.row.id: (case.row.tokens_per_s or 0.0) / nominal(case) for case in timed}
    found = []
    for case in timed:
        others = [reached[c.row.id] for c in timed if c.row.group != case.row.group]
        predicted = median(others) * nominal(case)
        found.append(HeldOut(case, "tokens_per_s", case.row.tokens_per_s or 0.0, predicted))
    return found


def by_class() -> dict[str, list[float]]:
    """Errors of speed, sources left out, by software and by chip; five rows or more."""
    found = defaultdict(list)
    for row in held_out("tokens_per_s"):
        found[f"software {row.case.setup.framework}"].append(row.error)
        found[f"on {family(row.case.row.hardware)}"].append(row.error)
    return {name: errors for name, errors in sorted(found.items()) if len(errors) >= 5}


def percentile(errors: list[float], share: float) -> float:
    ordered = sorted(abs(error) for error in errors)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def pairs(worth: Callable[[HeldOut], float]) -> Iterator[tuple[HeldOut, HeldOut]]:
    """Two kinds of card at one setting: model, method, format, length, checkpointing,
    software, GPU count and how the model is divided over them.

    Pairs that differ by less than 5 % in what counts are ties, and left out.
    """
    groups = defaultdict(list)
    for row in held_out("tokens_per_s"):
        setup = row.case.setup
        split = (setup.strategy, setup.tensor_parallel, setup.pipeline_parallel)
        what = (setup.method, setup.precision, setup.sequence_tokens, setup.checkpointing)
        key = (shape(row.case.card), row.case.row.framework, row.case.gang.gpus, split, what)
        groups[key].append(row)
    for group in groups.values():
        for one, other in itertools.combinations(group, 2):
            kinds = {card_of(one), card_of(other)}
            ratio = (one.measured * worth(one)) / (other.measured * worth(other))
            if len(kinds) == 2 and abs(ratio - 1.0) > 0.05:
                yield one, other


def card_of(row: HeldOut) -> str:
    return FORM_UNSTATED.get(row.case.row.hardware, row.case.row.hardware)


def pairwise_accuracy(worth: Callable[[HeldOut], float]) -> tuple[int, float]:
    """Pairs, and the share of them in the measured order; `worth` weighs a token per second."""
    right = []
    for one, other in pairs(worth):
        measured = one.measured * worth(one) > other.measured * worth(other)
        predicted = one.predicted * worth(one) > other.predicted * worth(other)
        right.append(measured == predicted)
    return len(right), sum(right) / len(right)
