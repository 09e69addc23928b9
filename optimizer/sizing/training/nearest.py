"""The published speed that is nearest to a case, carried over by the ratio of the model."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from optimizer.model_cards import ModelCard
from optimizer.sizing.measured.common import Shape, chip, shape
from optimizer.sizing.training.cases import Case, cases
from optimizer.sizing.training.constants import Constants
from optimizer.sizing.training.setup import Gang, Setup
from optimizer.sizing.training.speed import training_speed

FARTHEST = 4.0
"""Doublings of GPUs, sequence and micro-step together at which a row still speaks for a case."""

Key = tuple[Shape, bool, str, str, str, str]


def _key(card: ModelCard, setup: Setup, gang: Gang) -> Key:
    """Same shape, kind of training, number format, software, offload and card."""
    kind = "full" if setup.method == "pretrain" else setup.method
    alone = gang.gpus == 1
    return (
        shape(card),
        alone,
        f"{kind} {setup.precision}",
        setup.stack,
        setup.offload,
        chip(gang.gpu.id, gang.gpus),
    )


@cache
def _index() -> dict[Key, list[Case]]:
    index: dict[Key, list[Case]] = defaultdict(list)
    for case in cases():
        if case.row.tokens_per_s and case.stated and "varied lengths" not in case.row.options:
            index[_key(case.card, case.setup, case.gang)].append(case)
    return dict(index)


def distance(case: Case, setup: Setup, gang: Gang) -> float:
    """Doublings between a row and a case; 0: the same."""

    def apart(one: float, other: float) -> float:
        return abs(math.log2(one / other))

    lengths = apart(case.setup.sequence_tokens, setup.sequence_tokens)
    tokens = apart(case.setup.local_tokens, setup.local_tokens)
    return apart(case.gang.gpus, gang.gpus) + lengths + 0.5 * tokens


@dataclass(frozen=True, slots=True)
class Carried:
    """A published speed, as it stands or carried over."""

    case: Case
    tokens_per_s: float
    same: bool
    """GPUs, sequence and micro-batch are those asked about."""

    @property
    def provenance(self) -> str:
        row = self.case.row
        what = f"{row.model} {row.method} on {row.gpus}x{row.hardware}"
        said = f"{row.id}: {what}, {row.source}, {row.date}"
        if self.same:
            return said
        batch = f"{self.case.setup.micro_batch} x {self.case.setup.sequence_tokens} tokens"
        return f"{said}; measured with {batch}, carried over by the model"


def carried(
    card: ModelCard,
    setup: Setup,
    gang: Gang,
    *,
    without: Case | None = None,
    known: Constants | None = None,
) -> Carried | None:
    """The nearest row's speed times modelled(case) / modelled(row); None where none is near.

    Of equally near rows the newest counts. `without` leaves out one row, to test on it.
    """
    near = [case for case in _index().get(_key(card, setup, gang), []) if case is not without]
    if not near:
        return None
    closest = min(distance(case, setup, gang) for case in near)
    if closest > FARTHEST:
        return None
    level = [case for case in near if distance(case, setup, gang) == closest]
    newest = max(case.row.date for case in level)
    fresh = sorted(
        (case for case in level if case.row.date == newest),
        key=lambda case: case.row.tokens_per_s or 0.0,
    )
    best = fresh[len(fresh) // 2]
    measured = best.row.tokens_per_s or 0.0
    if closest == 0.0:
        return Carried(best, measured, True)
    asked = training_speed(card, setup, gang, known)
    shown = training_speed(best.card, best.setup, best.gang, known)
    if asked is None or shown is None:
        return None
    return Carried(best, measured * asked.tokens_per_s / shown.tokens_per_s, False)
