"""Scores the sizing formulas, without any lookup, against the bundled measurements."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from optimizer.model_cards import model_card, model_cards
from optimizer.sizing.constants import GB, GIB, class_name
from optimizer.sizing.measured import (
    ENGINE_NAMES,
    PRECISIONS,
    InferenceRow,
    inference_rows,
)
from optimizer.sizing.memory import activation_bytes, kv_cache_bytes_per_token, weights_bytes
from optimizer.sizing.throughput import inference_speed
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
    if row.metric == "mem_gb":
        task = "weights" if (row.prompt_tokens or 0) <= 1 else "memory with long prompts"
        return task if model_card(row.model).params_total_b >= 5 else f"{task}, models below 5B"
    kind = class_name(accelerators()[row.hardware])
    batch = "single stream" if row.concurrency == 1 else "batched"
    if kind in ("rocm", "other") or model_card(row.model).mixture_of_experts:
        return f"{batch}, mixtures and other stacks"
    return f"{batch}, dense"


def _predicted(row: InferenceRow) -> float | None:
    card, gpu = model_card(row.model), accelerators()[row.hardware]
    precision, engine = PRECISIONS[row.quant], ENGINE_NAMES[row.engine]
    prompt, output, users = row.prompt_tokens or 0.0, row.output_tokens or 0.0, row.concurrency
    if row.metric == "mem_gb":
        if engine != "transformers":  # the others show what they reserve, not what they need
            return None
        held = weights_bytes(card, precision) + activation_bytes(card, int(prompt))
        held += kv_cache_bytes_per_token(card) * (prompt + output) + 0.15 * GIB * row.gpus
        return held / (GIB if row.unit == "GiB" else GB)
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
