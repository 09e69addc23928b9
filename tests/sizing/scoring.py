"""Scores the sizing formulas, without any lookup, against the bundled measurements."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.constants import class_name
from optimizer.sizing.measured import (
    ENGINE_NAMES,
    PRECISIONS,
    InferenceRow,
    TrainingRow,
    inference_rows,
    training_rows,
)
from optimizer.sizing.throughput import inference_speed
from optimizer.sizing.training import gang_speed
from providers.hardware import accelerators

Scores = dict[str, list[float]]
"""Task to relative errors |predicted / measured - 1|."""

LARGEST_BATCH = 64


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
    kind = class_name(accelerators()[row.hardware])
    batch = "single stream" if row.concurrency == 1 else "batched"
    if kind in ("rocm", "other") or model_card(row.model).mixture_of_experts:
        return f"{batch}, mixtures and other stacks"
    return f"{batch}, dense"


def _predicted(row: InferenceRow) -> float | None:
    card, gpu = model_card(row.model), accelerators()[row.hardware]
    precision, engine = PRECISIONS[row.quant], ENGINE_NAMES[row.engine]
    prompt, output, users = row.prompt_tokens or 0.0, row.output_tokens or 0.0, row.concurrency
    speed = inference_speed(card, precision, engine, gpu, row.gpus)
    if speed is None or not users or users > LARGEST_BATCH or output < 2:
        return None
    step = speed.step_s(users, prompt + output / 2)
    prefill = speed.prefill_s(prompt) * users if prompt > 1 else 0.0
    wall = prefill + output * step
    answers = {
        "decode_tok_s": users / step,
        "tpot_ms": step * 1000,
        "output_tok_s": users * output / wall,
        "total_tok_s": users * (prompt + output) / wall,
    }
    return answers.get(row.metric)


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
