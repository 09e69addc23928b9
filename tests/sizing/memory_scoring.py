"""Scores the memory formulas against published figures that no constant was fitted to."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from optimizer.model_cards import model_card
from optimizer.sizing.measured.memory import MemoryRow, capacity_rows, fit_rows, memory_rows
from optimizer.sizing.memory_calibration import fitted_on, predicted_bytes
from optimizer.sizing.placement import placement
from optimizer.sizing.reservation import fitted_memory
from providers.hardware import accelerators

Scores = dict[str, list[float]]
"""Kind of figure to errors |predicted / published - 1|."""

CLOSE = 0.05
"""Of a GPU's memory: a call as close as this may go either way."""


def kind(row: MemoryRow) -> str:
    if row.counts == "file":
        return "files"
    if row.prompt_tokens <= 1:
        return "weights and a short prompt"
    return "batches" if row.sequences > 1 else "long prompts"


def score_memory() -> Scores:
    """Errors of the rows kept for testing: of all, by kind, and of programs by engine and card."""
    scores: Scores = defaultdict(list)
    for row in memory_rows():
        if not fitted_on(row):
            error = abs(predicted_bytes(row, fitted_memory()) / row.bytes - 1.0)
            scores[kind(row)].append(error)
            scores["all, not fitted"].append(error)
            if row.counts != "file":
                scores[f"engine {row.engine}"].append(error)
                scores[f"on {accelerators()[row.hardware].family}"].append(error)
    return scores


def score_plain() -> Scores:
    """What parameters times bytes makes of the same rows, and Hugging Face's rule of 20 % more.

    The rule is that of the memory calculator's page: weights at the nominal bits, and 20 % for
    inference.
    """
    scores: Scores = defaultdict(list)
    for row in memory_rows():
        if not fitted_on(row):
            plain = plain_bytes(row)
            scores["parameters x bytes"].append(abs(plain / row.bytes - 1.0))
            scores["the same and 20 %"].append(abs(1.2 * plain / row.bytes - 1.0))
    return scores


NOMINAL_BITS = {"bf16": 16, "fp16": 16, "fp8": 8, "bnb-int8": 8, "nf4": 4, "nf4-dq": 4}


def plain_bytes(row: MemoryRow) -> float:
    """Every parameter at the bits of the format's name."""
    bits = NOMINAL_BITS.get(row.format)
    if bits is None:
        bits = next(int(char) for char in row.format if char.isdigit())
    return model_card(row.model).params_total_b * 1e9 * bits / 8


def summary(scores: Scores) -> dict[str, tuple[int, float, float]]:
    """Rows, median and 90th percentile of each kind that has five rows or more."""
    return {
        name: (len(errors), median(errors), sorted(errors)[int(0.9 * len(errors))])
        for name, errors in sorted(scores.items())
        if len(errors) >= 5
    }


def score_capacity() -> Scores:
    """Errors of the cache that servers said they have, by the formulas' share for it."""
    scores: Scores = defaultdict(list)
    for row in capacity_rows():
        lies = placement(
            model_card(row.model),
            row.format,
            row.engine,
            accelerators()[row.hardware],
            row.gpus,
            memory_share=row.memory_share,
        )
        scores["room for the cache"].append(abs(lies.cache(1000) / row.bytes - 1.0))
    return scores


def calls() -> list[tuple[str, bool, bool, float]]:
    """Id, whether it ran, whether the formulas say so, and by what share of a GPU."""
    found = []
    for row in fit_rows():
        gpu = row.accelerator()
        lies = placement(model_card(row.model), row.format, row.engine, gpu, row.gpus)
        margin = (lies.cache(row.tokens) - lies.sequence(row.tokens)) / lies.visible
        found.append((row.id, row.fits, margin >= 0, margin))
    return found
