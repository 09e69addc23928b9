"""Scores the sizing formulas, without any lookup, against the bundled measurements."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.constants import GB, GIB
from optimizer.sizing.measured import (
    ENGINE_NAMES,
    PRECISIONS,
    InferenceRow,
    TrainingRow,
    inference_rows,
    training_rows,
)
from optimizer.sizing.memory import activation_bytes, kv_cache_bytes_per_token, weights_bytes
from optimizer.sizing.training import gang_speed
from providers.hardware import accelerators

Scores = dict[str, list[float]]
"""Task to relative errors |predicted / measured - 1|."""


def percentile(errors: list[float], share: float) -> float:
    return sorted(errors)[min(int(share * len(errors)), len(errors) - 1)]


def summary(scores: Scores) -> dict[str, tuple[int, float, float]]:
    """Rows, median and 90th percentile of each task."""
    return {
        task: (len(errors), median(errors), percentile(errors, 0.9))
        for task, errors in sorted(scores.items())
    }


def score_inference() -> Scores:
    scores: Scores = defaultdict(list)
    for row in inference_rows():
        if row.quant not in PRECISIONS or row.engine not in ENGINE_NAMES:
            continue
        if row.model not in model_cards() or not row.output_tokens or row.prompt_tokens is None:
            continue
        predicted = _predicted(row)
        if predicted is not None:
            scores[_task(row)].append(abs(predicted / row.value - 1.0))
    return scores


def _task(row: InferenceRow) -> str:
    task = "weights" if (row.prompt_tokens or 0) <= 1 else "memory with long prompts"
    return task if model_card(row.model).params_total_b >= 5 else f"{task}, models below 5B"


def _predicted(row: InferenceRow) -> float | None:
    card = model_card(row.model)
    precision, engine = PRECISIONS[row.quant], ENGINE_NAMES[row.engine]
    prompt, output = row.prompt_tokens or 0.0, row.output_tokens or 0.0
    if row.metric != "mem_gb" or engine != "transformers":  # the others show what they reserve
        return None
    held = weights_bytes(card, precision) + activation_bytes(card, int(prompt))
    held += kv_cache_bytes_per_token(card) * (prompt + output) + 0.15 * GIB * row.gpus
    return held / (GIB if row.unit == "GiB" else GB)


def score_training() -> Scores:
    scores: Scores = defaultdict(list)
    for row in training_rows():
        known = row.model in model_cards() and "FP8" not in row.precision
        if known and row.tokens_per_s and row.sequence_tokens:
            predicted = _gang(row)
            if predicted is not None:
                modelled = row.comparable and row.micro_batch
                task = "training" if modelled else "training, other methods or batch not stated"
                scores[task].append(abs(predicted / row.tokens_per_s - 1.0))
    return scores


def _gang(row: TrainingRow) -> float | None:
    micro_batch = row.micro_batch or 1
    steps = round((row.global_batch or 0) / (micro_batch * row.gpus)) or 1
    sharded = any(word in row.parallelism for word in ("FSDP", "ZeRO-3", "FULL"))
    speed = gang_speed(
        model_card(row.model),
        row.method,
        "zero-3" if sharded and row.gpus > 1 else "ddp",
        accelerators()[row.hardware],
        min(row.gpus, 8),
        max(row.gpus // 8, 1),
        sequence_tokens=row.sequence_tokens or 1,
        micro_batch=micro_batch,
        accumulation=steps if row.global_batch else 8,
    )
    return speed.tokens_per_s if speed else None
